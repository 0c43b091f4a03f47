// What OpenAI answers to an observation, by its script.
import { toCodeCall } from "../../support/code-call.ts";
import type { ResultState } from "../../../src/record/calls/item-kinds.ts";
import {
  NO_RESULT,
  type Channel,
  type ResponseFields,
  type ObservationResult,
  type ObservedCall,
} from "../../../src/record/schema.ts";
import { toOptions } from "./calls.ts";
import { toTime } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Call, Scenario } from "./scenario.ts";

/** An answer of the script's. */
export type Answer = {
  result: ObservationResult;
  body: string | null;
  outputs: string | null;
};

/** Seconds after its end at which OpenAI deletes a response with `store: false`. */
const UNSTORED_SECONDS = 600;

const FAULTS: readonly [Fault, ...Fault[]] = [
  { kind: "429", http: 429, refused: false },
  { kind: "429 with Retry-After", http: 429, refused: false, retryAfter: 7 },
  { kind: "429 with a long Retry-After", http: 429, refused: false, retryAfter: 9_000 },
  { kind: "429 for money", http: 429, refused: true },
  { kind: "500", http: 500, refused: false },
  { kind: "503", http: 503, refused: false },
  { kind: "time-out", http: null, refused: false, seconds: 90 },
  { kind: "broken body", http: 200, refused: false },
  { kind: "HTML", http: null, refused: false },
];

/** A fault, with the name it is counted by. */
export type Fault = {
  kind: string;
  http: number | null;
  refused: boolean;
  retryAfter?: number;
  seconds?: number;
};

/**
 * Draws what goes wrong with an observation; null if nothing does.
 * @param wasSeen Whether the Recorder has seen the response's end.
 */
export function drawFault(
  scenario: Scenario,
  channel: Channel,
  seconds: number,
  wasSeen: boolean,
  random: Random,
): Fault | null {
  if (scenario.unknown) return { kind: "404 for an unknown id", http: 404, refused: false };
  const { revoked, end, store } = scenario;
  if (revoked !== null && seconds >= revoked.from && seconds < revoked.to)
    return { kind: "401", http: 401, refused: true };
  if (wasSeen && scenario.goneAfterSeen && channel === "refetch")
    return { kind: "404 after the first GET", http: 404, refused: false };
  if (scenario.vanishes !== null && seconds >= scenario.vanishes)
    return { kind: "404 of what vanished", http: 404, refused: false };
  if (scenario.knownFrom > seconds) return { kind: "404 at first", http: 404, refused: false };
  if (random.chance(scenario.rates.observation)) return random.pick(FAULTS);
  if (scenario.stream?.denied === true)
    return { kind: "404 for a run in the foreground", http: 404, refused: false };
  if (!store && end !== null && seconds >= end + UNSTORED_SECONDS)
    return { kind: "404 after ten minutes", http: 404, refused: false };
  return null;
}

function isAnswer({ refused, http }: Fault): boolean {
  return refused || http === 404;
}

/** Returns an observation that failed. */
export function createFailedObservation(fault: Fault, channel: Channel, seconds: number): Answer {
  const result: ObservationResult = {
    observation: {
      at: toTime(seconds),
      channel,
      // A truncated body of another channel is an exception without a status.
      http_status: channel === "refetch" || isAnswer(fault) ? fault.http : null,
      status: null,
      request_id: null,
      calls: [],
    },
    ...NO_RESULT,
    error: { code: fault.kind, message: fault.kind },
    refused: fault.refused,
    retry_after_seconds: fault.retryAfter ?? null,
  };
  return { result, body: null, outputs: null };
}

/**
 * Returns a refetch that was answered.
 * @param turnedBack Whether the response says once more that it still runs.
 * @param hasBody Whether the record has a body: then it may refuse this one, whose outputs are stored separately.
 */
export function createRefetch(
  scenario: Scenario,
  seconds: number,
  turnedBack: boolean,
  hasBody: boolean,
): Answer {
  const { end } = scenario;
  const over = end !== null && seconds >= end && !turnedBack;
  const running = seconds > scenario.began + 1 ? "in_progress" : "queued";
  const there = over && scenario.outputsAfter !== null && seconds >= end + scenario.outputsAfter;
  const calls = over ? toEndedCalls(scenario, there, seconds) : toRunningCalls(scenario);
  const text = toText(calls);
  const fields = toFields(scenario, over ? scenario.status : running, over);
  const result: ObservationResult = {
    ...createFailedObservation({ kind: "", http: 200, refused: false }, "refetch", seconds).result,
    observation: observation("refetch", seconds, fields.status, calls),
    fields: { ...fields, lacks_items: over && lacksItems(scenario, seconds) },
    calls,
    body: { digest: text, bytes: text.length },
    error: null,
  };
  return {
    result,
    body: text,
    outputs: hasBody ? toText(calls) : null,
  };
}

/** Whether OpenAI's storage still lags behind the end of a response that it completed. */
export function isLagging({ status, end, itemsAfter }: Scenario, seconds: number): boolean {
  return status === "completed" && end !== null && seconds < end + itemsAfter;
}

/** Whether a fetch shows no items of a response that has some. A response without calls has a message. */
function lacksItems(scenario: Scenario, seconds: number): boolean {
  return isLagging(scenario, seconds) && scenario.lacking === "items";
}

function toEndedCalls(scenario: Scenario, there: boolean, seconds: number): ObservedCall[] {
  const { calls, emptied, lacking } = scenario;
  if (emptied || lacksItems(scenario, seconds)) return [];
  const whole = calls.map((call) => toObservedCall(call, there, scenario));
  if (!isLagging(scenario, seconds)) return whole;
  return lacking === "a call" ? whole.slice(0, -1) : whole.map(toRunningCall);
}

function toRunningCalls(scenario: Scenario): ObservedCall[] {
  if (!scenario.showsRunning) return [];
  return scenario.calls.map((call) => toRunningCall(toObservedCall(call, false, scenario)));
}

// Its code may not have been written yet.
function toRunningCall(call: ObservedCall): ObservedCall {
  return { ...call, status: "interpreting", request: null, state: "null" };
}

/**
 * Returns an observation by the stream or the conversation.
 * @param channel `stream` or `conversation`.
 */
export function createChannelObservation(
  scenario: Scenario,
  channel: Channel,
  seconds: number,
): Answer {
  const there = channel === "stream" ? scenario.streamHas : scenario.conversationHas;
  const calls = scenario.calls.map((call) => toObservedCall(call, there, scenario));
  const result: ObservationResult = {
    ...createFailedObservation({ kind: "", http: 200, refused: false }, channel, seconds).result,
    observation: observation(
      channel,
      seconds,
      channel === "stream" ? scenario.status : null,
      calls,
    ),
    calls,
    error: null,
  };
  return { result, body: null, outputs: toText(calls) };
}

/** A call as an answer shows it. */
export function toObservedCall(
  call: Call,
  there: boolean,
  { emptyAs, containers }: Scenario,
): ObservedCall {
  const { id, code, finishes, printed } = call;
  const state: ResultState = there && printed && finishes ? "populated" : emptyAs;
  const container_id = containers > 0 ? "cntr_0" : null;
  return toCodeCall({
    id,
    status: finishes ? "completed" : "incomplete",
    container_id,
    code,
    state,
  });
}

/** The text that stands for the outputs of a call. */
export function toOutputText(id: string, code: string | null): string {
  return `[${code ?? ""} of ${id}]`;
}

/** Bodies and outputs are texts: what a call printed stands in them, or not. */
export function toText(calls: ObservedCall[]): string {
  return calls
    .map(({ id, request, state }) =>
      state === "populated" ? toOutputText(id, request) : `[${id}]`,
    )
    .join("");
}

/** An answer in the list of observations. */
export function observation(
  channel: Channel,
  seconds: number,
  status: string | null,
  calls: ObservedCall[],
): ObservationResult["observation"] {
  const seen = calls.map((call) => ({ id: call.id, outputs: call.state }));
  return { at: toTime(seconds), channel, http_status: 200, status, request_id: null, calls: seen };
}

/** What a response object says. */
export function toFields(scenario: Scenario, status: string, over: boolean): ResponseFields {
  const { hidesOptions, ours } = scenario;
  const ended = over && scenario.end !== null && scenario.status !== "failed";
  return {
    status,
    model: "m",
    background: scenario.stream?.kind !== "held",
    store: scenario.store,
    created_at: toTime(scenario.began),
    completed_at: ended ? toTime(scenario.end ?? 0) : null,
    options: ours && !hidesOptions ? toOptions(scenario) : null,
    metadata: {},
    error: status === "failed" ? { code: "server_error", message: "It failed." } : null,
    conversation: scenario.conversation ? "conv_1" : null,
    containers: over ? toContainers(scenario) : [],
    cited_files: [],
    tools: null,
    cites: { files: false, urls: false },
    usage: null,
    lacks_items: false,
  };
}

function toContainers({ containers }: Scenario): string[] {
  return Array.from({ length: containers }, (_, index) => `cntr_${index}`);
}
