import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectionState, type ConnectionParams } from "../../../src/record/connection/state.ts";
import {
  transitionConnection,
  type ConnectionEvent,
} from "../../../src/record/connection/transition.ts";
import { DEFAULT_LIMITS } from "../../../src/record/policy.ts";
import { runs } from "../../support/property-runs.ts";
import { outputState, status } from "./arbitraries.ts";
import { TRIGGER_PARAMS } from "./scenario-runner.ts";

const START_MS = Date.parse("2026-01-01T00:00:00.000Z");
const PHASES = ["opening", "open", "ended", "told", "released"];
const CREATED = { model: "m", background: false, store: true, created_at: null };
const RESPONSE = { number: 1, offset: 0, length: 1, size: 1 };
const ERROR = { code: "server_error", message: "It failed." };
const ANSWERED = { http_status: 200, request_id: "req_1" };

const { id: _id, created: _created, connection: _connection, ...START } = TRIGGER_PARAMS;
const params = fc.constantFrom<ConnectionParams>(
  { kind: "held", start: START },
  { kind: "followed", start: START },
  { kind: "control", run: "resp_1", limits: DEFAULT_LIMITS },
);
const last = fc.option(
  fc.option(fc.nat(9)).map((sequenceNumber) => ({ label: "1 a", sequenceNumber })),
);

const event: fc.Arbitrary<ConnectionEvent> = fc.oneof(
  status.map((first): ConnectionEvent => ({
    type: "opened",
    id: "resp_1",
    created: { ...CREATED, status: first },
    ...ANSWERED,
  })),
  fc.constantFrom("refused" as const, "unreachable" as const).map((reason): ConnectionEvent => ({
    type: "not_opened",
    reason,
    ...ANSWERED,
  })),
  status.map((seen): ConnectionEvent => ({ type: "seen", status: seen })),
  outputState.map((state): ConnectionEvent => ({
    type: "seen",
    item: { key: "ci_1", call_id: null, state, place: 0, number: 1, cut_bytes: null },
  })),
  fc.constantFrom<ConnectionEvent>(
    { type: "seen", error: ERROR },
    { type: "seen", response: RESPONSE },
    { type: "resumed" },
    { type: "tell_failed" },
    { type: "release" },
    { type: "close" },
  ),
  fc
    .record({ isRefused: fc.boolean(), last })
    .map((fields): ConnectionEvent => ({ type: "resume_failed", ...fields })),
  fc
    .record({
      reason: fc.constantFrom("terminal" as const, "broken" as const, "closed" as const),
      last,
    })
    .map((fields): ConnectionEvent => ({ type: "stream_ended", ...fields })),
  fc
    .record({
      call: fc.constantFrom("hand_over" as const, "tell_status" as const, "tell_end" as const),
      outcome: fc.constantFrom("accepted" as const, "known already" as const),
    })
    .map((fields): ConnectionEvent => ({ type: "told", ...fields })),
  fc
    .record({ isAlive: fc.boolean(), last })
    .map((fields): ConnectionEvent => ({ type: "alarm", ...fields })),
);
const steps = fc.array(fc.tuple(fc.constantFrom(0, 10, 1_000, 60_000, 7_200_000), event), {
  maxLength: 30,
});

test("a Connection always has an alarm, goes forward only, and forgets no call, whatever happens", () => {
  fc.assert(fc.property(params, steps, goesForward), runs(500));
});

function goesForward(kind: ConnectionParams, given: [number, ConnectionEvent][]): void {
  let nowMs = START_MS;
  const open: ConnectionEvent = { type: "open", connection: "connection_1", params: kind };
  let { state } = transitionConnection(null, open, nowMs);
  for (const [laterMs, next] of given) {
    nowMs += laterMs;
    const outcome = transitionConnection(state, next, nowMs);
    if (outcome.state === null) return expectForgettable(state, next, nowMs);
    ConnectionState.parse(outcome.state);
    expectAlarm(outcome.state, outcome.alarm, state);
    expect(findLosses(state, outcome.state)).toEqual([]);
    state = outcome.state;
  }
}

function expectAlarm(
  { alarm_at_ms }: ConnectionState,
  alarm: number | null,
  before: ConnectionState | null,
): void {
  expect(alarm_at_ms).not.toBeNull();
  expect(alarm ?? before?.alarm_at_ms).toBe(alarm_at_ms);
}

// Only what was released is forgotten, and a run that no stream had begun.
function expectForgettable(
  before: ConnectionState | null,
  { type }: ConnectionEvent,
  nowMs: number,
): void {
  if (before?.phase === "opening") {
    expect(before.params.kind).not.toBe("control");
    return;
  }
  expect([before?.phase, type]).toEqual(["released", "alarm"]);
  expect(nowMs).toBeGreaterThanOrEqual((before?.end?.at_ms ?? Infinity) + 24 * 3_600_000);
}

function findLosses(before: ConnectionState | null, after: ConnectionState): string[] {
  if (before === null) return [];
  const losses = {
    phase: PHASES.indexOf(after.phase) < PHASES.indexOf(before.phase),
    id: before.id !== null && after.id !== before.id,
    end: before.end !== null && after.end !== before.end,
    response: before.response !== null && after.response === null,
    items: before.items.some(({ key }) => after.items.every((item) => item.key !== key)),
  };
  return Object.entries(losses).flatMap(([name, isLost]) => (isLost ? [name] : []));
}
