// What an hour of a silent connection takes. docs/operations.md has its price.
import { expect, test } from "vitest";
import type { ConnectionParams, ConnectionState } from "../../../../src/record/connection/state.ts";
import {
  nextCall,
  transitionConnection,
  type ConnectionEvent,
} from "../../../../src/record/connection/transition.ts";
import { DEFAULT_LIMITS } from "../../../../src/record/policy.ts";

const START_MS = Date.parse("2026-11-26T12:00:00Z");
const HOUR_MS = 60 * 60 * 1000;

const PARAMS: ConnectionParams = {
  kind: "held",
  start: {
    at: new Date(START_MS).toISOString(),
    started_by: "trigger",
    policy: {
      deadline_seconds: 120,
      delays_seconds: [5],
      record_external: true,
      retention_seconds: 86_400,
      limits: DEFAULT_LIMITS,
    },
    options: null,
    request: null,
    webhook: null,
    control: null,
  },
};

const CREATED = {
  status: "in_progress",
  model: "gpt-5.2",
  background: false,
  store: true,
  created_at: null,
};

const OPENING: ConnectionEvent[] = [
  { type: "open", connection: "c", params: PARAMS },
  { type: "opened", id: "resp_1", created: CREATED, http_status: 200, request_id: null },
  { type: "told", call: "hand_over", outcome: "accepted" },
];

test("an hour of a silent held connection takes 144 alarms, no call to the Recorder, and no row but its alarms", () => {
  let state: ConnectionState | null = null;
  for (const event of OPENING) ({ state } = transitionConnection(state, event, START_MS));
  const opened = state;
  const alarms: number[] = [];
  let now = state?.alarm_at_ms ?? Number.NaN;
  while (now <= START_MS + HOUR_MS) {
    const outcome = transitionConnection(state, { type: "alarm", isAlive: true, last: null }, now);
    alarms.push(now);
    ({ state } = outcome);
    // The alarm's time is remembered only in memory.
    expect(state).toEqual({ ...opened, alarm_at_ms: outcome.alarm });
    expect(state === null ? null : nextCall(state, now)).toBeNull();
    now = outcome.alarm ?? Number.NaN;
  }
  expect(alarms).toHaveLength(144);
});
