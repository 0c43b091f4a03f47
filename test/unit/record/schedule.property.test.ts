import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Policy } from "../../../src/record/policy.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import {
  refetchAt,
  runScenario,
  webhookAt,
  type ScenarioEvent,
  type ScriptedAnswer,
} from "./scenario-runner.ts";
import { runs } from "../../support/property-runs.ts";
import { httpStatus, outputState, status } from "./arbitraries.ts";

const answer = fc.record(
  {
    http: httpStatus,
    status,
    outputs: outputState,
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
const makeEvent = fc.constantFrom(webhookAt, refetchAt);
const events = fc.array(
  fc.tuple(fc.nat(90_000), makeEvent).map(([at, make]) => make(at)),
  { maxLength: 40 },
);
/** The same event every second. */
const burst = fc
  .record({ from: fc.nat(2_000), length: fc.nat(1_000), make: makeEvent })
  .map(({ from, length, make }) => Array.from({ length }, (_, second) => make(from + second)));
const store = fc.constantFrom(true, false, null);

test("every run settles, and the record that it stores last is settled", () => {
  fc.assert(fc.property(answers, events, burst, policy, store, endsSettled), runs(60));
});

function endsSettled(
  script: ScriptedAnswer[],
  single: ScenarioEvent[],
  repeated: ScenarioEvent[],
  changes: Partial<Policy>,
  isStored: boolean | null,
): void {
  const created = { status: "queued", model: "m", background: true, created_at: toTime(0) };
  const result = runScenario(
    (_, observation) => script[observation % script.length] ?? { http: null },
    {
      events: [...single, ...repeated],
      policy: changes,
      start: { created: { ...created, store: isStored } },
    },
  );
  expect(result.stored.at(-1)?.settled_at).not.toBeNull();
  expect(result.record.verdict).toBe(result.stored.at(-1)?.verdict);
}
