// HTML for a browser, JSON for everyone else.
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { App } from "./middleware/auth.ts";

/** Whether the client would rather have a page than JSON. */
export function wantsHtml(c: Context<App>): boolean {
  const supports = ["application/json", "text/html"];
  return accepts(c, { header: "Accept", supports, default: "application/json" }) === "text/html";
}
