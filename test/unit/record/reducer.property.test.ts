import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  applyObservation,
  applyControl,
  applyEvent,
  isTerminal,
} from "../../../src/record/reducer.ts";
import { applyAndSettle, applyControlAndSettle } from "../../../src/record/schedule.ts";
import {
  StoredRecord,
  type Channel,
  type FileCitation,
  type TriggerOptions,
  type StoredCall,
  type ObservationResult,
  type Policy,
  type RecorderEvent,
} from "../../../src/record/schema.ts";
import { timeOf } from "../../resilience/simulation/clock.ts";
import {
  known,
  play,
  type Answer,
  type Event,
} from "../../resilience/simulation/scenario-runner.ts";
import { runs } from "../../support/property-runs.ts";

const RULES: Policy = { deadline_seconds: 120, delays_seconds: [5, 20, 60], record_external: true };
const STATUSES = ["queued", "in_progress", "completed", "failed", "cancelled", "incomplete", "odd"];

const seconds = fc.nat(100_000);
const status = fc.constantFrom(...STATUSES);
const state = fc.constantFrom("populated" as const, "empty" as const, "null" as const);
const code = fc.constantFrom("print(1)", "x = 1", "(", null);
const call = fc.record({
  id: fc.constantFrom("ci_1", "ci_2", "ci_3"),
  container_id: fc.constantFrom("cntr_1", null),
  code,
  state,
});
const calls = fc.uniqueArray(call, { selector: (one) => one.id, maxLength: 3 });
const http = fc.constantFrom(200, 401, 404, 429, 500, null);
const problem = fc.constantFrom(null, { code: "broken", message: "It broke." });

const fields = fc.record({
  status,
  model: fc.constantFrom("m", null),
  background: fc.constantFrom(true, null),
  store: fc.constantFrom(true, false, null),
  created_at: fc.constantFrom(timeOf(0), null),
  completed_at: fc.constantFrom(timeOf(60), null),
  options: fc.constantFrom<TriggerOptions | null>(null, {
    include: [],
    replay: true,
    control: true,
    hold: true,
    retention_days: null,
  }),
  error: problem,
  conversation: fc.constantFrom("conv_1", null),
  containers: fc.constantFrom<string[]>([], ["cntr_1"]),
  cited_files: fc.constant<FileCitation[]>([]),
});

const look: fc.Arbitrary<ObservationResult> = fc
  .record({
    at: seconds.map(timeOf),
    channel: fc.constantFrom<Channel>("refetch", "refetch", "stream", "conversation", "held"),
    http,
    fields: fc.option(fields),
    calls: fc.option(calls),
    body: fc.constantFrom(null, { digest: "a", bytes: 1 }, { digest: "b", bytes: 2 }),
    error: problem,
    refused: fc.boolean(),
    retry_after_seconds: fc.constantFrom(null, 5, 9_000),
    broke_at: fc.constantFrom(null, "response.in_progress"),
  })
  .map(({ at, channel, http: http_status, ...rest }) => {
    const seen = (rest.calls ?? []).map((one) => ({ id: one.id, outputs: one.state }));
    const answered = { status: rest.fields?.status ?? null, request_id: null, calls: seen };
    return { ...rest, observation: { at, channel, http_status, ...answered } };
  });

const ran = fc
  .record({ at: seconds.map(timeOf), calls, status })
  .map(({ at, calls: seen, status: ended }) => ({
    observation: {
      at,
      channel: "control" as const,
      http_status: 200,
      status: ended,
      request_id: null,
      calls: [],
    },
    control: {
      id: "resp_control",
      status: ended,
      calls: seen.map((one): StoredCall => ({ ...one, verdict: null, source: null })),
    },
  }));

const outside: fc.Arbitrary<RecorderEvent> = fc.oneof(
  seconds.map((at) => ({
    kind: "webhook" as const,
    webhook: { id: `wh_${at}`, type: "response.completed", received_at: timeOf(at) },
  })),
  fc.constant({ kind: "refetch" as const }),
);
const wake = fc.oneof(
  outside,
  seconds.map((at) => ({ kind: "files" as const, at: timeOf(at) })),
);

type Ran = Parameters<typeof applyControl>[1];
type Change = (record: StoredRecord) => StoredRecord;
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: look.map(
      (one): Change =>
        (record) =>
          applyAndSettle(record, one, RULES),
    ),
  },
  {
    weight: 1,
    arbitrary: ran.map(
      (one): Change =>
        (record) =>
          applyControlAndSettle(record, one, RULES),
    ),
  },
  {
    weight: 2,
    arbitrary: wake.map(
      (one): Change =>
        (record) =>
          applyEvent(record, one),
    ),
  },
);

const changes = fc.array(change, { maxLength: 12 });

test("a record never gets worse, whatever is observed in whatever order", () => {
  fc.assert(fc.property(changes, neverWorse), runs(500));
});

function neverWorse(given: Change[]): void {
  let record = known();
  for (const next of given) {
    const after = next(record);
    StoredRecord.parse(after);
    expect(losses(record, after)).toEqual([]);
    record = after;
  }
}

test("what is observed once more changes nothing but the list of observations", () => {
  fc.assert(fc.property(changes, look, isSaidTwice), runs(500));
});

function isSaidTwice(given: Change[], again: ObservationResult): void {
  const before = given.reduce((record, next) => next(record), known());
  const once = applyObservation(before, again);
  expect(evidence(applyObservation(once, again))).toEqual(evidence(once));
}

test("a control that is told twice, or a webhook, is known once", () => {
  fc.assert(fc.property(changes, ran, wake, isToldTwice), runs(300));
});

function isToldTwice(given: Change[], control: Ran, event: RecorderEvent): void {
  const before = given.reduce((record, next) => next(record), known());
  const once = applyEvent(applyControl(before, control), event);
  const twice = applyEvent(applyControl(applyEvent(once, event), control), event);
  expect(evidence({ ...twice, events_received: once.events_received })).toEqual(evidence(once));
}

const answer = fc.record(
  {
    http,
    status,
    outputs: state,
    code: fc.constantFrom("print(1)", "x = 1"),
    refused: fc.boolean(),
    retryAfter: fc.constantFrom(1, 60, 9_000),
  },
  { requiredKeys: ["http"] },
);
const answers = fc.array(answer, { minLength: 1, maxLength: 12 });
const policy = fc.record({
  deadline_seconds: fc.nat(3_600),
  delays_seconds: fc.array(fc.nat(1_000), { maxLength: 50 }),
});
const events = fc.array(fc.record({ at: fc.nat(90_000), wake }), { maxLength: 40 });
// The same thing every second, as somebody who leans on a button.
const crowd = fc
  .record({ from: fc.nat(2_000), times: fc.nat(1_000), wake: outside })
  .map(({ from, times, wake: one }) =>
    Array.from({ length: times }, (_, second) => ({ at: from + second, wake: one })),
  );
const store = fc.constantFrom(true, false, null);

test("every story ends within 1,024 steps, and what it stored last is settled", async () => {
  await fc.assert(fc.asyncProperty(answers, events, crowd, policy, store, ends), runs(60));
});

async function ends(
  script: Answer[],
  some: Event[],
  many: Event[],
  settings: Partial<Policy>,
  kept: boolean | null,
): Promise<void> {
  const created = { status: "queued", model: "m", background: true, created_at: timeOf(0) };
  const story = await play((_, looks) => script[looks % script.length] ?? { http: null }, {
    events: [...some, ...many],
    policy: settings,
    start: { created: { ...created, store: kept } },
  });
  expect(story.steps.length).toBeLessThanOrEqual(1_024);
  expect(story.stored.at(-1)?.settled_at).not.toBeNull();
  expect(story.outcome.verdict).toBe(story.stored.at(-1)?.verdict);
}

/** What one record knew that the next does not. */
function losses(before: StoredRecord, after: StoredRecord): string[] {
  const lost = {
    observations: before.observations.some((seen, at) => after.observations[at] !== seen),
    status: isTerminal(before.status) && after.status !== before.status,
    verdict: before.verdict !== "pending" && after.verdict === "pending",
    webhook: before.webhook !== null && after.webhook !== before.webhook,
    control: before.control !== null && after.control === null,
    completed_at: before.completed_at !== null && after.completed_at !== before.completed_at,
    calls: before.calls.some((one) =>
      isWorse(
        one,
        after.calls.find(({ id }) => id === one.id),
      ),
    ),
  };
  return Object.entries(lost).flatMap(([name, is]) => (is ? [name] : []));
}

function isWorse(before: StoredCall, after: StoredCall | undefined): boolean {
  if (after === undefined) return true;
  if (before.verdict === "lost" && after.verdict === "suspect") return true;
  if (before.state !== "populated") return false;
  return (
    after.state !== "populated" ||
    after.source !== before.source ||
    after.verdict !== before.verdict
  );
}

// A look counts, even when it saw what another had seen.
function evidence(record: StoredRecord): StoredRecord {
  return { ...record, observations: [] };
}
