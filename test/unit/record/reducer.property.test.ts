import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  applyControl,
  applyObservation,
  applyStart,
  applyWebhook,
  isTerminal,
} from "../../../src/record/reducer.ts";
import { isFurther } from "../../../src/record/verdict.ts";
import { applyAndSettle, applyControlAndSettle } from "../../../src/record/schedule.ts";
import {
  StoredRecord,
  type ControlResult,
  type ObservationResult,
  type Webhook,
  type StoredCall,
} from "../../../src/record/schema.ts";
import { createTestRecord, TEST_POLICY, TRIGGER_PARAMS } from "./scenario-runner.ts";
import { runs } from "../../support/property-runs.ts";
import { controlResult, observationResult, webhook } from "./arbitraries.ts";

const POLICY = { ...TEST_POLICY, delays_seconds: [5, 20, 60] };

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
    arbitrary: webhook.map(
      (received): Change =>
        (record) =>
          applyCalls(record, received),
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

test("applyControl, applyWebhook and applyStart change nothing when they are applied twice", () => {
  fc.assert(fc.property(changes, controlResult, webhook, isIdempotentEvent), runs(300));
});

function isIdempotentEvent(given: Change[], result: ControlResult, received: Webhook): void {
  const once = applyCalls(applyControl(applyAll(given), result), received);
  const twice = applyCalls(applyControl(applyCalls(once, received), result), received);
  expect(withoutObservations(twice)).toEqual(withoutObservations(once));
}

function applyCalls(record: StoredRecord, received: Webhook): StoredRecord {
  return applyStart(applyWebhook(record, received), TRIGGER_PARAMS);
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
  if (after.status !== before.status && !isFurther(after.status, before.status)) return true;
  if (before.verdict === "lost" && after.verdict === "suspect") return true;
  if (before.state !== "populated") return false;
  if (after.state !== "populated") return true;
  // The first end had what a refetch in flight had.
  if (before.verdict === "recovered" && after.verdict === "captured") return false;
  return after.source !== before.source || after.verdict !== before.verdict;
}

// Every observation is listed, even if it shows nothing new.
function withoutObservations(record: StoredRecord): StoredRecord {
  return { ...record, observations: [] };
}
