/** The lifecycle of a run, from queued to its end. */
import { ApiError, notFound } from "../errors.ts";
import type { CallError } from "../interpreter/messages.ts";
import { toErrorMessage } from "../lib/error-message.ts";
import { newId } from "../lib/ids.ts";
import { sleepSeconds } from "../lib/sleep.ts";
import type { State } from "../state.ts";
import { getLastUserText } from "./input-items.ts";
import {
  addCallEndEvents,
  addCallStartEvents,
  addMessageEvents,
  addReasoningEvents,
} from "./item-events.ts";
import type { CodeInterpreterCall, OutputItem, ReasoningItem } from "./items.ts";
import { createMessage } from "./message.ts";
import { toResponse } from "./representation.ts";
import type { Run, RunEnd, Usage } from "./run.ts";
import { toReplyText } from "./scripted-model.ts";
import { FULL_VIEW } from "./visibility.ts";

const CHARACTERS_PER_TOKEN = 4;

/** Returns a run; throws the API's 404 for an unknown or expired one. */
export function findRun(state: State, id: string): Run {
  const run = state.runs.get(id);
  if (run && !isExpired(state, run)) return run;
  throw notFound("Response", id);
}

/** A run that is not stored expires: in the foreground at its end, in the background some time later. */
function isExpired({ settings }: State, run: Run): boolean {
  const { store, background, endedAt, script } = run;
  if (store || endedAt === null) return false;
  const keptSeconds = script.keptSeconds ?? settings.responseMinutes * 60;
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
      endRun(state, run, { status: "failed", output: [], error });
    })
    .finally(releaseInterpreter);
}

/** Cancels a run; has no effect after its end. */
export function cancelRun(state: State, run: Run): void {
  endRun(state, run, { status: "cancelled", output: [] });
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
  const minSeconds = run.script.minSeconds ?? state.settings.runSeconds;
  const minDuration = sleepSeconds(minSeconds, signal);
  // A run that only waits for its end needs no interpreter any more.
  const output = produceOutput(state, run).finally(releaseInterpreter);
  const [end] = await Promise.all([output, minDuration]);
  endRun(state, run, end);
}

async function produceOutput(state: State, run: Run): Promise<RunEnd> {
  const { ending, codes } = run.script;
  const inputText = getLastUserText(run.input);
  if (ending.status === "failed") {
    return { ...ending, output: [], error: toScriptedError(ending.code) };
  }
  const reasoning: ReasoningItem = { id: newId("rs"), type: "reasoning", summary: [] };
  const output: OutputItem[] = [reasoning];
  addReasoningEvents(run.events, 0, reasoning);
  const writtenPaths = new Set<string>();
  for (const code of codes) {
    output.push(await executeCall(state, run, { code, index: output.length, writtenPaths }));
  }
  const isComplete = ending.status === "completed";
  const text = toReplyText(inputText, codes.length);
  const message = createMessage(state, run, { text, writtenPaths, isComplete });
  addMessageEvents(run.events, output.length, message);
  output.push(message);
  const usage = estimateUsage(inputText, output);
  if (isComplete) return { status: "completed", output, usage };
  return { status: "incomplete", output, usage, incomplete: { reason: ending.reason } };
}

interface CallParams {
  code: string;
  /** The call's index in the response's output. */
  index: number;
  /** The call adds the paths of the files that it writes. */
  writtenPaths: Set<string>;
}

async function executeCall(
  state: State,
  run: Run,
  { code, index, writtenPaths }: CallParams,
): Promise<CodeInterpreterCall> {
  const workspace = state.containers.use(run.containerId ?? "");
  const call: CodeInterpreterCall = {
    id: newId("ci"),
    type: "code_interpreter_call",
    status: "completed",
    code,
    container_id: workspace.id,
    outputs: [],
  };
  addCallStartEvents(run.events, index, call);
  const timeoutSeconds = state.settings.executionSeconds;
  const { signal } = run.abortController;
  const result = await state.pool.run({ workspace, code, timeoutSeconds, signal });
  state.containers.use(workspace.id);
  for (const [path] of result.changed) writtenPaths.add(path);
  if (result.error) recordCallError(state, run, call.id, result.error);
  // Like the real API: a call that raised has no outputs, not even earlier prints.
  const executedCall = { ...call, outputs: result.error ? [] : result.outputs };
  run.executedCalls.push(executedCall);
  addCallEndEvents(run.events, index, executedCall);
  return executedCall;
}

/** Keeps the error for `/_emulator`, and logs its last line for who runs the emulator. The API says nothing of it. */
function recordCallError({ log }: State, run: Run, callId: string, error: CallError): void {
  run.callErrors.set(callId, error);
  log(`${run.id}: ${error.message}`);
}

function endRun(state: State, run: Run, end: RunEnd): void {
  if (run.endedAt !== null) return;
  run.end = end;
  run.status = end.status;
  run.endedAt = Date.now();
  // Like the real API: the stream of a cancelled response ends without a last event.
  if (end.status !== "cancelled") {
    run.events.add(`response.${end.status}`, (view) => ({ response: toResponse(run, view) }));
  }
  run.events.close();
  if (!run.params.stream) run.events.clear();
  appendToConversation(state, run);
  if (run.script.expiresContainer && run.containerId !== null) {
    state.containers.expire(run.containerId);
  }
  run.ended.resolve();
  state.runs.settle(run);
  sendWebhook(state, run);
}

function appendToConversation(state: State, run: Run): void {
  const conversation = state.conversations.get(run.conversationId ?? "");
  const items = [...run.input, ...run.output];
  conversation?.entries.push(...items.map((item) => ({ item, run })));
}

function sendWebhook({ settings, runs, webhooks }: State, run: Run): void {
  if (!run.background || settings.webhookDrop || !runs.has(run.id)) return;
  const type = `response.${run.status}`;
  webhooks.send({ type, responseId: run.id, delaySeconds: settings.webhookDelay });
}

function toScriptedError(code: string): { code: string; message: string } {
  return { code, message: "The emulator's scripted model was instructed to fail." };
}

/** The emulator has no tokenizer, so it estimates tokens from characters. */
function estimateUsage(inputText: string, output: OutputItem[]): Usage {
  const outputLength = output.reduce((sum, item) => sum + getTextLength(item), 0);
  const input_tokens = Math.ceil(inputText.length / CHARACTERS_PER_TOKEN);
  const output_tokens = Math.ceil(outputLength / CHARACTERS_PER_TOKEN);
  return {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
}

function getTextLength(item: OutputItem): number {
  if (item.type === "code_interpreter_call") return item.code.length;
  return item.type === "message" ? (item.content[0]?.text.length ?? 0) : 0;
}
