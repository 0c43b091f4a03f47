import {
  describeConnection,
  explainConnection,
  type ConnectionSubject,
} from "../text/connection.ts";
import { Chip } from "../components/chip.tsx";
import { IsolatedText } from "../components/safe-text.tsx";

/** Says that a run was held or followed, how its Connection went, and what is known after it. */
export function ConnectionNote(props: { record: ConnectionSubject }) {
  const connection = describeConnection(props.record);
  if (connection === null) return null;
  return (
    <p class="explanation">
      <Chip tone={connection.tone}>{connection.kind}</Chip>{" "}
      <IsolatedText text={explainConnection(props.record, connection)} />
    </p>
  );
}
