// Reads pages of `GET /results.ndjson`.
import { z } from "zod";
import type { World } from "./world.ts";

const LastLine = z.object({ cursor: z.string().nullable() });

/** A page of the export, and the KV operations it took. */
export type ExportPage = { records: unknown[]; cursor: string | null; operations: number };

/**
 * Reads one page. The Worker's log is cleared before.
 * @param cursor The cursor of the page before, or null for the first page.
 * @param more More of the query, beginning with `&`.
 */
export async function readExport(
  world: World,
  cursor: string | null,
  more = "",
): Promise<ExportPage> {
  world.worker.clearLogs();
  const path = `/results.ndjson?cursor=${encodeURIComponent(cursor ?? "")}${more}`;
  const response = await world.request(path);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`GET ${path}: ${response.status} ${text}`);
  const values = text
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  const { cursor: next } = LastLine.parse(values.at(-1));
  return { records: values.slice(0, -1), cursor: next, operations: world.kvOperations().length };
}
