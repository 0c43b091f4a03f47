import type { Child } from "hono/jsx";
import { formatTime } from "../text/format.ts";

/** A moment in ISO 8601. `children` say it in another way; its date and time of day in UTC are its title then. */
export function Time(props: { at: string; children?: Child }) {
  const utc = formatTime(props.at);
  return (
    <time datetime={props.at} title={props.children === undefined ? undefined : utc}>
      {props.children ?? utc}
    </time>
  );
}
