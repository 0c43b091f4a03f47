// Everything that was recorded, one record a line, page by page.
import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../errors.ts";
import { askRecorder } from "../../workflows/instance.ts";
import { Channel, type Known } from "../../record/schema.ts";
import { reveal, type Revealed } from "../../api/representation.ts";
import type { Row } from "../../storage/list-row.ts";
import { isStored, listPage, readOutputs, readRecord, type Stored } from "../../storage/kv.ts";
import type { App } from "../middleware/auth.ts";

/** KV operations of one page; Cloudflare allows 1,000 an invocation on the paid plan, and 50 on the free one. */
export const MOST_OPERATIONS = 900;
/** What a record takes at the most: whether it is there, itself, and what each channel had. */
const PER_RECORD = 2 + Channel.options.length;
const ROWS = 50;

/** What a page is asked for with. */
export const Query = z.object({
  cursor: z.string().min(1).max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(ROWS).optional(),
});

/**
 * One page of the export. Its last line is `{"cursor"}`; a page without it was cut off.
 * @param c The request's context.
 * @throws Problem 400 for a query that can't be read.
 */
export async function exportPage(c: Context<App>): Promise<Response> {
  const asked = Object.entries(c.req.query()).filter(([, value]) => value !== "");
  const query = Query.safeParse(Object.fromEntries(asked));
  if (!query.success) {
    const message = `cursor is what the last line of a page gave; limit is a number from 1 to ${ROWS}.`;
    throw new Problem(400, "bad_query", message);
  }
  const { limit = ROWS, cursor = null } = query.data;
  const rounds = query.data.limit === undefined ? roundsOf(ROWS) : 1;
  const first = await listPage(c.env, limit, cursor);
  const lines = linesOf(c.env, first, limit, rounds);
  return c.body(streamOf(lines), 200, { "content-type": "application/x-ndjson" });
}

function roundsOf(rows: number): number {
  return Math.floor(MOST_OPERATIONS / (1 + rows * PER_RECORD));
}

type Rows = Awaited<ReturnType<typeof listPage>>;

// One record at a time is in memory, and only while somebody reads.
async function* linesOf(
  env: Env,
  first: Rows,
  limit: number,
  rounds: number,
): AsyncGenerator<Uint8Array> {
  let page = first;
  for (let round = 1; ; round += 1) {
    for (const row of page.rows) yield* lineOf(await read(env, row));
    if (page.cursor === null || round === rounds) break;
    page = await listPage(env, limit, page.cursor);
  }
  yield new TextEncoder().encode(`${JSON.stringify({ cursor: page.cursor })}\n`);
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) return controller.close();
      controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

async function* lineOf(found: Revealed | null): AsyncGenerator<Uint8Array> {
  if (found === null) return;
  for await (const chunk of found.json()) yield chunk.map(spaced);
  yield new TextEncoder().encode("\n");
}

// OpenAI's own JSON goes over several lines. Inside a text a line break is always escaped, so these stand between values.
function spaced(byte: number): number {
  return byte === 0x0a || byte === 0x0d ? 0x20 : byte;
}

/** A record, or null when it has gone since the list was read. */
async function read(env: Env, row: Row): Promise<Revealed | null> {
  const found =
    row.verdict === "pending" ? await inFlight(env, row.id) : await readRecord(env, row.id);
  if (found === null) return null;
  return reveal(found.known, found.body, (channel) => readOutputs(env, row.id, channel));
}

// Reading a record's key before it is written would hide it for a minute: the instance is asked first.
async function inFlight(
  env: Env,
  id: string,
): Promise<Stored | { known: Known; body: null } | null> {
  const asked = await askRecorder(env, id);
  if (asked.state === "running" && asked.known.verdict === "pending") {
    return { known: asked.known, body: null };
  }
  if (await isStored(env, id)) return readRecord(env, id);
  return "known" in asked ? { known: asked.known, body: null } : null;
}
