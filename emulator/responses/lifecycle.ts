/** The life of a response, from queued to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, notFound } from "../errors.ts";
import { newId } from "../lib/ids.ts";
import type {
  CodeInterpreterCall,
  FileCitation,
  OutputItem,
  MessageItem,
  ReasoningItem,
} from "./items.ts";
import { isCited, toReplyText } from "./scripted-model.ts";
import * as narrate from "./item-events.ts";
import { getLastUserText } from "./create-params.ts";
import { toResponse, type RunEnd, type Run, type Usage } from "./run.ts";
import type { State } from "../state.ts";

/** A response that is there; throws the API's 404 for any other. */
export function findRun(state: State, id: string): Run {
  const run = state.runs.get(id);
  if (run && !isExpired(state, run)) return run;
  throw notFound("Response", id);
}

function isExpired({ settings }: State, run: Run): boolean {
  const { store, background, endedAt, script } = run;
  if (store || endedAt === null) return false;
  const seconds = script.keptSeconds ?? settings.responseMinutes * 60;
  return !background || Date.now() >= endedAt + seconds * 1000;
}

/** Sets a response going. */
export function startRun(state: State, run: Run): void {
  state.runs.set(run.id, run);
  const born = toResponse(run, (item) => item);
  run.events.add("response.created", () => ({ response: born }));
  if (run.background) run.events.add("response.queued", () => ({ response: born }));
  execute(state, run).catch((cause: unknown) => {
    if (run.abortController.signal.aborted) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    endRun(state, run, { status: "failed", output: [], error: { code: "server_error", message } });
  });
}

/** Ends a response that is under way; one that has ended stays as it is. */
export function cancelRun(state: State, run: Run): void {
  endRun(state, run, { status: "cancelled", output: [] });
  run.abortController.abort();
}

async function execute(state: State, run: Run): Promise<void> {
  if (run.background) await sleepUnlessAborted(run, state.settings.queueSeconds);
  run.status = "in_progress";
  const now = toResponse(run, (item) => item);
  run.events.add("response.in_progress", () => ({ response: now }));
  const least = sleepUnlessAborted(run, run.script.minSeconds ?? state.settings.runSeconds);
  const [end] = await Promise.all([produceOutput(state, run), least]);
  endRun(state, run, end);
}

async function produceOutput(state: State, run: Run): Promise<RunEnd> {
  const { ending, codes } = run.script;
  const words = getLastUserText(run.input);
  if (ending.status === "failed")
    return { ...ending, output: [], error: toScriptedError(ending.code) };
  const thought: ReasoningItem = { id: newId("rs"), type: "reasoning", summary: [] };
  const output: OutputItem[] = [thought];
  narrate.addReasoningEvents(run.events, 0, thought);
  const written = new Set<string>();
  for (const code of codes) {
    const call = await executeCall(state, run, { code, index: output.length, written });
    output.push(call);
  }
  const whole = ending.status === "completed";
  const message = createMessage(state, run, {
    text: toReplyText(words, codes.length),
    written,
    whole,
  });
  narrate.addMessageEvents(run.events, output.length, message);
  output.push(message);
  const usage = estimateUsage(words, output);
  if (whole) return { status: "completed", output, usage };
  return { status: "incomplete", output, usage, incomplete: { reason: ending.reason } };
}

interface CallParams {
  code: string;
  index: number;
  /** Paths of the files that calls of this run have written. */
  written: Set<string>;
}

async function executeCall(
  state: State,
  run: Run,
  { code, index, written }: CallParams,
): Promise<CodeInterpreterCall> {
  const workspace = state.containers.use(run.containerId ?? "");
  const begun: CodeInterpreterCall = {
    id: newId("ci"),
    type: "code_interpreter_call",
    status: "completed",
    code,
    container_id: workspace.id,
    outputs: [],
  };
  narrate.addCallStartEvents(run.events, index, begun);
  const seconds = state.settings.executionSeconds;
  const outcome = await state.pool.run({
    workspace,
    code,
    seconds,
    signal: run.abortController.signal,
  });
  state.containers.use(workspace.id);
  for (const [path] of outcome.changed) written.add(path);
  if (outcome.raised) run.raisedCallIds.add(begun.id);
  // As the real API: what raised shows nothing, not even what it had printed before.
  const call = { ...begun, outputs: outcome.raised ? [] : outcome.outputs };
  run.executedCalls.push(call);
  narrate.addCallEndEvents(run.events, index, call);
  return call;
}

interface MessageParams {
  text: string;
  written: Set<string>;
  whole: boolean;
}

function createMessage(
  state: State,
  run: Run,
  { text, written, whole }: MessageParams,
): MessageItem {
  const said = whole ? text : text.slice(0, text.length / 2);
  const part = {
    type: "output_text" as const,
    annotations: [] as FileCitation[],
    logprobs: [],
    text: said,
  };
  const paths = whole ? [...written] : [];
  for (const path of paths) appendCitation(state, run, path, part);
  const status = whole ? "completed" : "incomplete";
  return { id: newId("msg"), type: "message", status, content: [part], role: "assistant" };
}

function appendCitation(
  state: State,
  run: Run,
  path: string,
  part: { text: string; annotations: FileCitation[] },
) {
  const container = state.containers.use(run.containerId ?? "");
  const file = container.filesByPath.get(path);
  const filename = path.slice(path.lastIndexOf("/") + 1);
  if (!file || !isCited(filename)) return;
  const start_index = part.text.length + 1;
  part.text += `\n[${filename}](sandbox:${path})`;
  part.annotations.push({
    type: "container_file_citation",
    container_id: container.id,
    file_id: file.id,
    filename,
    start_index,
    end_index: part.text.length,
  });
}

function endRun(state: State, run: Run, end: RunEnd): void {
  if (run.endedAt !== null) return;
  run.end = end;
  run.status = end.status;
  run.endedAt = Date.now();
  // The real API has no event for a cancelled response: its stream just ends.
  if (end.status !== "cancelled") {
    run.events.add(`response.${end.status}`, (see) => ({ response: toResponse(run, see) }));
  }
  run.events.close();
  if (!run.params.stream) run.events.clear();
  appendToConversation(state, run);
  if (run.script.expiresContainer && run.containerId !== null)
    state.containers.expire(run.containerId);
  run.ended.resolve();
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
  webhooks.send({ type, responseId: run.id, delay: settings.webhookDelay });
}

async function sleepUnlessAborted(run: Run, seconds: number): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal: run.abortController.signal });
}

function toScriptedError(code: string): { code: string; message: string } {
  return { code, message: "The emulator's scripted model was told to fail." };
}

/** Tokens are estimated: four characters each. */
function estimateUsage(words: string, output: OutputItem[]): Usage {
  const input_tokens = Math.ceil(words.length / 4);
  const output_tokens = Math.ceil(output.map(getTextLength).reduce((sum, one) => sum + one, 0) / 4);
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

/** Refuses to cancel what has no background to be cancelled in. */
export function assertBackground(run: Run): void {
  if (run.background) return;
  throw new ApiError(400, "Cannot cancel a synchronous response.");
}
