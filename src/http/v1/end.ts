// Cancels and deletes responses at OpenAI, and their runs here.
import type { Context } from "hono";
import { sleep } from "../../lib/retry.ts";
import { logFailure } from "../../log.ts";
import { closeConnection } from "../../objects/connection/client.ts";
import { removeRun, reportCancel, type Found } from "../../objects/recorder/client.ts";
import { pickAnswerHeaders } from "../../openai/answer-headers.ts";
import type { StoredRecord } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";
import type { OpenAIError } from "./errors.ts";
import { forward, forwardHidingOwnPair } from "./proxy.ts";
import { isInFlight } from "./ended-response.ts";
import { findRecorded, showRun } from "./retrieve.ts";

/** How often, and at which intervals in milliseconds, a cancelled run is asked whether it has ended. */
const CANCEL_POLL = { times: 40, intervalMs: 250 };

/** Milliseconds in which a followed stream may bring the end of the run that was cancelled. */
const LAST_EVENT_MS = 2_000;

/** `POST /responses/:id/cancel`. */
export async function cancelResponse(c: Context<App>): Promise<Response | OpenAIError> {
  const found = await findRecorded(c);
  const ask = () => forwardHidingOwnPair(c);
  if (found === null) return ask();
  const { known } = found;
  const wanted = { include: new Set<string>(), ask };
  if (!known.held) return cancelAtOpenAI(c, found);
  if (!isInFlight(known)) return showRun(c, found, wanted);
  // OpenAI cancels no foreground run: it ends with its connection.
  if (!known.connection_due || known.connection === null) return ask();
  await closeConnection(c.env, known.connection.id);
  await reportCancel(c.env, known.id);
  return showRun(c, (await waitForEnd(c)) ?? found, wanted);
}

/** `DELETE /responses/:id`. */
export async function deleteResponse(c: Context<App>): Promise<Response | OpenAIError> {
  const found = await findRecorded(c);
  const answer = await forward(c);
  if (found === null || !(answer instanceof Response)) return answer;
  if (!answer.ok && answer.status !== 404) return answer;
  await removeRun(c.env, found.known.id);
  const deleted = { id: found.known.id, object: "response", deleted: true };
  return c.json(deleted, 200, pickAnswerHeaders(answer.headers));
}

// Its Recorder sees the end sooner when it hears of it.
async function cancelAtOpenAI(c: Context<App>, { known }: Found): Promise<Response | OpenAIError> {
  const answer = await forwardHidingOwnPair(c);
  if (answer instanceof Response && answer.ok && isInFlight(known)) {
    c.executionCtx.waitUntil(
      reportEnd(c.env, known).catch((error: unknown) =>
        logFailure("cancel", error, { id: known.id }),
      ),
    );
  }
  return answer;
}

// The stream of a cancelled run has no last event, so its Connection would take it up again.
async function reportEnd(env: Env, { id, connection }: StoredRecord): Promise<void> {
  await reportCancel(env, id);
  if (connection !== null) await closeConnection(env, connection.id, LAST_EVENT_MS);
}

async function waitForEnd(c: Context<App>): Promise<Found | null> {
  for (let attempt = 0; attempt < CANCEL_POLL.times; attempt += 1) {
    const found = await findRecorded(c);
    if (found === null || !isInFlight(found.known)) return found;
    await sleep(CANCEL_POLL.intervalMs);
  }
  return null;
}
