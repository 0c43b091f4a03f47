// Reading what was recorded. Whoever reads asks the instance first, and KV only when the record is there.
import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../errors.ts";
import {
  askRecorder,
  awaitRecorder,
  restartRecorder,
  wakeRecorder,
} from "../../workflows/instance.ts";
import { forgetHolder, nudgeHolder, stopHolder } from "../../workflows/holding.ts";
import { cancel } from "../../openai/client.ts";
import { refusedByOpenAI } from "../../openai/to-problem.ts";
import { rulesOf } from "../../config.ts";
import { logged } from "../../log.ts";
import type { Known, Start } from "../../record/schema.ts";
import { FORGET } from "../../workflows/recorder.ts";
import { ResponseVerdict } from "../../record/schema.ts";
import { recordOf, type Found } from "../../workflows/found.ts";
import { reveal, type Revealed, type RevealedCall } from "../../api/representation.ts";
import { listPage, readFile, readOutputs, type Page } from "../../storage/kv.ts";
import { responseId } from "./response-id.ts";
import type { App } from "../middleware/auth.ts";

/** What the list is asked for with. */
export const Query = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.string().min(1).max(2_000).optional(),
  verdict: ResponseVerdict.optional(),
  status: z.string().min(1).max(40).optional(),
});

/** Seconds to wait for a record's end. */
export const Wait = z.coerce.number().min(0).max(60);

export type Filter = z.infer<typeof Query>;

/**
 * One page of the list.
 * @param c The request's context; its query filters.
 * @throws Problem 400 for a query that can't be read.
 */
export async function page(c: Context<App>): Promise<{ page: Page; filter: Filter }> {
  const query = Query.safeParse(given(c.req.query()));
  if (!query.success) throw new Problem(400, "bad_query", firstIssue(query.error));
  const { limit, cursor, verdict, status } = query.data;
  const found = await listPage(c.env, limit, cursor ?? null);
  const rows = found.rows.filter(
    (row) =>
      (verdict === undefined || row.verdict === verdict) &&
      (status === undefined || row.status === status),
  );
  return { page: { rows, cursor: found.cursor }, filter: query.data };
}

/**
 * One record, whole.
 * @param c The request's context.
 * @throws Problem 404 for an id nobody knows.
 */
export async function result(c: Context<App>): Promise<Revealed> {
  const id = responseId(c.req.param("id"));
  const wait = Wait.safeParse(c.req.query("wait") ?? 0);
  if (!wait.success)
    throw new Problem(400, "bad_query", "wait is a number of seconds from 0 to 60.");
  if (wait.data > 0) await awaitRecorder(c.env, id, wait.data);
  const found = await find(c.env, id);
  return join(c.env, found);
}

/**
 * What the code printed, call after call.
 * @throws Problem 404 `not_yet` before the response's end.
 */
export async function outputs(c: Context<App>): Promise<Response> {
  const revealed = await ended(c, (found) => join(c.env, found));
  if (revealed.calls.some(isNotKept)) {
    throw new Problem(
      404,
      "not_kept",
      "There were outputs, but they are not kept; the record's error says why.",
    );
  }
  return c.body(revealed.printed(), 200, { "content-type": "text/plain; charset=utf-8" });
}

/**
 * The last terminal response object, as OpenAI sent it.
 * @throws Problem 404 `not_yet` before the response's end.
 */
export async function response(c: Context<App>): Promise<Response> {
  const found = await ended(c, (known) => Promise.resolve(known));
  if (found.known.body === null || found.body === null) {
    throw new Problem(404, "not_kept", "No response object was kept; the record's error says why.");
  }
  return c.body(found.body, 200, { "content-type": "application/json" });
}

/**
 * Looks now: at a run in flight, after the end, or at an id never seen.
 * @throws Problem 404 for what can't be the id of a response.
 */
export async function look(c: Context<App>): Promise<Response> {
  const id = responseId(c.req.param("id"));
  await logged("asked_look", { id }, () => lookNow(c.env, id));
  return c.json({ id, result_url: new URL(`/results/${id}`, c.req.url).href }, 202);
}

async function lookNow(env: Env, id: string): Promise<void> {
  const asked = await askRecorder(env, id);
  if (asked.state === "running") await wake(env, asked.known);
  else await restartRecorder(env, actionOn(env, id, "look", new Date().toISOString()));
}

async function wake(env: Env, known: Known): Promise<void> {
  await wakeRecorder(env, known.id, { kind: "look" });
  if (known.held_due) await nudgeHolder(env, known.holder);
}

/**
 * Cancels a run in flight. Its end is recorded like any other.
 * @throws Problem 404 for an id nobody knows, 409 after the end.
 */
export async function cancelRun(c: Context<App>): Promise<Response> {
  const id = responseId(c.req.param("id"));
  await logged("asked_cancel", { id }, () => cancelNow(c.env, id));
  return c.json({ id, result_url: new URL(`/results/${id}`, c.req.url).href }, 202);
}

async function cancelNow(env: Env, id: string): Promise<void> {
  const { known } = await find(env, id);
  if (known.verdict !== "pending") {
    throw new Problem(409, "already_ended", "The response has ended; there is nothing to cancel.", {
      id,
    });
  }
  try {
    // OpenAI cancels no run in the foreground; it ends with its connection.
    if (known.held_due) await stopHolder(env, known.holder);
    else await cancel(env, id);
  } catch (error) {
    throw refusedByOpenAI(error);
  }
  await wakeRecorder(env, id, { kind: "look" });
}

/** Forgets a record, its files and its line in the list; the instance stays as a tombstone. */
export async function forget(c: Context<App>): Promise<Response> {
  const { known } = await find(c.env, responseId(c.req.param("id")));
  await logged("asked_delete", { id: known.id }, () => forgetRun(c.env, known));
  return c.body(null, 204);
}

/**
 * Forgets all that is kept of a response; a connection that is held for it is closed.
 * @param env The Worker's environment.
 * @param known What is known of it.
 * @throws Problem 503 when that isn't done in time.
 */
export async function forgetRun(env: Env, known: Known): Promise<void> {
  const { id } = known;
  await forgetHolder(env, known.holder);
  await restartRecorder(env, actionOn(env, id, "delete", known.started_at));
  if (await awaitRecorder(env, id, 20, FORGET)) return;
  throw new Problem(503, "not_confirmed", "The record is being removed; ask again in a minute.", {
    id,
  });
}

/**
 * A rescued file, as an attachment.
 * @throws Problem 404 when it isn't kept.
 */
export async function file(c: Context<App>): Promise<Response> {
  const id = responseId(c.req.param("id"));
  const { known } = await find(c.env, id);
  // Only what the record names: a key that is read too early would hide the file for a minute.
  const kept = known.files.find((one) => one.id === c.req.param("file_id") && one.url !== null);
  const body = kept === undefined ? null : await readFile(c.env, id, kept.id);
  if (kept === undefined || body === null) {
    throw new Problem(
      404,
      "unknown_file",
      "This file is not kept. The record's files say which are, and why others are not.",
      { id },
    );
  }
  return c.body(body, 200, {
    "content-type": "application/octet-stream",
    "content-disposition": attachment(kept.filename),
    "content-security-policy": "sandbox",
  });
}

// RFC 6266: a plain name for old clients, and any Unicode for the others.
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\]/g, "_");
  const encoded = encodeURIComponent(filename.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

function actionOn(env: Env, id: string, action: "look" | "delete", at: string): Start {
  return {
    id,
    at,
    started_by: "refetch",
    rules: rulesOf(env),
    intent: null,
    request: null,
    created: null,
    webhook: null,
    control: null,
    holder: null,
    action,
  };
}

async function ended<T>(c: Context<App>, use: (found: Found) => Promise<T>): Promise<T> {
  const id = responseId(c.req.param("id"));
  const found = await find(c.env, id);
  if (found.known.verdict !== "pending") return use(found);
  throw new Problem(
    404,
    "not_yet",
    `The response has not ended. Ask again, or wait: /results/${id}?wait=60`,
    { id },
  );
}

function join(env: Env, found: Found): Promise<Revealed> {
  return reveal(found.known, found.body, (channel) => readOutputs(env, found.known.id, channel));
}

// Its verdict says that outputs were seen.
function isNotKept(call: RevealedCall): boolean {
  return call.source !== null && call.outputs === null;
}

async function find(env: Env, id: string): Promise<Found> {
  const found = await recordOf(env, id, await askRecorder(env, id));
  if (found === null) throw unknown(id);
  return found;
}

function unknown(id: string): Problem {
  return new Problem(
    404,
    "unknown_response",
    "No record has this id. Records are kept for RETENTION_DAYS; a response that another program started is recorded when its webhook arrives.",
    { id },
  );
}

// A form sends what was left empty as an empty text.
function given(query: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ""));
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined
    ? "The query can't be read."
    : `${issue.path.join(".")}: ${issue.message}`;
}
