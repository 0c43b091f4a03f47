// Controls: the same request once more with `background: false`, whose stream a Connection reads.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { STORAGE_WORKER, failToOpen, listConnections } from "../support/storage-worker.ts";
import type { ActualRun, LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { matching } from "../support/matchers.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { readRecord, triggerRun, waitUntilSettled } from "../support/run-requests.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

// A process of its own: the test harness would hide from OpenAI that a connection was closed.
let world: ProcessWorld;
beforeAll(async () => {
  world = await startProcessWorld(
    { interpreters: 2, queueSeconds: 0.1, runSeconds: 0.1, backgroundOutputs: "empty" },
    { main: STORAGE_WORKER },
  );
});
beforeEach(async () => {
  await failToOpen(world.url, "");
  await world.emulator.clearRequests();
  await world.emulator.clearFaults();
  await world.emulator.clearScripts();
});
afterAll(() => world.close());

const PRINTS = { model: "m", input: toPythonInput("print('one')"), tools: CODE_INTERPRETER };
const PRINTED = [{ type: "logs", logs: "one\n" }];
/** The create of the control comes after that of its run. */
const CONTROL_CREATE = { method: "POST", path: "^/v1/responses$", after: 1, times: 1 };

function triggerWithControl(body: object = PRINTS): Promise<string> {
  return triggerRun(world, { ...body, control: true });
}

async function listCreates(): Promise<LoggedRequest[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ method, path }) => method === "POST" && path === "/v1/responses");
}

/** The control of a run, as OpenAI has it. */
async function findControl(id: string): Promise<ActualRun | undefined> {
  const runs = await world.emulator.listRuns();
  const value = JSON.stringify({ control_of: id });
  return runs.find(({ metadata }) => metadata["response_recorder"] === value);
}

/** Answers the run at once, and its control with a call and then a pause of a minute. */
async function scriptSlowControl(): Promise<void> {
  await world.emulator.addScript([{ code: "print('one')" }, { text: "done" }]);
  await world.emulator.addScript([{ code: "print('one')" }, { wait: 60 }]);
}

/** Waits until the control's call is done. */
async function waitForControlCall(id: string): Promise<ActualRun> {
  const control = await waitFor(
    () => findControl(id),
    (found) => found?.calls.some(({ outputs }) => outputs !== null) === true,
  );
  if (control === undefined) throw new Error("There is no control.");
  return control;
}

const cancel = (id: string) => world.request(`/results/${id}/cancel`, { method: "POST" });

const FUNCTION = { type: "function", name: "f", parameters: {} };
const INTERPRETER = { type: "code_interpreter", container: "cntr_1" };
const NOT_COMPARABLE = [
  [{ previous_response_id: "resp_1" }, /continues another response/],
  [{ conversation: "conv_1" }, /belongs to a conversation/],
  [{ conversation: { id: "conv_1" } }, /belongs to a conversation/],
  [{ tools: [INTERPRETER] }, /share the container/],
  [{ tools: [{ type: "mcp", server_label: "x", server_url: "https://x.example" }] }, /mcp tool/],
  [{ tools: [...CODE_INTERPRETER, FUNCTION] }, /function tool/],
  [{ tools: [{ type: "custom", name: "c" }] }, /custom tool/],
  [{ tools: [{ type: "shell", environment: { type: "container_auto" } }] }, /shell tool/],
] as const;

test.each(NOT_COMPARABLE)(
  "POST /trigger with control rejects %j with control_not_comparable, and starts nothing",
  async (body, reason) => {
    for (const flags of [{ control: true }, { control: true, stream: true }]) {
      const text = JSON.stringify({ input: "x", ...body, ...flags });
      const answer = await world.request("/trigger", { method: "POST", body: text });
      expect([answer.status, await answer.json()]).toEqual([
        400,
        { error: { code: "control_not_comparable", message: matching(reason) } },
      ]);
    }
    expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  },
);

test("a control is the run's request with background false and stream true, and says which run it is compared with", async () => {
  const metadata = { mine: "yes" };
  const id = await triggerWithControl({ ...PRINTS, metadata, max_output_tokens: 900 });
  const record = await waitUntilSettled(world, id);
  const [run, control] = await listCreates();
  const response_recorder = JSON.stringify({ control_of: id });
  expect(control?.body).toEqual({
    ...Object(run?.body),
    background: false,
    stream: true,
    metadata: { ...metadata, response_recorder },
  });
  expect(await listCreates()).toHaveLength(2);
  expect(record).toMatchObject({
    verdict: "lost",
    control: {
      id: (await findControl(id))?.id,
      status: "completed",
      calls: [{ code: "print('one')", outputs: PRINTED, source: "control" }],
    },
  });
  const observed = record.observations.filter(({ channel }) => channel === "control");
  expect(observed).toMatchObject([
    { http_status: 200, status: "completed", request_id: matching(/^req_/), calls: [{}] },
  ]);
});

test("POST /trigger with control accepts a request with domain secrets, and more than 900 KiB", async () => {
  const domain_secrets = [{ domain: "a.example", name: "KEY", value: "a-secret" }];
  const network_policy = { type: "allowlist", allowed_domains: ["a.example"], domain_secrets };
  const tools = [{ type: "code_interpreter", container: { type: "auto", network_policy } }];
  const input = `${PRINTS.input}\n${"x".repeat(901 * 1024)}`;
  const id = await triggerWithControl({ ...PRINTS, input, tools });
  expect(await waitUntilSettled(world, id)).toMatchObject({ control: { status: "completed" } });
  const creates = await listCreates();
  expect(creates.map(({ body }) => body)).toMatchObject([
    { input, tools },
    { input, tools },
  ]);
});

test("a control whose Connection was never opened is not_run", async () => {
  await failToOpen(world.url, "control");
  const record = await waitUntilSettled(world, await triggerWithControl());
  expect(record).toMatchObject({
    verdict: "suspect",
    control: { id: null, status: "not_run", calls: [] },
  });
  expect(record.observations.some(({ channel }) => channel === "control")).toBe(false);
  expect(await listCreates()).toHaveLength(1);
});

test.each([
  [{ kind: "status", status: 400 }, "refused", 400],
  [{ kind: "status", status: 429 }, "refused", 429],
  [{ kind: "status", status: 500 }, "refused", 500],
  [{ kind: "html", status: 502 }, "refused", 502],
  [{ kind: "cut" }, "unreachable", null],
  [{ kind: "html" }, "unreachable", null],
] as const)("a control that gets %j from OpenAI is %s", async (fault, status, http_status) => {
  await world.emulator.addFault({ ...CONTROL_CREATE, ...fault });
  const record = await waitUntilSettled(world, await triggerWithControl());
  expect(record).toMatchObject({ verdict: "suspect", control: { id: null, status, calls: [] } });
  const observed = record.observations.filter(({ channel }) => channel === "control");
  expect(observed).toMatchObject([{ http_status, status: null, calls: [] }]);
  expect(await listCreates()).toHaveLength(2);
});

test("a control whose stream is cut is interrupted, and what had come is kept and proves nothing", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { text: "done" }]);
  await world.emulator.addScript([
    { code: "print('one')" },
    { wait: 1 },
    { cut: true },
    { text: "done" },
  ]);
  const record = await waitUntilSettled(world, await triggerWithControl());
  expect(record).toMatchObject({
    verdict: "suspect",
    calls: [{ verdict: "suspect", outputs: [] }],
    control: { status: "interrupted", calls: [{ outputs: PRINTED, source: "control" }] },
  });
  expect(record.control?.id).toMatch(/^resp_/);
});

test("a control that fails is recorded with that status", async () => {
  await world.emulator.addScript([{ code: "print('one')" }, { text: "done" }]);
  await world.emulator.addScript([{ failed: "server_error" }]);
  const record = await waitUntilSettled(world, await triggerWithControl());
  expect(record).toMatchObject({ verdict: "suspect", control: { status: "failed", calls: [] } });
});

test("a run whose control still runs has its verdict, and is not settled", async () => {
  await scriptSlowControl();
  const id = await triggerWithControl();
  const open = await waitFor(
    () => readRecord(world, id),
    ({ verdict }) => verdict !== "pending",
  );
  expect(open).toMatchObject({ verdict: "suspect", control: null, settled_at: null });
  expect(await listConnections(world.url, id)).toHaveLength(1);
  expect((await cancel(id)).status).toBe(202);
});

test("POST /results/:id/cancel after the run's end cancels its control, and answers 409 when neither runs", async () => {
  await scriptSlowControl();
  const id = await triggerWithControl();
  const control = await waitForControlCall(id);
  await waitUntil(async () => (await readRecord(world, id)).verdict !== "pending");
  expect((await cancel(id)).status).toBe(202);
  expect(await waitUntilSettled(world, id)).toMatchObject({
    status: "completed",
    verdict: "suspect",
    control: { id: control.id, status: "interrupted", calls: [{ outputs: PRINTED }] },
  });
  // OpenAI cancels a foreground run whose connection was closed.
  await waitUntil(async () => (await world.emulator.getRun(control.id)).status === "cancelled");
  const again = await cancel(id);
  expect([again.status, await again.json()]).toMatchObject([
    409,
    { error: { code: "already_ended" } },
  ]);
});

test("POST /results/:id/cancel of a run in flight cancels its control too", async () => {
  for (const wait of [60, 60]) {
    await world.emulator.addScript([{ code: "print('one')" }, { wait }]);
  }
  const id = await triggerWithControl();
  const control = await waitForControlCall(id);
  expect((await cancel(id)).status).toBe(202);
  expect(await waitUntilSettled(world, id)).toMatchObject({
    status: "cancelled",
    control: { id: control.id, status: "interrupted" },
  });
  expect((await world.emulator.getRun(id)).status).toBe("cancelled");
  await waitUntil(async () => (await world.emulator.getRun(control.id)).status === "cancelled");
  expect((await cancel(id)).status).toBe(409);
});

test("POST /results/:id/refetch does not end a control", async () => {
  await scriptSlowControl();
  const id = await triggerWithControl();
  const control = await waitForControlCall(id);
  await waitUntil(async () => (await readRecord(world, id)).verdict !== "pending");
  const before = (await readRecord(world, id)).observations.length;
  expect((await world.request(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  const record = await waitFor(
    () => readRecord(world, id),
    ({ observations }) => observations.length > before,
  );
  expect(record.control).toBeNull();
  expect((await world.emulator.getRun(control.id)).status).toBe("in_progress");
  expect((await cancel(id)).status).toBe(202);
});
