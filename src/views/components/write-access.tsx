// What only a reader who may start, change and delete runs gets to see.
import type { Child } from "hono/jsx";
import { createContext, useContext } from "hono/jsx";

/** Whether the page's reader may do more than read. */
export const WriteAccess = createContext(false);

/** Shows its content where the page's reader may do more than read. */
export function ForWriters(props: { children: Child }) {
  return useContext(WriteAccess) ? <>{props.children}</> : null;
}
