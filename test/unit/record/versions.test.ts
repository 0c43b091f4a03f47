// What a Recorder reads of a state that another version wrote: docs/upgrade.md.
import { expect, test } from "vitest";
import { createRunState } from "../../../src/record/machine/run-state.ts";
import { State } from "../../../src/record/state.ts";
import { TRIGGER_PARAMS } from "./scenario-runner.ts";

const STATE = createRunState(TRIGGER_PARAMS, Date.parse(TRIGGER_PARAMS.at));

test("a state of a later version that only has more fields can be read, without them", () => {
  const record = { ...STATE.record, later: 1 };
  expect(State.parse({ ...STATE, record, later: { also: 1 } })).toEqual(STATE);
});

test("a state of another version number, or with a verdict that is not known, can't be read", () => {
  const record = { ...STATE.record, verdict: "half_captured" };
  expect(State.safeParse({ ...STATE, record }).success).toBe(false);
  expect(State.safeParse({ ...STATE, version: STATE.version + 1 }).success).toBe(false);
});
