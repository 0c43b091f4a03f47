import { toCodeCall } from "../../../support/code-call.ts";
import { expect, test } from "vitest";
import { parseCalls } from "../../../../src/openai/response.ts";
import { applyControl, applyObservation, createRecord } from "../../../../src/record/reducer.ts";
import type { ObservedCall, StoredRecord } from "../../../../src/record/schema.ts";
import { createObservation, TRIGGER_PARAMS } from "../scenario-runner.ts";

const CONTAINER = { type: "code_interpreter", container: { type: "auto" } };
const FRESH = { model: "m", input: "x", tools: [CONTAINER] };

function toItem(code: string | null, index: number) {
  return {
    type: "code_interpreter_call",
    id: `ci_${index}`,
    container_id: "cntr_1",
    code,
    outputs: [],
  };
}

/** The record of a run whose calls all have empty outputs. */
function observeCodes(
  codes: (string | null)[],
  request: StoredRecord["request"] = FRESH,
): StoredRecord {
  const record = createRecord({ ...TRIGGER_PARAMS, request });
  return applyObservation(record, createObservation(1, { calls: parseCalls(codes.map(toItem)) }));
}

function verdictsOf(record: StoredRecord): (string | null)[] {
  return record.calls.map(({ verdict }) => verdict);
}

test("a call without code is suspect", () => {
  expect(verdictsOf(observeCodes([null]))).toEqual(["suspect"]);
});

test("calls whose code the record cuts are suspect", () => {
  const codes = Array.from({ length: 60 }, () => `# ${"x".repeat(2_600)}\nprint(1)`);
  expect(verdictsOf(observeCodes(codes))).toEqual(codes.map(() => "suspect"));
});

test("calls that print nothing are silent up to the first whose code the record cuts", () => {
  const codes = Array.from({ length: 60 }, () => `# ${"x".repeat(2_600)}\nx = 1`);
  const verdicts = verdictsOf(observeCodes(codes));
  const whole = Math.floor((128 * 1024) / (codes[0]?.length ?? 0));
  expect(verdicts.slice(0, whole)).toEqual(Array.from({ length: whole }, () => "silent"));
  expect(verdicts.slice(whole)).toEqual(Array.from({ length: 60 - whole }, () => "suspect"));
});

test("a call that uses a function of an earlier call is suspect", () => {
  const codes = ["def report(x): print(x)", "for i in range(3): report(i)"];
  expect(verdictsOf(observeCodes(codes))).toEqual(["silent", "suspect"]);
});

test.each<[string, StoredRecord["request"], string]>([
  ["in a new container", FRESH, "silent"],
  [
    "in a container with an id",
    { ...FRESH, tools: [{ ...CONTAINER, container: "cntr_1" }] },
    "suspect",
  ],
  ["after an earlier response", { ...FRESH, previous_response_id: "resp_0" }, "suspect"],
  ["in a conversation", { ...FRESH, conversation: "conv_1" }, "suspect"],
  ["after a call in the input", { ...FRESH, input: [toItem("x = 1", 0)] }, "suspect"],
  ["for a request that is not known", null, "suspect"],
])("a call that uses a name which no call defines, %s", (_, request, verdict) => {
  expect(verdictsOf(observeCodes(["total = price * 2"], request))).toEqual([verdict]);
});

test("a control with outputs makes a call with identical code lost, whatever the code says", () => {
  const record = observeCodes(["x = 1"]);
  expect(verdictsOf(record)).toEqual(["silent"]);
  const control = toControl([{ ...toObserved("x = 1"), state: "populated" }]);
  expect(verdictsOf(applyControl(record, control))).toEqual(["lost"]);
});

test("a control whose earlier call differs proves nothing of a later one", () => {
  const toPrinted = (code: string) => ({ ...toObserved(code), state: "populated" as const });
  const record = observeCodes(["debug = False", "if debug: print(1)"]);
  const other = toControl([toPrinted("debug = True"), toPrinted("if debug: print(1)")]);
  expect(verdictsOf(applyControl(record, other))).not.toContain("lost");
  const same = toControl([toObserved("debug = False"), toPrinted("if debug: print(1)")]);
  expect(verdictsOf(applyControl(record, same))).toEqual(["silent", "lost"]);
});

test("a control with other code proves nothing", () => {
  const control = toControl([{ ...toObserved("x = 2"), state: "populated" }]);
  expect(verdictsOf(applyControl(observeCodes(["x = 1"]), control))).toEqual(["silent"]);
});

test("a control proves nothing of a call whose code the record cuts", () => {
  const code = "#".repeat(128 * 1024);
  const control = toControl([{ ...toObserved(code), state: "populated" }]);
  const verdicts = verdictsOf(applyControl(observeCodes([`${code}#`]), control));
  expect(verdicts).toEqual(["suspect"]);
});

const BOTH = [toObserved("debug = True"), toObserved("x = 1")] as const;
const [SETS_UP, SETS] = BOTH;
const PRINTED_BY_CONTROL: ObservedCall = { ...SETS, state: "populated" };

/** The verdict of the last call of a run that ended with a status, by the status of a control that had its outputs. */
function compare(run: readonly ObservedCall[], control: readonly ObservedCall[], status: string) {
  const calls = run.map((call, index) => ({ ...call, id: `ci_${index}` }));
  const observed = applyObservation(
    createRecord({ ...TRIGGER_PARAMS, request: FRESH }),
    createObservation(1, { status, calls }),
  );
  return (controlStatus: string) =>
    applyControl(observed, toControl([...control], controlStatus)).calls.at(-1)?.verdict;
}

test("a control proves a loss when both responses ended completed", () => {
  const proves = compare(BOTH, [SETS_UP, PRINTED_BY_CONTROL], "completed");
  expect(proves("completed")).toBe("lost");
  for (const status of ["interrupted", "in_progress"]) expect(proves(status)).toBe("silent");
  for (const status of ["incomplete", "failed", "cancelled"]) {
    expect(proves(status)).toBe("silent");
    const cutOff = compare(BOTH, [SETS_UP, PRINTED_BY_CONTROL], status);
    expect(cutOff("completed")).not.toBe("lost");
  }
});

test.each(["in_progress", "interpreting", "incomplete", "failed"])(
  "a control proves no loss when a call up to there is %s in either run",
  (status) => {
    const cut = { ...SETS_UP, status };
    expect(compare([cut, SETS], [SETS_UP, PRINTED_BY_CONTROL], "completed")("completed")).toBe(
      "silent",
    );
    expect(compare(BOTH, [cut, PRINTED_BY_CONTROL], "completed")("completed")).toBe("silent");
    const last = { ...PRINTED_BY_CONTROL, status };
    expect(compare(BOTH, [SETS_UP, last], "completed")("completed")).toBe("silent");
  },
);

test("calls without a status count as finished in completed responses", () => {
  const [first, second] = BOTH.map((call) => ({ ...call, status: null }));
  if (first === undefined || second === undefined) throw new Error("There are two calls.");
  const control = [first, { ...second, state: "populated" as const }];
  expect(compare([first, second], control, "completed")("completed")).toBe("lost");
});

function toObserved(code: string): ObservedCall {
  return toCodeCall({ id: "ci_9", container_id: "cntr_2", code });
}

function toControl(seen: ObservedCall[], status = "completed") {
  const calls = seen.map((call, index) => ({
    ...call,
    id: `ci_control_${index}`,
    verdict: null,
    source: "control" as const,
    hint: null,
  }));
  return { observation: null, control: { id: "resp_2", status, calls } };
}

const HINT =
  "No call of this response defines `price`, `rate`, so Python raises a NameError here, and OpenAI returns no outputs for code that raises.";

test("the hint of a call names what no call binds", () => {
  const { calls } = observeCodes(["total = price * rate", "x = 1"]);
  expect(calls.map(({ hint }) => hint)).toEqual([HINT, null]);
});

test.each<[string, StoredRecord]>([
  ["that reads only what is bound", observeCodes(["price = rate = 2", "price * rate"])],
  ["in a container that can be older", observeCodes(["price * rate"], null)],
])("a call %s has no hint", (_, { calls }) => {
  expect(calls.map(({ hint }) => hint)).toEqual(calls.map(() => null));
});

test("a call that turns out to have outputs, or to be lost, has no hint any more", () => {
  const record = observeCodes(["price * rate"]);
  expect(record.calls).toMatchObject([{ verdict: "suspect", hint: HINT }]);
  const printed = { ...toObserved("price * rate"), id: "ci_0", state: "populated" as const };
  const recovered = applyObservation(record, createObservation(6, { calls: [printed] }));
  expect(recovered.calls).toMatchObject([{ verdict: "recovered", hint: null }]);
  const lost = applyControl(record, toControl([printed]));
  expect(lost.calls).toMatchObject([{ verdict: "lost", hint: null }]);
});

test("an unfinished call has no hint: its code may not have run", () => {
  const call = { ...toObserved("price * rate"), status: "incomplete" };
  const record = createRecord({ ...TRIGGER_PARAMS, request: FRESH });
  const { calls } = applyObservation(record, createObservation(1, { calls: [call] }));
  expect(calls).toMatchObject([{ verdict: "unfinished", hint: null }]);
});
