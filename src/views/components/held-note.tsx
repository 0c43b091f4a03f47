import {
  describeConnection,
  explainConnection,
  type HeldSubject,
} from "../text/held-connection.ts";
import { Chip } from "./chip.tsx";
import { IsolatedText } from "./safe-text.tsx";

/** Says that a run was held, how the connection went, and what is known after it. */
export function HeldNote(props: { record: HeldSubject }) {
  const connection = describeConnection(props.record);
  if (connection === null) return null;
  return (
    <p class="explanation">
      <Chip tone={connection.tone}>held</Chip>{" "}
      <IsolatedText text={explainConnection(props.record, connection)} />
    </p>
  );
}
