// Followed runs whose stream breaks: it is taken up again, or the run is refetched.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ResponseRecord } from "../../src/record/schema.ts";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { waitFor } from "../support/wait.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { readRecord, triggerRun, waitUntilSettled } from "../support/run-requests.ts";

// A process of its own: the test harness may drop the last events before a connection breaks.
let world: ProcessWorld;
/** The types of the events of a run like those of the tests. */
let types: string[];
beforeAll(async () => {
  world = await startProcessWorld(
    { interpreters: 2, queueSeconds: 0.1, runSeconds: 0.1 },
    { vars: { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1" } },
  );
  types = await readEventTypes();
});
beforeEach(async () => {
  await world.emulator.configure({
    backgroundOutputs: "empty",
    streamOutputs: "present",
    webhookDrop: true,
    replayMinutes: null,
  });
  await world.emulator.clearRequests();
  await world.emulator.clearFaults();
});
afterAll(() => world.close());

const INPUT = toPythonInput("print('one')", "print('two')");
const OUTPUTS = ["one\n", "two\n"].map((logs) => [{ type: "logs", logs }]);
const REQUEST = { input: INPUT, tools: CODE_INTERPRETER, model: "m" };
const CREATE = { method: "POST", path: "^/v1/responses$", times: 1 };
const REPLAY = { method: "GET", path: "^/v1/responses/", query: { stream: "true" } };

async function readEventTypes(): Promise<string[]> {
  const body = JSON.stringify({ ...REQUEST, background: true, stream: true });
  const answer = await world.emulator.sendToApi("/responses", { method: "POST", body });
  const events = (await answer.text()).matchAll(/^event: (.*)$/gm);
  return [...events].map(([, type = ""]) => type);
}

/** How many events have come when the first call is done. */
function countToFirstCall(): number {
  return types.indexOf("response.code_interpreter_call.completed") + 2;
}

/** Triggers a followed run that fault rules recognise by a name. */
function triggerFollowed(name: string): Promise<string> {
  return triggerRun(world, { ...REQUEST, metadata: { name }, stream: true });
}

async function listReplays(id: string): Promise<LoggedRequest[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ path, query }) => path.endsWith(id) && "stream" in query);
}

function readOutputs(record: ResponseRecord): unknown[] {
  return record.calls.map(({ outputs }) => outputs);
}

test("a followed stream that is cut after any event is taken up again after that event, and every output is there", async () => {
  const cuts = [
    3,
    4,
    6,
    countToFirstCall() - 1,
    countToFirstCall(),
    types.length - 2,
    types.length - 1,
  ];
  const runs = cuts.map(async (after_events) => {
    const metadata = { name: `cut after ${after_events}` };
    await world.emulator.addFault({ ...CREATE, metadata, kind: "cut", after_events });
    const id = await triggerFollowed(metadata.name);
    const record = await waitUntilSettled(world, id);
    expect(record).toMatchObject({
      status: "completed",
      verdict: "recovered",
      error: null,
      calls: [{ source: "stream" }, { source: "stream" }],
      observations: [
        { channel: "refetch", status: "completed" },
        { channel: "stream", status: "completed" },
      ],
    });
    expect(readOutputs(record)).toEqual(OUTPUTS);
    const replays = await listReplays(id);
    expect(replays.map(({ query }) => query["starting_after"])).toEqual([
      [String(after_events - 1)],
    ]);
    expect(replays[0]?.query["include[]"]).toContain("code_interpreter_call.outputs");
  });
  expect(await Promise.all(runs)).toHaveLength(7);
});

test("a followed stream that is cut again and again goes on after the last event that came", async () => {
  const metadata = { name: "cut four times" };
  await world.emulator.addFault({ ...CREATE, metadata, kind: "cut", after_events: 4 });
  for (const after_events of [3, 5, 4]) {
    await world.emulator.addFault({ ...REPLAY, metadata, kind: "cut", after_events });
  }
  const id = await triggerFollowed(metadata.name);
  const record = await waitUntilSettled(world, id);
  expect([record.verdict, readOutputs(record)]).toEqual(["recovered", OUTPUTS]);
  const after = (await listReplays(id)).map(({ query }) => query["starting_after"]);
  expect(after).toEqual([["3"], ["6"], ["11"], ["15"]]);
});

test("a followed stream is taken up again when OpenAI fails to replay it at first", async () => {
  const metadata = { name: "failing replays" };
  await world.emulator.addFault({ ...CREATE, metadata, kind: "cut", after_events: 3 });
  const faults = [{ kind: "status", status: 500 }, { kind: "cut" }, { kind: "html", status: 502 }];
  for (const fault of faults) await world.emulator.addFault({ ...REPLAY, metadata, ...fault });
  const id = await triggerFollowed(metadata.name);
  const record = await waitUntilSettled(world, id);
  expect([record.verdict, readOutputs(record)]).toEqual(["recovered", OUTPUTS]);
  const after = (await listReplays(id)).map(({ query }) => query["starting_after"]);
  expect(after).toEqual([["2"], ["2"], ["2"], ["2"]]);
});

test("a followed stream that OpenAI ends without a last event is taken up again", async () => {
  const metadata = { name: "ended early" };
  await world.emulator.addScript(
    [{ code: "print('one')" }, { code: "print('two')" }, { cut: true }, { text: "done" }],
    { metadata },
  );
  const record = await waitUntilSettled(world, await triggerFollowed(metadata.name));
  expect([record.verdict, readOutputs(record)]).toEqual(["recovered", OUTPUTS]);
});

test("a followed stream that was cut for longer than OpenAI replays it is ended by a refetch, and the record is whole", async () => {
  await world.emulator.configure({ replayMinutes: 0.05, backgroundOutputs: "present" });
  const metadata = { name: "past the window" };
  await world.emulator.addFault({ ...CREATE, metadata, kind: "cut", after_events: 4 });
  // Until the window is over.
  await world.emulator.addFault({ ...REPLAY, metadata, kind: "status", status: 500, times: 3 });
  const id = await triggerFollowed(metadata.name);
  const record = await waitUntilSettled(world, id);
  expect(record).toMatchObject({
    status: "completed",
    error: null,
    calls: [{ source: "refetch" }, { source: "refetch" }],
    response: { id, status: "completed" },
  });
  expect(readOutputs(record)).toEqual(OUTPUTS);
  expect(record.observations).toMatchObject([
    { channel: "refetch", status: "completed" },
    { channel: "stream", http_status: 200, status: "in_progress" },
  ]);
  expect((await listReplays(id)).at(-1)?.status).toBe(400);
});

test("a followed stream that can't be taken up again keeps the outputs that had come, which no refetch shows", async () => {
  await world.emulator.configure({ replayMinutes: 0 });
  const metadata = { name: "one call came" };
  const after_events = countToFirstCall();
  await world.emulator.addFault({ ...CREATE, metadata, kind: "cut", after_events });
  const id = await triggerFollowed(metadata.name);
  const record = await waitUntilSettled(world, id);
  expect(record).toMatchObject({
    status: "completed",
    verdict: "suspect",
    calls: [
      { source: "stream", verdict: "recovered", outputs: OUTPUTS[0] },
      { source: null, verdict: "suspect", outputs: [] },
    ],
    response: { id, status: "completed" },
  });
  const outputs = await world.request(`/results/${id}/outputs?strict=false`);
  expect(await outputs.text()).toBe("one\n");
});

test("GET /results/:id shows what a broken stream brought before the run has ended", async () => {
  await world.emulator.configure({ replayMinutes: 0 });
  const metadata = { name: "broken in flight" };
  await world.emulator.addScript([{ code: "print('one')" }, { cut: true }, { wait: 60 }], {
    metadata,
  });
  const id = await triggerFollowed(metadata.name);
  const broken = await waitFor(
    () => readRecord(world, id),
    ({ observations }) => observations.length > 0,
  );
  expect(broken).toMatchObject({
    status: "in_progress",
    verdict: "pending",
    calls: [{ source: "stream", outputs: OUTPUTS[0] }],
  });
  await world.request(`/results/${id}/cancel`, { method: "POST" });
  expect(await waitUntilSettled(world, id)).toMatchObject({
    status: "cancelled",
    verdict: "recovered",
    calls: [{ source: "stream", outputs: OUTPUTS[0] }],
  });
});
