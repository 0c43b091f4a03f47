// A run in flight as far as its stream shows it.
import type { Context } from "hono";
import { toShownResponse } from "../../api/answers/shown-response.ts";
import { streamChunks } from "../../lib/byte-stream.ts";
import { readProgress } from "../../objects/connection/client.ts";
import type { StoredRecord } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";

/**
 * Shows the items that are done of a run in flight.
 * @returns Null when no Connection knows the run.
 */
export async function showProgress(
  c: Context<App>,
  { connection }: StoredRecord,
  include: ReadonlySet<string>,
): Promise<Response | null> {
  const progress = connection === null ? null : await readProgress(c.env, connection.id);
  if (progress === null) return null;
  const { response, items } = progress;
  // The end counts only with what it brought.
  const status = progress.status === "queued" ? "queued" : "in_progress";
  const shown = { items, include, changes: { background: true, status } };
  const chunks = toShownResponse(response, shown);
  return c.body(streamChunks(chunks), 200, { "content-type": "application/json" });
}
