// What a Recorder reads of a Connection.
import { isReading, type ConnectionState } from "../../../src/record/connection/state.ts";
import type { Effect } from "../../../src/record/events.ts";
import type { ObservedCall } from "../../../src/record/schema.ts";
import { toSeconds, toTime } from "./clock.ts";
import { brokenAt, controlTruth, isWhole, shownCalls } from "./connection-truth.ts";
import type { Report } from "./effect-report.ts";
import type { Answer } from "./openai.ts";
import { createConnectionObservation, createControlResult, type Left } from "./openai-streams.ts";
import type { SimulatedConnection } from "./simulated-connection.ts";
import type { SimulationState } from "./simulation-state.ts";
import { attempt } from "./storage-refused.ts";
import type { Shown } from "./truth.ts";

type Observe = Extract<Effect, { type: "observe" }>;

/** Reads a Connection, and ends it before where its time is over. */
export function readConnection(run: SimulationState, effect: Observe): Report {
  const { turn } = effect;
  const failed: Report = { event: { type: "failed", turn, reason: "refused" } };
  const connection = run.connections.find(effect.connection ?? "");
  if (connection === undefined) throw new Error("It was never planned.");
  const reach = run.connections.reach();
  if (reach === "lost") return failed;
  const isEnded = attempt(() => endWhenDue(run, connection, effect));
  if (!isEnded || reach === "answer lost") return failed;
  const state = connection.object.report();
  if (effect.channel === "control") return readControl(run, connection, effect, state);
  return readRun(run, connection, effect, state);
}

// A Connection that the Recorder asks after its response's end closes; a control does so when its time is over.
function endWhenDue(run: SimulationState, { object }: SimulatedConnection, effect: Observe): void {
  const state = object.report();
  if (state === null || !isReading(state)) return;
  if (effect.channel === "control" && !isOverdue(run, effect)) return;
  object.call({ type: "close" });
}

function isOverdue({ clock, last }: SimulationState, { record }: Observe): boolean {
  const limit = last?.policy.limits.control_timeout_seconds ?? 0;
  return clock.seconds >= toSeconds(record.started_at) + limit;
}

function readRun(
  run: SimulationState,
  connection: SimulatedConnection,
  { turn, channel, record }: Observe,
  state: ConnectionState | null,
): Report {
  if (state !== null && isReading(state)) {
    return { event: { type: "failed", turn, reason: "still open" } };
  }
  const left = toLeft(connection, state);
  const hasBody = record.body !== null;
  const answer = createConnectionObservation(run.scenario, left, channel, run.clock, hasBody);
  run.log(`read by ${channel}: ${JSON.stringify(answer.result.observation)}`);
  const shown = toShown(run, connection, answer);
  // The effect of a run that was deleted finds nothing any more.
  if (run.object.state?.running?.turn === turn) compare(run, shown, answer);
  const { result, body, outputs } = answer;
  return {
    event: { type: "observed", turn, result, hasOutputs: outputs !== null },
    payload: outputs === null ? { body } : { body, outputs },
    shown,
    reads: connection,
  };
}

function readControl(
  run: SimulationState,
  connection: SimulatedConnection,
  { turn, record }: Observe,
  state: ConnectionState | null,
): Report {
  if (state !== null && isReading(state)) {
    return { event: { type: "control_observed", turn, result: null, hasOutputs: false } };
  }
  const left = toLeft(connection, state);
  const { scenario } = run;
  const { result, outputs } = createControlResult(scenario, left, record.control_opened);
  run.log(`read the control: ${JSON.stringify(result)}`);
  // What a control brought that was never opened can still come.
  const control = controlTruth(run);
  const event = { type: "control_observed", turn, result, hasOutputs: outputs !== null } as const;
  return { event, payload: { outputs: outputs ?? "" }, control, reads: connection };
}

// State and events come out of storage; what the state says of an event must be there.
function toLeft({ object }: SimulatedConnection, state: ConnectionState | null): Left | null {
  if (state === null) return null;
  const { events } = object.storage;
  const calls = state.items.flatMap(({ number, key }): ObservedCall[] => {
    const call = events[number - 1]?.call ?? null;
    return call !== null && call.id === key ? [call] : [];
  });
  const { response, end, status, http_status, id, error } = state;
  const hasResponse = response !== null && events[response.number - 1]?.isLast === true;
  const at = toTime((end?.at_ms ?? 0) / 1000 - toSecondsSince1970());
  return {
    at,
    reason: end?.reason,
    label: end?.last_event,
    status,
    http_status,
    id,
    error,
    calls,
    hasResponse,
  };
}

function toSecondsSince1970(): number {
  return Date.parse(toTime(0)) / 1000;
}

function toShown(run: SimulationState, connection: SimulatedConnection, answer: Answer): Shown {
  const { truth } = connection;
  const { at, channel } = answer.result.observation;
  const whole = isWhole(truth);
  const status = whole ? (truth.stored.at(-1)?.status ?? null) : null;
  const plain = { at, channel, status, whole, tooLarge: false, fromConnection: true };
  return {
    ...plain,
    lacksItems: false,
    http: 200,
    ...shownCalls(truth, run),
    brokeAt: brokenAt(truth),
  };
}

function compare(run: SimulationState, shown: Shown, { result }: Answer): void {
  const calls = (result.calls ?? []).map(({ id }) => id);
  const had = (result.calls ?? []).flatMap(({ id, state }) => (state === "populated" ? [id] : []));
  const differences = [
    result.broke_at !== shown.brokeAt && `it broke at ${result.broke_at}, not ${shown.brokeAt}`,
    result.observation.status !== shown.status && `status ${result.observation.status}`,
    calls.join() !== [...shown.calls].join() && `calls ${calls.join()}`,
    had.join() !== [...shown.had].join() && `outputs of ${had.join()}`,
  ];
  for (const why of differences) {
    if (why !== false) run.fail("an event that was stored is kept until it is read", why);
  }
}
