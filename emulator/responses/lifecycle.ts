/** The lifecycle of a run, from queued to its end. */
import { toEntries } from "../conversations.ts";
import { ApiError, notFound } from "../errors.ts";
import { toErrorMessage } from "../lib/error-message.ts";
import { sleepSeconds } from "../lib/sleep.ts";
import type { State } from "../state.ts";
import { getLastUserText } from "./input-items.ts";
import { produceOutput } from "./produce-output.ts";
import { toResponse } from "./representation.ts";
import type { Run, RunEnd } from "./run.ts";
import { estimateUsage } from "./usage.ts";
import { FULL_VIEW } from "./visibility.ts";

/** Returns a run; throws the API's 404 for one that is unknown, expired, or not to be found for some seconds after its end. */
export function findRun(state: State, id: string): Run {
  const run = state.runs.get(id);
  const isFound = run && !run.isForgotten && !isExpired(state, run) && !isMissing(state, run);
  if (isFound) return run;
  throw notFound("Response", id);
}

/** Measured at Azure: after its end a response is a 404 for some seconds. https://github.com/dotnet/extensions/issues/7704 */
function isMissing({ settings }: State, { endedAt }: Run): boolean {
  return endedAt !== null && Date.now() < endedAt + settings.missingSeconds * 1000;
}

/** A run that is not stored expires: in the foreground at its end, in the background some time later. */
function isExpired({ settings }: State, run: Run): boolean {
  const { store, background, endedAt, directives } = run;
  if (store || endedAt === null) return false;
  const keptSeconds = directives.keptSeconds ?? settings.responseMinutes * 60;
  return !background || Date.now() >= endedAt + keptSeconds * 1000;
}

/** Starts a run and returns at once. */
export function startRun(state: State, run: Run): void {
  state.runs.set(run.id, run);
  const response = toResponse(run, FULL_VIEW);
  run.events.add("response.created", () => ({ response }));
  if (run.background) run.events.add("response.queued", () => ({ response }));
  const releaseInterpreter = state.pool.hold(run.containerId ?? "");
  executeRun(state, run, releaseInterpreter)
    .catch((cause: unknown) => {
      if (run.abortController.signal.aborted) return;
      const error = { code: "server_error", message: toErrorMessage(cause) };
      endRun(state, run, { status: "failed", error });
    })
    .finally(releaseInterpreter);
}

/** Cancels a run; has no effect after its end. */
export function cancelRun(state: State, run: Run): void {
  endRun(state, run, { status: "cancelled" });
  run.abortController.abort();
}

/** Rejects cancelling a foreground response. */
export function assertBackground(run: Run): void {
  if (run.background) return;
  throw new ApiError(400, "Cannot cancel a synchronous response.");
}

async function executeRun(state: State, run: Run, releaseInterpreter: () => void): Promise<void> {
  const { signal } = run.abortController;
  if (run.background) await sleepSeconds(state.settings.queueSeconds, signal);
  run.status = "in_progress";
  const response = toResponse(run, FULL_VIEW);
  run.events.add("response.in_progress", () => ({ response }));
  const minSeconds = run.directives.minSeconds ?? state.settings.runSeconds;
  const minDuration = sleepSeconds(minSeconds, signal);
  // A run that only waits for its end needs no interpreter any more.
  const output = produceOutput(state, run).finally(releaseInterpreter);
  const [end] = await Promise.all([output, minDuration]);
  endRun(state, run, end);
}

function endRun(state: State, run: Run, end: RunEnd): void {
  if (run.endedAt !== null) return;
  const isStopped = end.status === "cancelled" || end.status === "failed";
  if (isStopped && state.settings.stoppedOutput === "empty") run.output.length = 0;
  const usage = isStopped ? undefined : estimateUsage(getLastUserText(run.input), run.output);
  run.end = { ...end, ...(usage && { usage }) };
  run.status = end.status;
  run.endedAt = Date.now();
  addFinalEvent(run, end);
  run.events.close();
  if (!run.params.stream) run.events.clear();
  appendToConversation(state, run);
  if (run.directives.expiresContainer && run.containerId !== null) {
    state.containers.expire(run.containerId);
  }
  run.ended.resolve();
  state.runs.settle(run);
  sendWebhook(state, run);
}

/** Like the real API: the stream of a cancelled response ends without a last event. */
function addFinalEvent(run: Run, { status, hasFinalEvent = true, errorEvent }: RunEnd): void {
  // Not earlier: a client that leaves at this event, as OpenAI's SDK does, would cancel a run that has failed.
  if (errorEvent) run.events.add("error", () => errorEvent);
  if (status === "cancelled" || !hasFinalEvent) return;
  run.events.add(`response.${status}`, (view) => {
    const response = toResponse(run, view);
    const isEmpty = run.settings.finalEventOutput === "empty";
    return { response: isEmpty ? { ...response, output: [] } : response };
  });
}

function appendToConversation(state: State, run: Run): void {
  const conversation = state.conversations.get(run.conversationId ?? "");
  conversation?.entries.push(...toEntries(run));
}

function sendWebhook({ settings, runs, webhooks }: State, run: Run): void {
  if (!run.background || settings.webhookDrop || !runs.has(run.id)) return;
  const type = `response.${run.status}`;
  webhooks.send({ type, responseId: run.id, delaySeconds: settings.webhookDelay });
}
