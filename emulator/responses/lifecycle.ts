/** The life of a response, from queued to its end. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, missing } from "../errors.ts";
import { newId } from "../lib/ids.ts";
import type { Call, Citation, Made, Message, Reasoning } from "./items.ts";
import { cited, reply } from "./scripted-model.ts";
import * as narrate from "./item-events.ts";
import { lastWords } from "./create-params.ts";
import { describe, type End, type Run, type Usage } from "./run.ts";
import type { State } from "../state.ts";

/** A response that is there; throws the API's 404 for any other. */
export function find(state: State, id: string): Run {
  const run = state.runs.get(id);
  if (run && !forgotten(state, run)) return run;
  throw missing("Response", id);
}

function forgotten({ settings }: State, run: Run): boolean {
  const { store, background, endedAt, script } = run;
  if (store || endedAt === null) return false;
  const seconds = script.kept ?? settings.responseMinutes * 60;
  return !background || Date.now() >= endedAt + seconds * 1000;
}

/** Sets a response going. */
export function start(state: State, run: Run): void {
  state.runs.set(run.id, run);
  const born = describe(run, (item) => item);
  run.events.add("response.created", () => ({ response: born }));
  if (run.background) run.events.add("response.queued", () => ({ response: born }));
  play(state, run).catch((cause: unknown) => {
    if (run.abort.signal.aborted) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    settle(state, run, { status: "failed", output: [], error: { code: "server_error", message } });
  });
}

/** Ends a response that is under way; one that has ended stays as it is. */
export function cancel(state: State, run: Run): void {
  settle(state, run, { status: "cancelled", output: [] });
  run.abort.abort();
}

async function play(state: State, run: Run): Promise<void> {
  if (run.background) await pause(run, state.settings.queueSeconds);
  run.status = "in_progress";
  const now = describe(run, (item) => item);
  run.events.add("response.in_progress", () => ({ response: now }));
  const least = pause(run, run.script.seconds ?? state.settings.runSeconds);
  const [end] = await Promise.all([act(state, run), least]);
  settle(state, run, end);
}

async function act(state: State, run: Run): Promise<End> {
  const { ending, codes } = run.script;
  const words = lastWords(run.input);
  if (ending.status === "failed") return { ...ending, output: [], error: failure(ending.code) };
  const thought: Reasoning = { id: newId("rs"), type: "reasoning", summary: [] };
  const output: Made[] = [thought];
  narrate.reasoning(run.events, 0, thought);
  const written = new Set<string>();
  for (const code of codes) {
    const call = await interpret(state, run, { code, index: output.length, written });
    output.push(call);
  }
  const whole = ending.status === "completed";
  const message = speak(state, run, { text: reply(words, codes.length), written, whole });
  narrate.message(run.events, output.length, message);
  output.push(message);
  const usage = count(words, output);
  if (whole) return { status: "completed", output, usage };
  return { status: "incomplete", output, usage, incomplete: { reason: ending.reason } };
}

interface Turn {
  code: string;
  index: number;
  /** Paths of the files that calls of this run have written. */
  written: Set<string>;
}

async function interpret(state: State, run: Run, { code, index, written }: Turn): Promise<Call> {
  const workspace = state.containers.use(run.container ?? "");
  const begun: Call = {
    id: newId("ci"),
    type: "code_interpreter_call",
    status: "completed",
    code,
    container_id: workspace.id,
    outputs: [],
  };
  narrate.callBegins(run.events, index, begun);
  const seconds = state.settings.executionSeconds;
  const outcome = await state.pool.run({ workspace, code, seconds, signal: run.abort.signal });
  state.containers.use(workspace.id);
  for (const [path] of outcome.changed) written.add(path);
  if (outcome.raised) run.raised.add(begun.id);
  // As the real API: what raised shows nothing, not even what it had printed before.
  const call = { ...begun, outputs: outcome.raised ? [] : outcome.outputs };
  run.done.push(call);
  narrate.callEnds(run.events, index, call);
  return call;
}

interface Speech {
  text: string;
  written: Set<string>;
  whole: boolean;
}

function speak(state: State, run: Run, { text, written, whole }: Speech): Message {
  const said = whole ? text : text.slice(0, text.length / 2);
  const part = {
    type: "output_text" as const,
    annotations: [] as Citation[],
    logprobs: [],
    text: said,
  };
  const paths = whole ? [...written] : [];
  for (const path of paths) cite(state, run, path, part);
  const status = whole ? "completed" : "incomplete";
  return { id: newId("msg"), type: "message", status, content: [part], role: "assistant" };
}

function cite(
  state: State,
  run: Run,
  path: string,
  part: { text: string; annotations: Citation[] },
) {
  const container = state.containers.use(run.container ?? "");
  const file = container.contents.get(path);
  const filename = path.slice(path.lastIndexOf("/") + 1);
  if (!file || !cited(filename)) return;
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

function settle(state: State, run: Run, end: End): void {
  if (run.endedAt !== null) return;
  run.end = end;
  run.status = end.status;
  run.endedAt = Date.now();
  // The real API has no event for a cancelled response: its stream just ends.
  if (end.status !== "cancelled") {
    run.events.add(`response.${end.status}`, (see) => ({ response: describe(run, see) }));
  }
  run.events.close();
  if (!run.request.stream) run.events.clear();
  remember(state, run);
  if (run.script.expires && run.container !== null) state.containers.expire(run.container);
  run.ended.resolve();
  announce(state, run);
}

function remember(state: State, run: Run): void {
  const conversation = state.conversations.get(run.conversation ?? "");
  const items = [...run.input, ...run.output];
  conversation?.entries.push(...items.map((item) => ({ item, run })));
}

function announce({ settings, runs, webhooks }: State, run: Run): void {
  if (!run.background || settings.webhookDrop || !runs.has(run.id)) return;
  const type = `response.${run.status}`;
  webhooks.send({ type, responseId: run.id, delay: settings.webhookDelay });
}

async function pause(run: Run, seconds: number): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal: run.abort.signal });
}

function failure(code: string): { code: string; message: string } {
  return { code, message: "The emulator's scripted model was told to fail." };
}

/** Tokens are estimated: four characters each. */
function count(words: string, output: Made[]): Usage {
  const input_tokens = Math.ceil(words.length / 4);
  const output_tokens = Math.ceil(output.map(length).reduce((sum, one) => sum + one, 0) / 4);
  return {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens,
  };
}

function length(item: Made): number {
  if (item.type === "code_interpreter_call") return item.code.length;
  return item.type === "message" ? (item.content[0]?.text.length ?? 0) : 0;
}

/** Refuses to cancel what has no background to be cancelled in. */
export function refuseForeground(run: Run): void {
  if (run.background) return;
  throw new ApiError(400, "Cannot cancel a synchronous response.");
}
