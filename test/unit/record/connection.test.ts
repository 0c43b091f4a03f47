import { describe, expect, test } from "vitest";
import { ConnectionState, type ConnectionParams } from "../../../src/record/connection/state.ts";
import {
  mustResume,
  nextCall,
  runOf,
  transitionConnection,
  type ConnectionEvent,
  type LastEvent,
} from "../../../src/record/connection/transition.ts";
import { DEFAULT_LIMITS } from "../../../src/record/policy.ts";
import { TRIGGER_PARAMS } from "./scenario-runner.ts";

const START_MS = Date.parse("2026-01-01T00:00:00.000Z");
const CREATED = { model: "m", background: false, store: true, created_at: null };
const { id: _id, created: _created, connection: _connection, ...START } = TRIGGER_PARAMS;
const PARAMS: Record<ConnectionParams["kind"], ConnectionParams> = {
  held: { kind: "held", start: START },
  followed: { kind: "followed", start: START },
  control: { kind: "control", run: "resp_1", limits: DEFAULT_LIMITS },
};
const OPENED: ConnectionEvent = {
  type: "opened",
  id: "resp_1",
  created: { ...CREATED, status: "queued" },
  http_status: 200,
  request_id: "req_1",
};
const FIRST: LastEvent = { label: "1 response.created", sequenceNumber: 0 };
const UNNUMBERED: LastEvent = { label: "1 response.created", sequenceNumber: null };
const HANDED_OVER: ConnectionEvent = { type: "told", call: "hand_over", outcome: "accepted" };
const ENDED: ConnectionEvent = { type: "stream_ended", reason: "terminal", last: FIRST };
const BROKEN: ConnectionEvent = { type: "stream_ended", reason: "broken", last: FIRST };
const ACCEPTED: ConnectionEvent = { type: "told", call: "tell_end", outcome: "accepted" };
const LOST: ConnectionEvent = { type: "alarm", isAlive: false, last: FIRST };

/** One event, and the seconds after the opening at which it comes. */
type Step = [seconds: number, event: ConnectionEvent];

/** The outcome of the last of several events after an opening. */
function play(kind: ConnectionParams["kind"], ...steps: Step[]) {
  const open: ConnectionEvent = { type: "open", connection: "connection_1", params: PARAMS[kind] };
  let outcome = transitionConnection(null, open, START_MS);
  for (const [seconds, event] of steps) {
    outcome = transitionConnection(outcome.state, event, START_MS + seconds * 1000);
  }
  return outcome;
}

/** The state after some events. */
function stateAfter(kind: ConnectionParams["kind"], ...steps: Step[]): ConnectionState {
  const { state } = play(kind, ...steps);
  if (state === null) throw new Error("The Connection is gone.");
  return state;
}

function callAfter(seconds: number, state: ConnectionState) {
  return nextCall(state, START_MS + seconds * 1000);
}

function at(seconds: number): number {
  return START_MS + seconds * 1000;
}

const OPEN: Step[] = [
  [1, OPENED],
  [2, HANDED_OVER],
];

describe("while it opens", () => {
  test("it sets an alarm of 25 s before the request is sent, and its state can be read back", () => {
    const { state, alarm } = play("held");
    expect(state?.phase).toBe("opening");
    expect(alarm).toBe(at(25));
    expect(ConnectionState.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  test("a run is handed over when its id is known, a control is announced before", () => {
    expect(callAfter(0, stateAfter("held"))).toBeNull();
    expect(callAfter(1, stateAfter("followed", [1, OPENED]))).toMatchObject({
      type: "hand_over",
      params: { id: "resp_1", connection: { id: "connection_1", kind: "followed" } },
    });
    expect(callAfter(0, stateAfter("control"))).toEqual({
      type: "announce_control",
      run: "resp_1",
    });
  });

  test("a refusal leaves nothing of a run, and ends a control", () => {
    const refused: ConnectionEvent = {
      type: "not_opened",
      reason: "refused",
      http_status: 400,
      request_id: null,
    };
    expect(play("held", [1, refused])).toEqual({ state: null, alarm: null, disconnect: true });
    const control = stateAfter("control", [1, refused]);
    expect(control).toMatchObject({ phase: "ended", http_status: 400, end: { reason: "refused" } });
    expect(callAfter(1, control)).toEqual({ type: "tell_control_end", run: "resp_1" });
  });

  test("a control that is closed was closed, although its request fails with that", () => {
    const closed = play("control", [1, { type: "close" }]);
    expect(closed).toMatchObject({ state: { end: { reason: "closed" } }, disconnect: true });
    const failed: ConnectionEvent = {
      type: "not_opened",
      reason: "unreachable",
      http_status: null,
      request_id: null,
    };
    const steps: Step[] = [
      [1, { type: "close" }],
      [1, failed],
    ];
    expect(stateAfter("control", ...steps).end?.reason).toBe("closed");
  });

  test("a Connection that died is forgotten, a control that died has ended", () => {
    const died: Step = [25, { ...LOST, last: null }];
    expect(play("followed", died).state).toBeNull();
    expect(stateAfter("control", died).end).toEqual({
      at_ms: at(25),
      reason: "lost",
      last_event: null,
    });
  });

  test("an alarm that finds it alive only sets the next one", () => {
    const { state, alarm } = play("held", [25, { type: "alarm", isAlive: true, last: null }]);
    expect(state?.phase).toBe("opening");
    expect(alarm).toBe(at(50));
  });
});

describe("while it reads", () => {
  test("a hand-over that failed is tried again after 1, 2, 4 … 300 s", () => {
    let state = stateAfter("held", [1, OPENED]);
    const waits = Array.from({ length: 11 }, () => {
      state = transitionConnection(state, { type: "tell_failed" }, at(10)).state ?? state;
      return (state.not_before_ms - at(10)) / 1000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(callAfter(309, state)).toBeNull();
    expect(callAfter(310, state)?.type).toBe("hand_over");
  });

  test("the alarm comes every 25 s, and earlier for a call that is to be repeated", () => {
    const failed = play("held", [1, OPENED], [3, { type: "tell_failed" }]);
    expect(failed.alarm).toBe(at(4));
    const beat = play("held", ...OPEN, [25, { type: "alarm", isAlive: true, last: FIRST }]);
    expect(beat.alarm).toBe(at(50));
  });

  test("a new status is told once, an end is not told as a status", () => {
    const running = stateAfter("followed", ...OPEN, [3, { type: "seen", status: "in_progress" }]);
    expect(callAfter(3, running)).toEqual({
      type: "tell_status",
      id: "resp_1",
      status: "in_progress",
    });
    const told: Step = [4, { type: "told", call: "tell_status", outcome: "accepted" }];
    const status: Step = [3, { type: "seen", status: "in_progress" }];
    expect(callAfter(4, stateAfter("followed", ...OPEN, status, told))).toBeNull();
    const over = stateAfter("followed", ...OPEN, [5, { type: "seen", status: "completed" }]);
    expect(callAfter(5, over)).toBeNull();
  });

  test("a held stream that breaks has ended, a followed one is taken up again", () => {
    expect(stateAfter("held", ...OPEN, [9, BROKEN]).end).toMatchObject({ reason: "broken" });
    const broken = stateAfter("followed", ...OPEN, [9, BROKEN]);
    expect(broken).toMatchObject({ phase: "open", end: null, resume_at_ms: at(10) });
    expect(mustResume(broken, false, at(9.9))).toBe(false);
    expect(mustResume(broken, true, at(10))).toBe(false);
    expect(mustResume(broken, false, at(10))).toBe(true);
  });

  test("a followed stream ends where OpenAI numbers no events, refuses it, or said an error", () => {
    const unnumbered: ConnectionEvent = { ...ENDED, reason: "broken", last: UNNUMBERED };
    expect(stateAfter("followed", ...OPEN, [9, unnumbered]).end?.reason).toBe("broken");
    const refused: ConnectionEvent = { type: "resume_failed", isRefused: true, last: FIRST };
    expect(stateAfter("followed", ...OPEN, [9, BROKEN], [10, refused]).phase).toBe("ended");
    const error = { code: "server_error", message: "It failed." };
    const failed = stateAfter("followed", ...OPEN, [8, { type: "seen", error }], [9, BROKEN]);
    expect(failed).toMatchObject({ phase: "ended", error });
  });

  test("a new event after a stream was taken up again starts the count of attempts over", () => {
    const failed: ConnectionEvent = { type: "resume_failed", isRefused: false, last: FIRST };
    const steps: Step[] = [...OPEN, [9, BROKEN], [10, LOST], [10, failed], [12, LOST]];
    expect(stateAfter("followed", ...steps)).toMatchObject({ resumes: 2, resume_at_ms: at(12) });
    expect(stateAfter("followed", ...steps, [12, { type: "resumed" }]).resumes).toBe(0);
  });

  test("a stream of which the object dies each time that it is taken up is lost after 8 times", () => {
    const deaths = Array.from({ length: 9 }, (_, index): Step => [25 * (index + 1), LOST]);
    const before = stateAfter("followed", ...OPEN, ...deaths.slice(0, 8));
    expect(mustResume(before, false, at(200))).toBe(true);
    const after = stateAfter("followed", ...OPEN, ...deaths);
    expect(after.end).toMatchObject({ reason: "lost", at_ms: at(225) });
  });

  test("a broken stream is taken up again 8 times in a row, in about three minutes", () => {
    let state = stateAfter("followed", ...OPEN, [9, BROKEN]);
    const waits: number[] = [];
    for (let nowMs = at(9); state.phase === "open" && waits.length < 20;) {
      const resumeMs = state.resume_at_ms ?? nowMs;
      waits.push((resumeMs - nowMs) / 1000);
      nowMs = resumeMs;
      state = transitionConnection(state, LOST, nowMs).state ?? state;
      expect(mustResume(state, false, nowMs)).toBe(true);
      const failed: ConnectionEvent = { type: "resume_failed", isRefused: false, last: FIRST };
      state = transitionConnection(state, failed, nowMs).state ?? state;
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(state.end?.reason).toBe("broken");
  });

  test("a stream whose object died is lost when it was held, and taken up again when it was followed", () => {
    const held = stateAfter("held", ...OPEN, [25, LOST]);
    expect(held.end).toEqual({ at_ms: at(25), reason: "lost", last_event: FIRST.label });
    const followed = stateAfter("followed", ...OPEN, [25, LOST]);
    expect(mustResume(followed, false, at(25))).toBe(true);
  });

  test.each(["held", "followed", "control"] as const)(
    "a %s stream whose whole response is stored ended with it, although its object died then",
    (kind) => {
      const response = { number: 2, offset: 0, length: 1, size: 1 };
      const seen: ConnectionEvent = { type: "seen", status: "completed", response };
      for (const event of [LOST, BROKEN]) {
        const state = stateAfter(kind, ...OPEN, [9, seen], [25, event]);
        expect(state).toMatchObject({ phase: "ended", end: { reason: "terminal" } });
      }
    },
  );

  test("it lets go of its connection when it is closed, and after 23.5 hours", () => {
    expect(play("held", ...OPEN, [9, { type: "close" }])).toMatchObject({
      state: { phase: "open" },
      disconnect: true,
    });
    const beat: ConnectionEvent = { type: "alarm", isAlive: true, last: FIRST };
    expect(play("held", ...OPEN, [23.5 * 3_600 - 1, beat]).disconnect).toBe(false);
    expect(play("held", ...OPEN, [23.5 * 3_600, beat]).disconnect).toBe(true);
  });

  test("an item that is finished stands once in the state, as it was shown last", () => {
    const common = { key: "ci_1", call_id: null, place: 0, cut_bytes: null };
    const item = { ...common, state: "empty" as const, number: 3 };
    const again = { ...common, state: "populated" as const, number: 5 };
    const state = stateAfter(
      "held",
      ...OPEN,
      [3, { type: "seen", item }],
      [4, { type: "seen", item: again }],
    );
    expect(state.items).toEqual([again]);
  });
});

describe("after the end", () => {
  test("the end is told at once, although the hand-over had to wait", () => {
    const failed: Step = [2, { type: "tell_failed" }];
    const state = stateAfter("held", [1, OPENED], failed, failed, failed, [3, ENDED]);
    expect(callAfter(3, state)).toMatchObject({ type: "tell_end", params: { id: "resp_1" } });
  });

  test("the report of the end hands a run over that could not be handed over before", () => {
    for (const outcome of ["accepted", "known already"] as const) {
      const told: ConnectionEvent = { type: "told", call: "tell_end", outcome };
      const state = stateAfter("held", [1, OPENED], [2, { type: "tell_failed" }], [3, ENDED]);
      expect(state.handed_over).toBe(false);
      expect(transitionConnection(state, told, at(4)).state?.handed_over).toBe(true);
    }
  });

  test("an end that was accepted is told again every hour, until it is released", () => {
    const told = play("held", ...OPEN, [9, ENDED], [10, ACCEPTED]);
    expect(told).toMatchObject({ state: { phase: "told" }, alarm: at(3_610) });
    const state = stateAfter("held", ...OPEN, [9, ENDED], [10, ACCEPTED]);
    expect(callAfter(3_609, state)).toBeNull();
    expect(callAfter(3_610, state)?.type).toBe("tell_end");
  });

  test("it is released by the Recorder, or by its answer that it knows everything", () => {
    const known: ConnectionEvent = { type: "told", call: "tell_end", outcome: "known already" };
    for (const event of [known, { type: "release" } as const]) {
      const { state, alarm } = play("held", ...OPEN, [9, ENDED], [10, event]);
      expect(state?.phase).toBe("released");
      expect(alarm).toBe(at(9 + 24 * 3_600));
    }
  });

  test("a late answer or a second release changes nothing of a released Connection", () => {
    const released = stateAfter("held", ...OPEN, [9, ENDED], [10, { type: "release" }]);
    for (const event of [ACCEPTED, { type: "release" } as const]) {
      const { state } = transitionConnection(released, event, at(20));
      expect(state).toEqual(released);
    }
  });

  test("a release that comes before the end changes nothing", () => {
    expect(stateAfter("held", ...OPEN, [9, { type: "release" }]).phase).toBe("open");
  });

  test("the events stay for 24 hours after the end, and then the Connection removes itself", () => {
    const alarm: ConnectionEvent = { type: "alarm", isAlive: false, last: FIRST };
    const steps: Step[] = [...OPEN, [9, ENDED], [10, { type: "release" }]];
    expect(play("held", ...steps, [24 * 3_600, alarm]).alarm).toBe(at(9 + 24 * 3_600));
    expect(play("held", ...steps, [9 + 24 * 3_600, alarm]).state).toBeNull();
  });

  test.each(["hand_over", "tell_status", "tell_end"] as const)(
    "the answer deleted to %s removes it, and ends its connection",
    (call) => {
      const outcome = play("held", [1, OPENED], [2, { type: "told", call, outcome: "deleted" }]);
      expect(outcome).toEqual({ state: null, alarm: null, disconnect: true });
    },
  );

  test("a removal removes it in every phase", () => {
    const phases: Step[][] = [
      [],
      OPEN,
      [...OPEN, [9, ENDED]],
      [...OPEN, [9, ENDED], [9, ACCEPTED]],
    ];
    for (const steps of phases) {
      expect(play("followed", ...steps, [10, { type: "remove" }]).state).toBeNull();
    }
  });
});

test("an empty Connection stays empty, whatever comes but an opening", () => {
  const events: ConnectionEvent[] = [OPENED, ENDED, ACCEPTED, LOST, { type: "release" }];
  for (const event of [...events, { type: "close" } as const, { type: "remove" } as const]) {
    const outcome = transitionConnection(null, event, START_MS);
    expect(outcome).toEqual({ state: null, alarm: null, disconnect: false });
  }
});

test("a second opening changes nothing", () => {
  const state = stateAfter("held", ...OPEN);
  const open: ConnectionEvent = { type: "open", connection: "other", params: PARAMS.control };
  expect(transitionConnection(state, open, at(9)).state).toEqual(state);
});

test("the run of a Connection is its response, or the one that the control is compared with", () => {
  expect(runOf(stateAfter("held"))).toBeNull();
  expect(runOf(stateAfter("held", [1, OPENED]))).toBe("resp_1");
  expect(runOf(stateAfter("control"))).toBe("resp_1");
});
