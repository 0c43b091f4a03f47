import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Policy } from "../../../src/record/schema.ts";
import { toTime } from "../../resilience/simulation/clock.ts";
import {
  runScenario,
  type ScenarioEvent,
  type ScriptedAnswer,
} from "../../resilience/simulation/scenario-runner.ts";
import { runs } from "../../support/property-runs.ts";
import { externalEvent, httpStatus, outputState, recorderEvent, status } from "./arbitraries.ts";

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
const events = fc.array(fc.record({ at: fc.nat(90_000), event: recorderEvent }), {
  maxLength: 40,
});
/** The same event every second. */
const burst = fc
  .record({ from: fc.nat(2_000), length: fc.nat(1_000), event: externalEvent })
  .map(({ from, length, event }) =>
    Array.from({ length }, (_, second) => ({ at: from + second, event })),
  );
const store = fc.constantFrom(true, false, null);

test("every run ends within 1,024 steps, and the record that it stores last is settled", async () => {
  await fc.assert(fc.asyncProperty(answers, events, burst, policy, store, endsSettled), runs(60));
});

async function endsSettled(
  script: ScriptedAnswer[],
  single: ScenarioEvent[],
  repeated: ScenarioEvent[],
  changes: Partial<Policy>,
  isStored: boolean | null,
): Promise<void> {
  const created = { status: "queued", model: "m", background: true, created_at: toTime(0) };
  const result = await runScenario(
    (_, observation) => script[observation % script.length] ?? { http: null },
    {
      events: [...single, ...repeated],
      policy: changes,
      start: { created: { ...created, store: isStored } },
    },
  );
  expect(result.steps.length).toBeLessThanOrEqual(1_024);
  expect(result.stored.at(-1)?.settled_at).not.toBeNull();
  expect(result.outcome.verdict).toBe(result.stored.at(-1)?.verdict);
}
