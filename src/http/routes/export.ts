// The export: everything that was recorded, one record a line, page by page.
import type { Context } from "hono";
import { ExportQuery, MAX_EXPORT_ROWS, parseQuery, toRunFilter } from "../../api/queries.ts";
import { toRepresentation } from "../../api/answers/representation.ts";
import { Problem } from "../../errors.ts";
import { streamChunks, toByteStream } from "../../lib/byte-stream.ts";
import { logFailure } from "../../log.ts";
import { Channel } from "../../record/schema.ts";
import { listRuns, type ListPage } from "../../objects/catalog/client.ts";
import type { RunFilter } from "../../objects/catalog/filter.ts";
import { readRun, readRunOutputs } from "../../objects/recorder/client.ts";
import type { App } from "../middleware/auth.ts";

/** KV operations of one page. Cloudflare allows 1,000 an invocation on the paid plan, and 50 on the free one. */
const MAX_KV_OPERATIONS = 900;
/** The most that a record takes: whether it is stored, the record, and the outputs of each channel. */
const OPERATIONS_PER_RECORD = 2 + Channel.options.length;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/**
 * One page of the export. Its last line is `{"cursor"}`; a page without it is incomplete.
 * @throws Problem 400 for a query that can't be used.
 */
export async function exportPage(c: Context<App>): Promise<Response> {
  const query = parseQuery(ExportQuery, c.req.query());
  const { limit, cursor = null } = query;
  const filter = toRunFilter(query);
  const rows = limit ?? MAX_EXPORT_ROWS;
  const rounds = limit === undefined ? maxRounds(rows) : 1;
  const first = await listRuns(c.env, filter, cursor, rows);
  const lines = exportLines(c.env, first, filter, rows, rounds);
  return c.body(toByteStream(lines), 200, { "content-type": "application/x-ndjson" });
}

function maxRounds(rows: number): number {
  return Math.floor(MAX_KV_OPERATIONS / (rows * OPERATIONS_PER_RECORD));
}

// One record at a time is in memory, and only while the client reads.
async function* exportLines(
  env: Env,
  first: ListPage,
  filter: RunFilter,
  limit: number,
  rounds: number,
): AsyncGenerator<Uint8Array> {
  let page = first;
  for (let round = 1; ; round += 1) {
    for (const { id } of page.rows) yield* exportLine(env, id);
    if (page.cursor === null || round === rounds) break;
    page = await listRuns(env, filter, page.cursor, limit);
  }
  yield new TextEncoder().encode(`${JSON.stringify({ cursor: page.cursor })}\n`);
}

// A record that can't be read does not hide those after it.
async function* exportLine(env: Env, id: string): AsyncGenerator<Uint8Array> {
  const line = await readExported(env, id).catch((error: unknown) => unreadableLine(id, error));
  if (line === null) return;
  for await (const chunk of line) yield chunk.map(replaceLineBreak);
  yield new TextEncoder().encode("\n");
}

function unreadableLine(id: string, error: unknown): ReadableStream<Uint8Array> {
  logFailure("export_record", error, { id });
  const failed = `The export could not read this record. Try GET /results/${id}; the recorder's log says what happened.`;
  const { code, message } =
    error instanceof Problem ? error : { code: "internal" as const, message: failed };
  const json = JSON.stringify({ id, error: { code, message } });
  return streamChunks([new TextEncoder().encode(json)]);
}

// OpenAI's JSON has several lines. A line break inside a string is always escaped, so these stand between values.
function replaceLineBreak(byte: number): number {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte;
}

// Null when the record was deleted since the list was read.
async function readExported(env: Env, id: string): Promise<ReadableStream<Uint8Array> | null> {
  const record = await readRun(env, id, async ({ known, openBody }) => {
    const body = await openBody();
    return toRepresentation(known, body, (channel) => readRunOutputs(env, id, channel));
  });
  return record?.json() ?? null;
}
