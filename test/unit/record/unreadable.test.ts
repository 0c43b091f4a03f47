import { expect, test } from "vitest";
import { applyObservation, createRecord } from "../../../src/record/reducer.ts";
import { createObservation, TRIGGER_PARAMS } from "./scenario-runner.ts";

const SEEN = createObservation(60, { status: "in_progress", calls: [] });
const UNREADABLE = { ...createRecord(TRIGGER_PARAMS), unreadable: true };

test("what a broken connection brought makes no body readable that the Recorder did not survive", () => {
  const broken = { ...SEEN, fields: null, body: null, from_connection: true, broke_at: "5 x" };
  expect(applyObservation(UNREADABLE, broken).unreadable).toBe(true);
});

test("a response object that could be read makes it readable", () => {
  expect(applyObservation(UNREADABLE, SEEN).unreadable).toBe(false);
});
