// GET /results/:id/outputs: what it answers to each verdict. It never answers 200 with nothing when outputs are missing.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ErrorBody } from "../support/contract.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { matching } from "../support/matchers.ts";
import { RECORDER_WORKER, setLimits } from "../support/recorder-worker.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld(
    { interpreters: 2 },
    // A run settles at the first observation after its end.
    { WEBHOOK_DEADLINE: "3", REFETCH_DELAYS: "0" },
    {},
    { main: RECORDER_WORKER },
  );
});
beforeEach(async () => {
  await setLimits(world.url, {});
  await world.emulator.clearScripts();
  await world.emulator.clearFaults();
  await world.emulator.configure({
    backgroundOutputs: "empty",
    streamOutputs: "empty",
    webhookDrop: false,
  });
});
afterAll(() => world.close());

const PRINTS = { input: toPythonInput("print('one')"), tools: CODE_INTERPRETER };
const PRINTS_TWICE = {
  input: toPythonInput("print('one')", "x = 1", "print('three')"),
  tools: CODE_INTERPRETER,
};

async function run(body: object): Promise<string> {
  const id = await world.trigger(body);
  await world.waitUntilSettled(id);
  return id;
}

/** An answer, with the members that the contract gives it. */
async function readOutputs(id: string, query = "") {
  const answer = await world.request(`/results/${id}/outputs${query}`);
  const text = await answer.text();
  const isText = answer.headers.get("content-type") === "text/plain; charset=utf-8";
  return {
    status: answer.status,
    verdict: answer.headers.get("x-verdict"),
    retryAfter: answer.headers.get("retry-after"),
    ...(isText ? { text } : ErrorBody.parse(JSON.parse(text)).error),
  };
}

test("GET /results/:id/outputs answers 200 to captured, silent and no_calls", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const given = { status: 200, retryAfter: null };
  const captured = await run(PRINTS);
  expect(await readOutputs(captured)).toEqual({ ...given, verdict: "captured", text: "one\n" });
  const silent = await run({ input: toPythonInput("x = 1"), tools: CODE_INTERPRETER });
  expect(await readOutputs(silent)).toEqual({ ...given, verdict: "silent", text: "" });
  const none = await run({ input: "hello" });
  expect(await readOutputs(none)).toEqual({ ...given, verdict: "no_calls", text: "" });
});

test("GET /results/:id/outputs answers 200 to recovered", async () => {
  await world.emulator.configure({ streamOutputs: "present" });
  const id = await run({ ...PRINTS, stream: true });
  const text = "one\n";
  expect(await readOutputs(id)).toMatchObject({ status: 200, verdict: "recovered", text });
});

test("GET /results/:id/outputs answers 409 outputs_missing to suspect, and says how to keep the outputs next time", async () => {
  const id = await run(PRINTS_TWICE);
  const answer = await readOutputs(id);
  expect(answer).toEqual({
    status: 409,
    verdict: "suspect",
    retryAfter: null,
    code: "outputs_missing",
    message: matching(/no outputs for call 1 \(suspect\), call 3 \(suspect\)\..* hold: true/),
    id,
  });
  expect("message" in answer && answer.message).toMatch(/\/v1\/responses .*strict=false/);
  const lenient = { status: 200, verdict: "suspect", text: "" };
  expect(await readOutputs(id, "?strict=false")).toMatchObject(lenient);
  expect(await readOutputs(id, "?strict=true")).toEqual(answer);
});

test("GET /results/:id/outputs answers 409 to lost, and names the control's outputs, which from=control gives", async () => {
  const id = await run({ ...PRINTS_TWICE, control: true });
  const path = `/results/${id}/outputs?from=control`;
  expect(await readOutputs(id)).toMatchObject({
    status: 409,
    verdict: "lost",
    code: "outputs_missing",
    message: matching(new RegExp(`call 1 \\(lost\\).*${path.replace("?", "\\?")} .*hold: true`)),
  });
  const control = { status: 200, verdict: "lost" };
  expect(await readOutputs(id, "?from=control")).toMatchObject({
    ...control,
    text: "one\nthree\n",
  });
  expect(await readOutputs(id, "?from=control&call=3")).toMatchObject({
    ...control,
    text: "three\n",
  });
  expect(await readOutputs(id, "?from=control&call=2")).toMatchObject({ ...control, text: "" });
  expect(await readOutputs(id, "?from=control&call=4")).toMatchObject({
    status: 404,
    code: "not_found",
    message: matching(/from 1 to 3/),
  });
});

test("a lost call has a hint with the cure and the control's outputs, a suspect one the cure alone, and others none", async () => {
  const lost = await world.waitUntilSettled(await run({ ...PRINTS_TWICE, control: true }));
  const path = `/results/${lost.id}/outputs?from=control`;
  expect(lost.calls).toMatchObject([
    { verdict: "lost", hint: matching(/hold: true.*\/v1\/responses/) },
    { verdict: "silent", hint: null },
    { verdict: "lost", hint: matching(/hold: true/) },
  ]);
  expect(lost.calls[0]?.hint?.endsWith(path)).toBe(true);
  expect(lost.control?.calls.map(({ hint }) => hint)).toEqual([null, null, null]);
  const suspect = await world.waitUntilSettled(await run(PRINTS));
  expect(suspect.calls[0]?.hint).toMatch(/hold: true/);
  expect(suspect.calls[0]?.hint).not.toContain("from=control");
  const html = { headers: { accept: "text/html" } };
  const page = await (await world.request(`/results/${lost.id}`, html)).text();
  expect(page).toContain("Next time start it held");
  expect(page).toContain(`href="${path}"`);
});

test("a held run without outputs is not told to hold", async () => {
  await world.emulator.addScript([{ code: "print(1)\nraise ValueError" }]);
  const id = await world.trigger({ ...PRINTS, hold: true });
  const record = await world.waitUntilSettled(id);
  const answer = await readOutputs(id);
  expect(record.calls[0]?.hint ?? "").not.toContain("hold: true");
  expect(JSON.stringify(answer)).not.toContain("hold: true");
  expect(JSON.stringify(answer)).toMatch(/most likely raised an exception/);
});

test("GET /results/:id/outputs?call=N answers by the verdict of that call", async () => {
  const id = await run(PRINTS_TWICE);
  expect(await readOutputs(id, "?call=2")).toMatchObject({
    status: 200,
    verdict: "silent",
    text: "",
  });
  expect(await readOutputs(id, "?call=3")).toMatchObject({
    status: 409,
    verdict: "suspect",
    message: matching(/no outputs for call 3 \(suspect\)\. /),
  });
  expect(await readOutputs(id, "?call=3&strict=false")).toMatchObject({ status: 200, text: "" });
  expect(await readOutputs(id, "?call=4")).toMatchObject({
    status: 404,
    verdict: "suspect",
    code: "not_found",
    message: matching(/from 1 to 3/),
  });
});

test("GET /results/:id/outputs?call=N gives a call that has outputs, in a run that lacks others", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const input = toPythonInput("print('one')", "print(1 / 0)");
  const id = await run({ input, tools: CODE_INTERPRETER });
  expect(await readOutputs(id)).toMatchObject({
    status: 409,
    verdict: "suspect",
    message: matching(/no outputs for call 2 \(suspect\)\. /),
  });
  const one = { status: 200, text: "one\n" };
  expect(await readOutputs(id, "?call=1")).toMatchObject({ ...one, verdict: "captured" });
  expect(await readOutputs(id, "?strict=false")).toMatchObject({ ...one, verdict: "suspect" });
  expect(await readOutputs(id, "?call=2")).toMatchObject({ status: 409, verdict: "suspect" });
});

test("GET /results/:id/outputs answers 200 to a run that was abandoned, when a call had outputs by then", async () => {
  await world.emulator.configure({ streamOutputs: "present" });
  await world.emulator.addScript([{ code: "x = 1" }, { code: "print('two')" }, { wait: 60 }]);
  await setLimits(world.url, {
    abandon_after_seconds: 5,
    poll_while_connected_seconds: 1,
    connection_report_seconds: 1,
  });
  const id = await run({ ...PRINTS, stream: true });
  const text = "two\n";
  expect(await readOutputs(id)).toMatchObject({ status: 200, verdict: "abandoned", text });
});

test("GET /results/:id/outputs answers 409 to a run that was abandoned before any call had outputs", async () => {
  await setLimits(world.url, { abandon_after_seconds: 2 });
  const id = await run({ input: "emulator: run 60 seconds" });
  expect(await readOutputs(id)).toMatchObject({
    status: 409,
    verdict: "abandoned",
    code: "outputs_missing",
    message: matching(/end was not seen.*hold: true/),
    retryAfter: null,
  });
  expect(await readOutputs(id, "?strict=false")).toMatchObject({ status: 200, text: "" });
});

test("GET /results/:id/outputs answers 404 not_finished with Retry-After to a run in flight, whatever is asked", async () => {
  const id = await world.trigger({ input: "emulator: run 60 seconds" });
  for (const query of ["", "?strict=false", "?call=1", "?wait=0"]) {
    expect(await readOutputs(id, query)).toEqual({
      status: 404,
      verdict: "pending",
      retryAfter: matching(/^[1-5]$/),
      code: "not_finished",
      message: matching(/wait/),
      id,
    });
  }
  const response = await world.request(`/results/${id}/response`);
  expect([response.status, response.headers.get("retry-after")]).toEqual([
    404,
    matching(/^[1-5]$/),
  ]);
  await world.request(`/results/${id}/cancel`, { method: "POST" });
});

test("GET /results/:id/outputs answers 404 not_found to an id that OpenAI does not know, and to one without a record", async () => {
  await setLimits(world.url, { not_found_after_seconds: 1 });
  const id = "resp_nowhere";
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  await world.waitUntilSettled(id);
  for (const query of ["", "?strict=false", "?from=control"]) {
    expect(await readOutputs(id, query)).toMatchObject({
      status: 404,
      verdict: "not_found",
      code: "not_found",
    });
  }
  expect(await readOutputs("resp_never")).toMatchObject({ status: 404, verdict: null });
});

test("GET /results/:id/outputs?from=control answers 404 and says why, when there is no control or it ran no code", async () => {
  const without = await run(PRINTS);
  expect(await readOutputs(without, "?from=control")).toMatchObject({
    status: 404,
    verdict: "suspect",
    code: "not_stored",
    message: matching(/has no control.*control: true/),
  });
  await world.emulator.addFault({
    method: "POST",
    path: "^/v1/responses$",
    after: 1,
    times: 1,
    kind: "status",
    status: 400,
  });
  const refused = await run({ ...PRINTS, control: true });
  expect(await readOutputs(refused, "?from=control")).toMatchObject({
    status: 404,
    code: "not_stored",
    message: matching(/status is refused/),
  });
});

test("GET /results/:id/outputs?from=control answers 404 not_finished while the control runs, and wait with until=settled waits for it", async () => {
  await world.emulator.addScript([{ code: "print('one')" }]);
  await world.emulator.addScript([{ wait: 3 }, { code: "print('one')" }]);
  const id = await world.trigger({ ...PRINTS, control: true });
  expect(await readOutputs(id, "?wait=60")).toMatchObject({
    status: 409,
    verdict: "suspect",
    retryAfter: matching(/^[1-5]$/),
  });
  expect(await readOutputs(id, "?from=control")).toMatchObject({
    status: 404,
    code: "not_finished",
    retryAfter: matching(/^[1-5]$/),
  });
  expect(await readOutputs(id, "?from=control&wait=60&until=settled")).toMatchObject({
    status: 200,
    verdict: "lost",
    text: "one\n",
  });
});
