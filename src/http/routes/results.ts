// Reads records, and acts on runs by hand. Readers ask the Recorder first, and KV only when the record is there.
import type { Context, MiddlewareHandler } from "hono";
import {
  ListQuery,
  parseQuery,
  RecordQuery,
  toRunFilter,
  toSearchedId,
} from "../../api/queries.ts";
import { notFinished } from "../../api/answers/outputs.ts";
import { toRepresentation, type RecordRepresentation } from "../../api/answers/representation.ts";
import { Problem } from "../../errors.ts";
import { withLog } from "../../log.ts";
import { cancelRun } from "../../objects/actions.ts";
import { listRuns, type ListPage } from "../../objects/catalog/client.ts";
import {
  findRun,
  readRun,
  readRunOutputs,
  refetchRun,
  removeRun,
  type Found,
} from "../../objects/recorder/client.ts";
import { readFile } from "../../storage/kv.ts";
import type { App } from "../middleware/auth.ts";
import { wantsHtml } from "../wants-html.ts";
import { parseResponseId } from "./response-id.ts";

/**
 * One page of the list, for a browser with the numbers of all pages.
 * @throws Problem 400 for a query that can't be used.
 */
export async function listRecords(c: Context<App>): Promise<{ page: ListPage; query: ListQuery }> {
  const query = parseQuery(ListQuery, c.req.query());
  const { limit, cursor = null } = query;
  return { page: await listRuns(c.env, toRunFilter(query), cursor, limit, wantsHtml(c)), query };
}

type FoundRecord = RecordRepresentation & Pick<Found, "nextCheck">;

/** Leads a browser that searches for an id to the page of that run. */
export const redirectToSearchedId: MiddlewareHandler<App> = async (c, next) => {
  const id = wantsHtml(c) ? toSearchedId(parseQuery(ListQuery, c.req.query())) : undefined;
  return id === undefined ? next() : c.redirect(`/results/${id}`);
};

/**
 * One record; `wait` waits until it can be read, or with `until=settled` until it is settled.
 * @throws Problem 404 for an unknown id, 400 for a query that can't be used.
 */
export async function getRecord(c: Context<App>): Promise<FoundRecord> {
  const id = parseResponseId(c.req.param("id"));
  const { wait: waitSeconds = 0, until = "readable" } = parseQuery(RecordQuery, c.req.query());
  const represent = async (found: Found) => ({
    ...(await representRecord(c.env, found)),
    nextCheck: found.nextCheck,
  });
  return orNotFound(await readRun(c.env, id, represent, { waitSeconds, until }), id);
}

/**
 * The last terminal response object, as OpenAI sent it.
 * @throws Problem 404 `not_finished` before the response's end, `not_stored` when there is none.
 */
export async function getResponse(c: Context<App>): Promise<Response> {
  const body = await readEndedRecord(c, ({ openBody }) => openBody());
  if (body === null) {
    throw new Problem(
      "not_stored",
      `No response object is stored. The \`error\` of /results/${c.req.param("id")} says why, if it was observed.`,
    );
  }
  return c.body(body, 200, { "content-type": "application/json" });
}

/**
 * Observes a response now: in flight, after its end, or with an id never seen.
 * @throws Problem 404 for what can't be a response's id.
 */
export async function refetchResult(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  await withLog("refetch_requested", { id }, () =>
    refetchRun(c.env, id, new URL(c.req.url).origin),
  );
  return accepted(c, id);
}

/**
 * Cancels a run in flight.
 * @throws Problem 404 for an unknown id, 409 after the end.
 */
export async function cancelResult(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  await withLog("cancel_requested", { id }, async () => {
    const { known } = await findRecord(c.env, id);
    await cancelRun(c.env, id, known.verdict === "pending");
  });
  return accepted(c, id);
}

/** Deletes a record, its files and its row in the list. */
export async function deleteResult(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  const wasRecorded = await withLog(
    "delete_requested",
    { id },
    () => removeRun(c.env, id),
    (isRemoved) => (isRemoved ? {} : { outcome: "not_found" }),
  );
  if (!wasRecorded) throw notFound(id);
  return c.body(null, 204);
}

/**
 * A copied file, as an attachment.
 * @throws Problem 404 `not_found` for an unknown response, `not_stored` for a file that was not copied.
 */
export async function getFile(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  const { known } = await findRecord(c.env, id);
  // Only a file that was copied: KV would remember an early miss, and hide the file for a minute.
  const file = known.files.find((one) => one.id === c.req.param("file_id") && one.url !== null);
  const body = file === undefined ? null : await readFile(c.env, id, file.id);
  if (file === undefined || body === null) {
    const message =
      "This file is not stored. The record's `files` list the stored ones, and say why others are not.";
    throw new Problem("not_stored", message, { id });
  }
  return c.body(body, 200, {
    "content-type": "application/octet-stream",
    "content-disposition": toAttachment(file.filename),
    "content-security-policy": "sandbox",
  });
}

// RFC 6266: an ASCII name for old clients, and any Unicode for the others.
function toAttachment(filename: string): string {
  const ascii = filename.replaceAll(/[^\x20-\x7e]|["\\]/g, "_");
  const encoded = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

function accepted(c: Context<App>, id: string): Response {
  return c.json({ id, result_url: new URL(`/results/${id}`, c.req.url).href }, 202);
}

async function readEndedRecord<T>(c: Context<App>, read: (found: Found) => Promise<T>): Promise<T> {
  const id = parseResponseId(c.req.param("id"));
  const result = await readRun(c.env, id, async (found) => {
    const { known: record, retryAfterSeconds } = found;
    if (record.verdict === "pending") return notFinished({ record, retryAfterSeconds });
    return { read: await read(found) };
  });
  const ended = orNotFound(result, id);
  if (ended instanceof Problem) throw ended;
  return ended.read;
}

/** A record with its body and its outputs. */
export async function representRecord(
  env: Env,
  { known, openBody }: Found,
): Promise<RecordRepresentation> {
  const body = await openBody();
  return toRepresentation(known, body, (channel) => readRunOutputs(env, known.id, channel));
}

async function findRecord(env: Env, id: string): Promise<Found> {
  return orNotFound(await findRun(env, id), id);
}

/** @throws Problem 404 when nothing was found. */
export function orNotFound<T>(found: T | null, id: string): T {
  if (found !== null) return found;
  throw notFound(id);
}

function notFound(id: string): Problem {
  return new Problem(
    "not_found",
    "No record has this id. Records are kept for RETENTION_DAYS; a response that another program started is recorded when its webhook arrives, or by POST /results/ID/refetch.",
    { id },
  );
}
