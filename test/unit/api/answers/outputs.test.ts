import { expect, test } from "vitest";
import { answerOutputs, type OutputsSubject } from "../../../../src/api/answers/outputs.ts";
import type { CallRepresentation } from "../../../../src/api/answers/representation.ts";
import { Problem } from "../../../../src/errors.ts";
import { RunVerdict, type CallVerdict } from "../../../../src/record/schema.ts";
import { matching } from "../../../support/matchers.ts";
import { createTestRecord } from "../../record/scenario-runner.ts";

function call(verdict: CallVerdict | null, given: Partial<CallRepresentation> = {}) {
  const hasOutputs = verdict === "captured" || verdict === "recovered";
  const outputs = new TextEncoder().encode('[{"type":"logs","logs":"x"}]');
  return {
    id: "ci_1",
    type: "code_interpreter_call",
    status: "completed",
    container_id: null,
    request: null,
    code: null,
    hint: null,
    verdict,
    source: hasOutputs ? ("refetch" as const) : null,
    result: hasOutputs ? outputs : null,
    ...given,
  };
}

function subject(verdict: RunVerdict, ...calls: CallRepresentation[]): OutputsSubject {
  const record = { ...createTestRecord(), verdict };
  return { record, calls, controlCalls: [], retryAfterSeconds: null };
}

/** The status of an answer, and its code. */
function summarize({ answer }: ReturnType<typeof answerOutputs>): [number, string] {
  return answer instanceof Problem ? [answer.status, answer.code] : [200, "text"];
}

const TEXT = [200, "text"];
const MISSING = [409, "outputs_missing"];
const ANSWERS: Record<RunVerdict, unknown> = {
  captured: TEXT,
  recovered: TEXT,
  silent: TEXT,
  unfinished: TEXT,
  no_calls: TEXT,
  suspect: MISSING,
  lost: MISSING,
  gone: MISSING,
  abandoned: MISSING,
  pending: [404, "not_finished"],
  not_found: [404, "not_found"],
};

test.each(RunVerdict.options)(
  "answerOutputs answers a run without outputs that is %s",
  (verdict) => {
    const run = subject(verdict, call(null));
    expect(summarize(answerOutputs(run, {}))).toEqual(ANSWERS[verdict]);
    expect(answerOutputs(run, {}).verdict).toBe(verdict);
  },
);

test("answerOutputs answers every missing output with text when strict is false, but nothing before the end", () => {
  for (const verdict of RunVerdict.options) {
    const [status] = summarize(answerOutputs(subject(verdict), { strict: "false" }));
    expect([verdict, status]).toEqual([
      verdict,
      ["pending", "not_found"].includes(verdict) ? 404 : 200,
    ]);
  }
});

test("answerOutputs gives an abandoned run's text when a call had outputs, and judges each call by itself", () => {
  const run = subject("abandoned", call("recovered"), call(null));
  expect(summarize(answerOutputs(run, {}))).toEqual(TEXT);
  expect(summarize(answerOutputs(run, { call: 1 }))).toEqual(TEXT);
  expect(summarize(answerOutputs(run, { call: 2 }))).toEqual(MISSING);
});

test("answerOutputs lists five calls at most", () => {
  const calls = Array.from({ length: 8 }, () => call("suspect"));
  const { answer } = answerOutputs(subject("suspect", ...calls), {});
  expect(answer).toMatchObject({ message: matching(/call 5 \(suspect\), and 3 more\./) });
});

test("answerOutputs says not_stored of outputs that were observed and are not there, and gives the others when strict is false", () => {
  const run = subject("captured", call("captured", { result: null }), call("captured"));
  expect(summarize(answerOutputs(run, {}))).toEqual([404, "not_stored"]);
  expect(summarize(answerOutputs(run, { call: 2 }))).toEqual(TEXT);
  expect(answerOutputs(run, { strict: "false" }).answer).toHaveLength(2);
});

test("answerOutputs gives what a search brought only on request, and of a picture says that it is no text", () => {
  const search = call("captured", { type: "file_search_call" });
  const picture = call("captured", { type: "image_generation_call" });
  const run = subject("captured", call("captured"), search, picture);
  expect(answerOutputs(run, {}).answer).toEqual([run.calls[0]]);
  expect(answerOutputs(run, { call: 2 }).answer).toEqual([search]);
  expect(answerOutputs(run, { call: 3 }).answer).toMatchObject({
    code: "not_found",
    message: matching(/no text/),
  });
});

test("answerOutputs says that a run without calls has none", () => {
  const { answer } = answerOutputs(subject("no_calls"), { call: 1 });
  expect(answer).toMatchObject({ status: 404, code: "not_found", message: matching(/no calls/) });
});

const CONTROLS = [
  { status: "interrupted", calls: 0, expected: [404, "not_stored"] },
  { status: "failed", calls: 0, expected: [404, "not_stored"] },
  { status: "completed", calls: 0, expected: TEXT },
  { status: "interrupted", calls: 1, expected: TEXT },
];

test.each(CONTROLS)(
  "answerOutputs answers $expected to from=control when the control is $status with $calls calls",
  ({ status, calls, expected }) => {
    const run = subject("suspect", call("suspect"));
    const controlCalls = Array.from({ length: calls }, () => call(null));
    const record = { ...run.record, control: { id: "resp_2", status, calls: [] } };
    const answer = answerOutputs({ ...run, record, controlCalls }, { from: "control" });
    expect(summarize(answer)).toEqual(expected);
  },
);

test("answerOutputs passes the time of the next observation on, and says how to wait for it", () => {
  const run = { ...subject("suspect", call("suspect")), retryAfterSeconds: 7 };
  const { answer } = answerOutputs(run, {});
  expect(answer).toMatchObject({ retryAfterSeconds: 7, message: matching(/&until=settled/) });
});
