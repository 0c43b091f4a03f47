// What OpenAI answers to an observation, by its script.
import {
  BREAK_UNKNOWN,
  type Channel,
  type ControlResult,
  type ResponseFields,
  type ObservationResult,
  type OutputState,
  type ObservedCall,
} from "../../../src/record/schema.ts";
import { toTime } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Call, ControlScript, Scenario } from "./scenario.ts";

/** What a connection left. `brokeAt` is null when it brought the end of the run. */
export type ConnectionResult = { at: number; brokeAt: string | null; calls: Call[] };

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
  if (scenario.unknown) return { kind: "404 for an unknown id", http: 404, refused: true };
  const { revoked, end, store } = scenario;
  if (revoked !== null && seconds >= revoked.from && seconds < revoked.to)
    return { kind: "401", http: 401, refused: true };
  if (wasSeen && scenario.goneAfterSeen && channel === "refetch")
    return { kind: "404 after the first GET", http: 404, refused: true };
  if (scenario.knownFrom > seconds) return { kind: "404 at first", http: 404, refused: true };
  if (random.chance(scenario.rates.observation)) return random.pick(FAULTS);
  if (scenario.held?.denied === true)
    return { kind: "404 for a run in the foreground", http: 404, refused: true };
  if (!store && end !== null && seconds >= end + UNSTORED_SECONDS)
    return { kind: "404 after ten minutes", http: 404, refused: true };
  return null;
}

/** Returns an observation that failed. */
export function createFailedObservation(fault: Fault, channel: Channel, seconds: number): Answer {
  const result: ObservationResult = {
    observation: {
      at: toTime(seconds),
      channel,
      // A truncated body of another channel is an exception without a status.
      http_status: channel === "refetch" || fault.refused ? fault.http : null,
      status: null,
      request_id: null,
      calls: [],
    },
    fields: null,
    calls: null,
    body: null,
    error: { code: fault.kind, message: fault.kind },
    refused: fault.refused,
    retry_after_seconds: fault.retryAfter ?? null,
    broke_at: null,
  };
  return { result, body: null, outputs: null };
}

/**
 * Returns a refetch that was answered.
 * @param turnedBack Whether the response says once more that it still runs.
 * @param knowsOutputs Whether an earlier observation had outputs: then this one's are stored separately.
 */
export function createRefetch(
  scenario: Scenario,
  seconds: number,
  turnedBack: boolean,
  knowsOutputs: boolean,
): Answer {
  const { end } = scenario;
  const over = end !== null && seconds >= end && !turnedBack;
  const running = seconds > scenario.began + 1 ? "in_progress" : "queued";
  const there = over && scenario.outputsAfter !== null && seconds >= end + scenario.outputsAfter;
  const shows = over && !scenario.emptied;
  const calls = shows ? scenario.calls.map((call) => toObservedCall(call, there, scenario)) : [];
  const text = toText(calls);
  const fields = toFields(scenario, over ? scenario.status : running, over);
  const result: ObservationResult = {
    ...createFailedObservation({ kind: "", http: 200, refused: false }, "refetch", seconds).result,
    observation: observation("refetch", seconds, fields.status, calls),
    fields,
    calls,
    body: { digest: text, bytes: text.length },
    error: null,
  };
  return {
    result,
    body: text,
    outputs: knowsOutputs ? toText(calls) : null,
  };
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

/**
 * Returns the observation of a held connection.
 * @param left What its Holder left, or null when there is nothing.
 */
export function createHeldObservation(
  scenario: Scenario,
  left: ConnectionResult | null,
  seconds: number,
): Answer {
  const at = left?.at ?? seconds;
  const there = scenario.held?.brings !== "nowhere";
  const calls = (left?.calls ?? []).map((call) => toObservedCall(call, there, scenario));
  const broke = left === null ? BREAK_UNKNOWN : left.brokeAt;
  const found = {
    kind: "",
    http: left === null || broke === BREAK_UNKNOWN ? null : 200,
    refused: false,
  };
  const status = broke === null ? scenario.status : null;
  const result: ObservationResult = {
    ...createFailedObservation(found, "held", at).result,
    observation: { ...observation("held", at, status, calls), http_status: found.http },
    calls,
    error: null,
    broke_at: broke,
  };
  if (broke !== null) return { result, body: null, outputs: toText(calls) };
  const separate = scenario.held?.brings === "with their calls";
  const shown = separate ? calls.map((call) => ({ ...call, state: scenario.emptyAs })) : calls;
  const text = toText(shown) + " held";
  const fields = toFields(scenario, scenario.status, true);
  return {
    result: { ...result, fields, body: { digest: text, bytes: text.length } },
    body: text,
    outputs: separate ? toText(calls) : null,
  };
}

/**
 * Returns the result of a control.
 * @param ends How it ended.
 * @param seconds When.
 */
export function createControlResult(
  scenario: Scenario,
  ends: ControlScript["ends"] | undefined,
  seconds: number,
): { result: ControlResult; outputs: string | null } {
  if (ends === "refused" || ends === "unreachable") {
    const seen = observation("control", seconds, null, []);
    const result: ControlResult = {
      observation: { ...seen, http_status: ends === "refused" ? 400 : null },
      control: { id: null, status: ends, calls: [] },
    };
    return { result, outputs: null };
  }
  const calls = scenario.calls.slice(0, ends === "fewer calls" ? -1 : undefined).map((call) => ({
    ...toObservedCall(call, ends !== "empty", scenario),
    id: `control_${call.id}`,
    code: ends === "different code" && call.code !== null ? `${call.code} # again` : call.code,
  }));
  const known = calls.map((call) => ({
    ...call,
    verdict: null,
    source: call.state === "populated" ? ("control" as const) : null,
  }));
  const result: ControlResult = {
    observation: observation("control", seconds, "completed", calls),
    control: { id: "resp_control", status: "completed", calls: known },
  };
  return { result, outputs: calls.length > 0 ? toText(calls) : null };
}

function toObservedCall(
  call: Call,
  there: boolean,
  { emptyAs, containers }: Scenario,
): ObservedCall {
  const state: OutputState = there && call.printed ? "populated" : emptyAs;
  return { id: call.id, container_id: containers > 0 ? "cntr_0" : null, code: call.code, state };
}

/** The text that stands for the outputs of a call. */
export function toOutputText(id: string, code: string | null): string {
  return `[${code ?? ""} of ${id}]`;
}

// Bodies and outputs are texts: what a call printed stands in them, or not.
function toText(calls: ObservedCall[]): string {
  return calls
    .map(({ id, code, state }) => (state === "populated" ? toOutputText(id, code) : `[${id}]`))
    .join("");
}

function observation(
  channel: Channel,
  seconds: number,
  status: string | null,
  calls: ObservedCall[],
): ObservationResult["observation"] {
  const seen = calls.map((call) => ({ id: call.id, outputs: call.state }));
  return { at: toTime(seconds), channel, http_status: 200, status, request_id: null, calls: seen };
}

function toFields(scenario: Scenario, status: string, over: boolean): ResponseFields {
  const { control, replay, held } = scenario;
  const ended = over && scenario.end !== null && scenario.status !== "failed";
  return {
    status,
    model: "m",
    background: scenario.held === null,
    store: scenario.store,
    created_at: toTime(scenario.began),
    completed_at: ended ? toTime(scenario.end ?? 0) : null,
    options:
      scenario.ours && !scenario.hidesOptions
        ? {
            include: [],
            replay,
            control: control !== null,
            hold: held !== null,
            retention_days: scenario.retentionDays,
          }
        : null,
    metadata: {},
    error: status === "failed" ? { code: "server_error", message: "It failed." } : null,
    conversation: scenario.conversation ? "conv_1" : null,
    containers: over ? toContainers(scenario) : [],
    cited_files: [],
  };
}

function toContainers({ containers }: Scenario): string[] {
  return Array.from({ length: containers }, (_, index) => `cntr_${index}`);
}
