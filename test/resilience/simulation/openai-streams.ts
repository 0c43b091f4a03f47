// What a Connection brought, as an observation or as the result of a control.
import type { ConnectionEnd } from "../../../src/record/connection/state.ts";
import {
  BREAK_UNKNOWN,
  type Channel,
  type ControlResult,
  type ObservationResult,
  type ObservedCall,
} from "../../../src/record/schema.ts";
import type { Clock } from "./clock.ts";
import {
  createFailedObservation,
  observation,
  toFields,
  toObservedCall,
  toText,
  type Answer,
} from "./openai.ts";
import type { Scenario } from "./scenario.ts";
import type { ControlScript } from "./stream-scripts.ts";

/** What a Connection has after its end: its state, and the events that this speaks of. */
export type Left = {
  at: string;
  reason: ConnectionEnd["reason"] | undefined;
  /** The last event. */
  label: string | null | undefined;
  status: string | null;
  http_status: number | null;
  id: string | null;
  error: ObservationResult["error"];
  /** The calls that are finished, from their own events. */
  calls: ObservedCall[];
  hasResponse: boolean;
};

/** The run's calls, as its stream shows them. */
export function toRunCalls(scenario: Scenario): ObservedCall[] {
  const there = scenario.stream?.brings !== "nowhere";
  return scenario.calls.map((call) => toObservedCall(call, there, scenario));
}

/** The calls of its control. */
export function toControlCalls(scenario: Scenario, ends: ControlScript["ends"]): ObservedCall[] {
  return scenario.calls.slice(0, ends === "fewer calls" ? -1 : undefined).map((call) => ({
    ...toObservedCall({ ...call, finishes: true }, ends !== "empty", scenario),
    id: `control_${call.id}`,
    request: ends === "different code" && call.code !== null ? `${call.code} # again` : call.code,
  }));
}

/**
 * Returns what the run's Connection brought.
 * @param left What it has; null when it is gone.
 * @param hasBody Whether the record has a body: then it may refuse this one, whose outputs are stored separately.
 */
export function createConnectionObservation(
  scenario: Scenario,
  left: Left | null,
  channel: Channel,
  clock: Clock,
  hasBody: boolean,
): Answer {
  const http = left?.http_status ?? null;
  const broken = createFailedObservation(
    { kind: "", http, refused: false },
    channel,
    clock.seconds,
  );
  const result: ObservationResult = {
    ...broken.result,
    calls: left?.calls ?? [],
    error: left?.error ?? null,
    from_connection: true,
    broke_at: left?.label ?? BREAK_UNKNOWN,
  };
  if (left === null) return { result, body: null, outputs: null };
  const whole = left.hasResponse;
  const isSeparate = scenario.stream?.brings !== "in the response";
  const inResponse = scenario.calls.map((call) => toObservedCall(call, !isSeparate, scenario));
  const calls = whole ? mergeItems(inResponse, left.calls) : left.calls;
  const status = whole ? left.status : null;
  const seen = { ...observation(channel, clock.seconds, status, calls), at: left.at };
  const observed = { ...result, observation: { ...seen, http_status: http }, calls };
  if (!whole) return { result: observed, body: null, outputs: toText(calls) };
  const text = `${toText(inResponse)} by ${channel}`;
  const fields = toFields(scenario, left.status ?? "", true);
  const body = { digest: text, bytes: text.length };
  return {
    result: {
      ...observed,
      fields,
      body,
      broke_at: left.reason === "terminal" ? null : (left.label ?? null),
    },
    body: text,
    outputs: isSeparate || hasBody ? toText(calls) : null,
  };
}

// An item of its own has outputs that the response lacks.
function mergeItems(inResponse: ObservedCall[], items: ObservedCall[]): ObservedCall[] {
  return inResponse.map((call) => {
    const item = items.find(({ id }) => id === call.id);
    return call.state !== "populated" && item !== undefined ? item : call;
  });
}

/**
 * Returns the result of a control.
 * @param left What its Connection has; null when there is none.
 * @param wasOpened Whether that was known to exist.
 */
export function createControlResult(
  scenario: Scenario,
  left: Left | null,
  wasOpened: boolean,
): { result: ControlResult; outputs: string | null } {
  if (left === null) {
    const status = wasOpened ? "interrupted" : "not_run";
    const control = { id: null, status, calls: [] };
    return { result: { observation: null, control }, outputs: null };
  }
  const { reason, hasResponse } = left;
  const isRefused = reason === "refused" || reason === "unreachable";
  const whole = toControlCalls(scenario, scenario.control?.ends ?? "empty");
  const calls = hasResponse ? mergeItems(whole, left.calls) : left.calls;
  const status = hasResponse ? left.status : isRefused ? reason : "interrupted";
  const seen = observation("control", 0, hasResponse ? status : null, calls);
  const result: ControlResult = {
    observation: { ...seen, at: left.at, http_status: left.http_status },
    control: {
      id: left.id,
      status,
      calls: calls.map((call) => ({
        ...call,
        verdict: null,
        source: call.state === "populated" ? ("control" as const) : null,
        hint: null,
      })),
    },
  };
  return { result, outputs: calls.length > 0 ? toText(calls) : null };
}
