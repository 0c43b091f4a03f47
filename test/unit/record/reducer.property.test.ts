import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  applyControl,
  applyEvent,
  applyObservation,
  isTerminal,
} from "../../../src/record/reducer.ts";
import { applyAndSettle, applyControlAndSettle } from "../../../src/record/schedule.ts";
import {
  StoredRecord,
  type ControlResult,
  type ObservationResult,
  type Policy,
  type RecorderEvent,
  type StoredCall,
} from "../../../src/record/schema.ts";
import { createTestRecord } from "../../resilience/simulation/scenario-runner.ts";
import { runs } from "../../support/property-runs.ts";
import { controlResult, observationResult, recorderEvent } from "./arbitraries.ts";

const POLICY: Policy = {
  deadline_seconds: 120,
  delays_seconds: [5, 20, 60],
  record_external: true,
};

type Change = (record: StoredRecord) => StoredRecord;
const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: observationResult.map(
      (result): Change =>
        (record) =>
          applyAndSettle(record, result, POLICY),
    ),
  },
  {
    weight: 1,
    arbitrary: controlResult.map(
      (result): Change =>
        (record) =>
          applyControlAndSettle(record, result, POLICY),
    ),
  },
  {
    weight: 2,
    arbitrary: recorderEvent.map(
      (event): Change =>
        (record) =>
          applyEvent(record, event),
    ),
  },
);
const changes = fc.array(change, { maxLength: 12 });

test("a record never gets worse, whatever is observed in whatever order", () => {
  fc.assert(fc.property(changes, neverGetsWorse), runs(500));
});

function neverGetsWorse(given: Change[]): void {
  let record = createTestRecord();
  for (const apply of given) {
    const after = apply(record);
    StoredRecord.parse(after);
    expect(findLosses(record, after)).toEqual([]);
    record = after;
  }
}

test("applyObservation changes only the list of observations when it is applied twice", () => {
  fc.assert(fc.property(changes, observationResult, isIdempotentObservation), runs(500));
});

function isIdempotentObservation(given: Change[], result: ObservationResult): void {
  const once = applyObservation(applyAll(given), result);
  const twice = applyObservation(once, result);
  expect(withoutObservations(twice)).toEqual(withoutObservations(once));
}

test("applyControl and applyEvent change nothing when they are applied twice", () => {
  fc.assert(fc.property(changes, controlResult, recorderEvent, isIdempotentEvent), runs(300));
});

function isIdempotentEvent(given: Change[], result: ControlResult, event: RecorderEvent): void {
  const once = applyEvent(applyControl(applyAll(given), result), event);
  const twice = applyEvent(applyControl(applyEvent(once, event), result), event);
  const { events_received } = once;
  expect(withoutObservations({ ...twice, events_received })).toEqual(withoutObservations(once));
}

function applyAll(given: Change[]): StoredRecord {
  return given.reduce((record, apply) => apply(record), createTestRecord());
}

/** The names of what a record has lost or changed for the worse. */
function findLosses(before: StoredRecord, after: StoredRecord): string[] {
  const losses = {
    observations: before.observations.some((one, at) => after.observations[at] !== one),
    status: isTerminal(before.status) && after.status !== before.status,
    verdict: before.verdict !== "pending" && after.verdict === "pending",
    webhook: before.webhook !== null && after.webhook !== before.webhook,
    control: before.control !== null && after.control === null,
    completed_at: before.completed_at !== null && after.completed_at !== before.completed_at,
    calls: before.calls.some((call) =>
      isWorse(
        call,
        after.calls.find(({ id }) => id === call.id),
      ),
    ),
  };
  return Object.entries(losses).flatMap(([name, isLost]) => (isLost ? [name] : []));
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

// Every observation is listed, even if it shows nothing new.
function withoutObservations(record: StoredRecord): StoredRecord {
  return { ...record, observations: [] };
}
