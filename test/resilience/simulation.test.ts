import { expect, test } from "vitest";
import { transitionConnection } from "../../src/record/connection/transition.ts";
import { toNotificationEvent } from "../../src/record/notification.ts";
import { transition } from "../../src/record/transition.ts";
import type { ConnectionTransition } from "./simulation/connection-object.ts";
import { INVARIANTS } from "./simulation/invariants.ts";
import { simulate } from "./simulation/index.ts";
import type { Transition } from "./simulation/recorder-object.ts";
import { simulateInThreads } from "./simulation/threads.ts";

test.each([1, 2, 3])(
  "every simulated response ends with the expected verdict, whatever fails (seed %i)",
  (seed) => {
    const { failures, counts } = simulate(seed, 1_500);
    expect(Object.keys(INVARIANTS).filter((invariant) => failures.has(invariant))).toEqual([]);
    expect(counts.get("evictions")).toBeGreaterThan(100);
    expect(counts.get("evicted Connections")).toBeGreaterThan(50);
  },
);

test("a seed gives the same totals in any number of threads", async () => {
  const one = simulate(7, 200);
  const others = await Promise.all([simulateInThreads(7, 200, 1), simulateInThreads(7, 200, 3)]);
  expect(others).toEqual([one, one]);
});

type Mutation = {
  name: string;
  breaks: keyof typeof INVARIANTS;
  decide: Transition;
  /** Where a broken run is poked until its end, fewer are enough. */
  responses?: number;
};

/** Broken versions of the state machine, and an invariant that each of them breaks. */
const MUTATIONS: Mutation[] = [
  {
    name: "sets an alarm at the start only",
    responses: 40,
    breaks: "a run settles within a day",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      return state === null ? outcome : { ...outcome, alarm: null };
    },
  },
  {
    name: "counts an observation twice",
    breaks: "an observation counts once",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (event.type !== "observed" || outcome.state?.kind !== "run") return outcome;
      const { record } = outcome.state;
      const observations = [...record.observations, ...record.observations.slice(-1)];
      return { ...outcome, state: { ...outcome.state, record: { ...record, observations } } };
    },
  },
  {
    name: "asks for the status as often as a reader does",
    breaks: "rows, writes and calls stay within their limits",
    decide: (state, event, now) =>
      transition(state?.kind === "run" ? { ...state, status_check_ms: 0 } : state, event, now),
  },
  {
    name: "takes the late result of an earlier effect",
    breaks: "an observation counts once",
    decide: (state, event, now) => {
      const turn = state?.running?.turn;
      if (event.type !== "observed" || turn === undefined) return transition(state, event, now);
      return transition(state, { ...event, turn: Math.max(turn, event.turn) }, now);
    },
  },
  {
    name: "drops the body's rows when the observation is stored",
    responses: 40,
    breaks: "an end can be read at once",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      return { ...outcome, rows: { ...outcome.rows, writeBody: false } };
    },
  },
  {
    name: "takes a later change for one that KV has",
    breaks: "KV has the record and its body",
    decide: (state, event, now) => {
      const isStored = state?.kind === "run" && state.kv.record_revision !== null;
      if (event.type !== "observed" || !isStored) return transition(state, event, now);
      const kv = { ...state.kv, record_revision: state.revision + 1 };
      return transition({ ...state, kv }, event, now);
    },
  },
  {
    name: "forgets a deleted run at once",
    breaks: "nothing is left of what was deleted, expired or unwanted",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      return event.type === "remove" ? { ...outcome, state: null, effect: null } : outcome;
    },
  },
  {
    name: "leaves an expired run's row in the Catalog",
    responses: 40,
    breaks: "nothing is left of what was deleted, expired or unwanted",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (outcome.state?.kind !== "expired") return outcome;
      return { ...outcome, state: null, effect: null, persist: true };
    },
  },
  {
    name: "lists no run after an observation",
    responses: 40,
    breaks: "the Catalog agrees with the record",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (event.type !== "observed" || outcome.state?.kind !== "run") return outcome;
      const { record, catalog, revision } = outcome.state;
      const due_ms = Date.parse(record.expires_at);
      const listed = { ...catalog, listed_revision: revision, due_ms };
      return { ...outcome, state: { ...outcome.state, catalog: listed } };
    },
  },
  {
    name: "takes a silent call for a captured one",
    breaks: "verdicts follow from the script",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (outcome.state?.kind !== "run") return outcome;
      const { record } = outcome.state;
      const verdict = record.verdict === "silent" ? "captured" : record.verdict;
      return { ...outcome, state: { ...outcome.state, record: { ...record, verdict } } };
    },
  },
  {
    name: "notifies while the run is in flight",
    responses: 40,
    breaks: "only a record that can be read is notified",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (event.type !== "observed" || outcome.state?.kind !== "run") return outcome;
      const { record, turn, policy } = outcome.state;
      if (record.verdict !== "pending" || policy.notify === undefined) return outcome;
      const report = toNotificationEvent(record, "response.completed", "https://recorder.test", 0);
      const effect = { type: "notify" as const, record, event: report };
      return { ...outcome, effect: { ...effect, turn, untilMs: now + 10_000 } };
    },
  },
  {
    name: "notifies once only",
    breaks: "a run's end is notified",
    decide: (state, event, now) => {
      const outcome = transition(state, event, now);
      if (outcome.state?.kind !== "run" || outcome.state.notification === null) return outcome;
      const notification = { ...outcome.state.notification, is_over: true };
      return { ...outcome, state: { ...outcome.state, notification } };
    },
  },
  {
    name: "notifies again at the next alarm",
    responses: 40,
    breaks: "what was delivered is not sent again",
    decide: (state, event, now) => {
      if (event.type !== "alarm" || state?.kind !== "run") return transition(state, event, now);
      return transition({ ...state, notification: null }, event, now);
    },
  },
  {
    name: "takes an end without items for whole",
    responses: 1_000,
    breaks: "an end that lacks something is asked for again",
    decide: (state, event, now) => {
      if (event.type !== "observed" || event.result.fields === null) {
        return transition(state, event, now);
      }
      const fields = { ...event.result.fields, lacks_items: false };
      return transition(state, { ...event, result: { ...event.result, fields } }, now);
    },
  },
  {
    name: "takes a 404 for an answer that says nothing",
    breaks: "verdicts follow from the script",
    decide: (state, event, now) => {
      if (event.type !== "observed") return transition(state, event, now);
      const { observation } = event.result;
      const http_status = observation.http_status === 404 ? 500 : observation.http_status;
      const result = { ...event.result, observation: { ...observation, http_status } };
      return transition(state, { ...event, result }, now);
    },
  },
  {
    name: "ignores the status of calls",
    breaks: "verdicts follow from the script",
    decide: (state, event, now) => {
      if (event.type !== "observed" || event.result.calls === null) {
        return transition(state, event, now);
      }
      const calls = event.result.calls.map((call) => ({ ...call, status: null }));
      return transition(state, { ...event, result: { ...event.result, calls } }, now);
    },
  },
  {
    name: "asks OpenAI again after each write to KV",
    breaks: "OpenAI is not asked again for what was seen",
    decide: (state, event, now) => {
      if (event.type !== "stored" || state?.kind !== "run") return transition(state, event, now);
      const observation = { ...state.observation, now: "requested" as const };
      const isFirst = state.kv.record_revision === null;
      return transition(isFirst ? { ...state, observation } : state, event, now);
    },
  },
];

test.each(MUTATIONS)(
  "the simulation notices a state machine that $name",
  ({ breaks, decide, responses = 250 }) => {
    const { failures } = simulate(1, responses, 0, { decide });
    expect([...failures.keys()]).toContain(breaks);
  },
);

type ConnectionMutation = {
  name: string;
  breaks: keyof typeof INVARIANTS;
  decideConnection: ConnectionTransition;
  responses?: number;
};

/** Broken Connections, and an invariant that each of them breaks. */
const CONNECTION_MUTATIONS: ConnectionMutation[] = [
  {
    name: "sets an alarm at its opening only",
    breaks: "a Connection always has an alarm",
    decideConnection: (state, event, now) => {
      const outcome = transitionConnection(state, event, now);
      return state === null ? outcome : { ...outcome, alarm: null };
    },
  },
  {
    name: "is released when its report is accepted",
    breaks: "a Connection is released when it was read",
    decideConnection: (state, event, now) => {
      const isAccepted = event.type === "told" && event.outcome === "accepted";
      if (!isAccepted || state?.phase !== "ended") return transitionConnection(state, event, now);
      return transitionConnection(state, { ...event, outcome: "known already" }, now);
    },
  },
  {
    name: "removes itself when its report is accepted",
    breaks: "an event that was stored is kept until it is read",
    decideConnection: (state, event, now) => {
      const isAccepted = event.type === "told" && event.outcome === "accepted";
      if (!isAccepted || state?.phase !== "ended") return transitionConnection(state, event, now);
      return { state: null, alarm: null, disconnect: false };
    },
  },
  {
    name: "forgets the calls that were finished before a break",
    breaks: "a call that was finished before a break is recorded",
    responses: 1_000,
    decideConnection: (state, event, now) => {
      const outcome = transitionConnection(state, event, now);
      const isBroken =
        outcome.state?.end?.reason === "broken" || outcome.state?.end?.reason === "lost";
      if (outcome.state === null || !isBroken) return outcome;
      return { ...outcome, state: { ...outcome.state, items: [] } };
    },
  },
  {
    name: "stays when its run is deleted",
    breaks: "a deleted run's Connections are gone",
    decideConnection: (state, event, now) =>
      event.type === "remove"
        ? { state, alarm: null, disconnect: false }
        : transitionConnection(state, event, now),
  },
  {
    name: "forgets a control that died while it opened",
    breaks: "a control counts as not run only if it was never opened",
    responses: 4_000,
    decideConnection: (state, event, now) => {
      const isDead = event.type === "alarm" && !event.isAlive && state?.phase === "opening";
      if (!isDead) return transitionConnection(state, event, now);
      return { state: null, alarm: null, disconnect: false };
    },
  },
  {
    name: "never forgets what was released",
    breaks: "a run ends",
    responses: 20,
    decideConnection: (state, event, now) => {
      const outcome = transitionConnection(state, event, now);
      if (event.type !== "alarm" || state?.phase !== "released") return outcome;
      const alarm = now + 60_000;
      return { state: { ...state, alarm_at_ms: alarm }, alarm, disconnect: false };
    },
  },
];

test.each(CONNECTION_MUTATIONS)(
  "the simulation notices a Connection that $name",
  ({ breaks, decideConnection, responses = 400 }) => {
    const { failures } = simulate(1, responses, 0, { decideConnection });
    expect([...failures.keys()]).toContain(breaks);
  },
);
