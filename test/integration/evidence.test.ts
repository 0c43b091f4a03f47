import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { API_KEY, startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";
import { waitUntil } from "../support/wait.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1" });
});
beforeEach(() =>
  world.emulator.configure({
    backgroundOutputs: "empty",
    streamOutputs: "empty",
    conversationOutputs: "empty",
  }),
);
afterAll(() => world.close());

const PRINTING_INPUT = toPythonInput("print('naïve – 数据')");
const PRINTED = [{ type: "logs", logs: "naïve – 数据\n" }];
/** Sends OpenAI a request that does not come from the Worker. */
function sendToOpenAI(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
  return fetch(`${world.emulator.url}/v1${path}`, { ...init, headers });
}

test("a run with empty outputs of code that prints is refetched, and stays suspect", async () => {
  const record = await world.waitUntilSettled(await world.trigger());
  expect(record.verdict).toBe("suspect");
  expect(record.observations.length).toBeGreaterThan(1);
  expect(record.observations.every((one) => one.channel === "refetch")).toBe(true);
});

test("a control with identical code and with outputs makes the verdict lost", async () => {
  const record = await world.waitUntilSettled(await world.trigger({ control: true }));
  expect(record).toMatchObject({
    verdict: "lost",
    calls: [{ verdict: "lost", outputs: [] }],
    control: {
      status: "completed",
      calls: [{ source: "control", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
    },
  });
  expect(record.control?.calls[0]?.code).toBe(record.calls[0]?.code);
  expect(record.observations.map((one) => one.channel)).toContain("control");
});

test("a control that OpenAI refuses leaves the verdict suspect", async () => {
  await world.emulator.addFault({
    method: "POST",
    path: "^/v1/responses$",
    after: 1,
    times: 1,
    kind: "status",
    status: 500,
  });
  const record = await world.waitUntilSettled(await world.trigger({ control: true }));
  expect(record).toMatchObject({
    verdict: "suspect",
    control: { id: null, status: "refused", calls: [] },
  });
});

test("replay recovers outputs from the stream", async () => {
  await world.emulator.configure({ streamOutputs: "present" });
  const record = await world.waitUntilSettled(
    await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER, replay: true }),
  );
  expect(record).toMatchObject({
    verdict: "recovered",
    calls: [{ verdict: "recovered", source: "stream", outputs: PRINTED }],
  });
  const foreground = await sendToOpenAI("/responses", {
    method: "POST",
    body: JSON.stringify({
      model: "m",
      input: PRINTING_INPUT,
      tools: CODE_INTERPRETER,
      include: ["code_interpreter_call.outputs"],
    }),
  });
  const Output = z.object({ output: z.array(z.looseObject({ outputs: z.unknown().optional() })) });
  const { output } = Output.parse(await foreground.json());
  expect(record.calls[0]?.outputs).toEqual(
    output.find((item) => item.outputs !== undefined)?.outputs,
  );
  const answer = await world.request(`/results/${record.id}/outputs`);
  expect(await answer.text()).toBe("naïve – 数据\n");
});

test("the stream of a run without replay is never read", async () => {
  const record = await world.waitUntilSettled(await world.trigger());
  expect(record.observations.some((one) => one.channel === "stream")).toBe(false);
});

test("outputs are recovered from the items of a conversation", async () => {
  await world.emulator.configure({ conversationOutputs: "present" });
  const answer = await sendToOpenAI("/conversations", { method: "POST", body: "{}" });
  const { id: conversation } = z.object({ id: z.string() }).parse(await answer.json());
  const record = await world.waitUntilSettled(
    await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER, conversation }),
  );
  expect(record).toMatchObject({
    verdict: "recovered",
    calls: [{ source: "conversation", outputs: PRINTED }],
  });
});

test("outputs that appear late are recovered, and the empty observations before them are kept", async () => {
  const late = await startWorld({ backgroundOutputs: "late:2" }, { REFETCH_DELAYS: "1 2 2 2" });
  try {
    const record = await late.waitUntilSettled(
      await late.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER }),
    );
    expect(record).toMatchObject({
      verdict: "recovered",
      calls: [{ source: "refetch", outputs: PRINTED }],
    });
    const outputs = record.observations.map(({ calls }) => calls[0]?.outputs);
    expect(outputs.at(0)).toBe("empty");
    expect(outputs.at(-1)).toBe("populated");
  } finally {
    await late.close();
  }
});

test("captured and silent responses cost one create, one retrieve and three KV writes", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  await world.emulator.clearRequests();
  const captured = await world.waitUntilSettled(await world.trigger());
  expect(captured.verdict).toBe("captured");
  const silent = await world.waitUntilSettled(
    await world.trigger({ input: toPythonInput("x = 1"), tools: CODE_INTERPRETER }),
  );
  expect(silent.verdict).toBe("silent");
  const requests = await world.emulator.listRequests();
  for (const { id } of [captured, silent]) {
    const writes = world
      .kvOperations()
      .filter(({ operation, key }) => operation === "put" && key.includes(id));
    expect(writes).toHaveLength(3);
    expect(requests.filter((request) => request.path.endsWith(id))).toHaveLength(1);
  }
  expect(requests.filter((request) => request.method === "POST")).toHaveLength(2);
});

test("a record never gets worse, whatever a later refetch shows", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  await world.waitUntilSettled(id);
  for (const patch of [
    { status: "in_progress", output: [] },
    { output: [] },
    { status: "failed" },
  ]) {
    await world.emulator.addFault({ method: "GET", path: id, times: 1, kind: "replace", patch });
    const record = await refetch(id);
    expect(record).toMatchObject({
      status: "completed",
      verdict: "captured",
      calls: [{ outputs: PRINTED }],
    });
  }
  await world.emulator.configure({ backgroundOutputs: "empty" });
  expect(await refetch(id)).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  await sendToOpenAI(`/responses/${id}`, { method: "DELETE" });
  const last = await refetch(id);
  expect(last).toMatchObject({
    status: "completed",
    verdict: "captured",
    calls: [{ outputs: PRINTED }],
  });
  expect(last.response).not.toBeNull();
});

test("POST /results/:id/refetch finds outputs after the end, and records an id never seen", async () => {
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  expect((await world.waitUntilSettled(id)).verdict).toBe("suspect");
  await world.emulator.configure({ backgroundOutputs: "present" });
  expect(await refetch(id)).toMatchObject({
    verdict: "recovered",
    calls: [{ outputs: PRINTED }],
  });
  await world.emulator.configure({ webhookDrop: true });
  const created = await sendToOpenAI("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "m", input: "hello", background: true }),
  });
  const external = z.object({ id: z.string() }).parse(await created.json()).id;
  expect(await refetch(external)).toMatchObject({
    id: external,
    started_by: "refetch",
    status: "completed",
  });
  await world.emulator.configure({ webhookDrop: false });
});

test("POST /results/:id/refetch can be repeated, and DELETE /results/:id works after it", async () => {
  const id = await world.trigger({ input: "hello" });
  await world.waitUntilSettled(id);
  for (let observations = 2; observations < 5; observations += 1) {
    expect((await refetch(id)).observations).toHaveLength(observations);
  }
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.request(`/results/${id}`)).status).toBe(404);
});

test("DELETE /results/:id removes the record, its files and its row in the list", async () => {
  const id = await world.trigger({
    input: toPythonInput("open('/mnt/data/a.txt', 'w').write('a');"),
    tools: CODE_INTERPRETER,
  });
  const record = await world.waitUntilSettled(id);
  expect(record.files).toMatchObject([{ filename: "a.txt", reason: null }]);
  const answer = await world.request(`/results/${id}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
  for (const path of ["", "/outputs", "/response", `/files/${record.files[0]?.id}`]) {
    expect((await world.request(`/results/${id}${path}`)).status).toBe(404);
  }
  const list = await (await world.request("/results?limit=100")).text();
  expect(list).not.toContain(id);
  const env = await world.worker.getWorker<{ RECORDS: KvBinding }>().getEnv();
  const { keys } = await env.RECORDS.list();
  expect(keys.filter((key) => key.name.includes(id))).toEqual([]);
});

type KvBinding = { list(): Promise<{ keys: { name: string }[] }> };

test("POST /webhook with a duplicate changes nothing after the engine has forgotten the instance", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  const before = await world.waitUntilSettled(id);
  const env = await world.worker.getWorker<{ RECORDER: RecorderBinding }>().getEnv();
  await (await env.RECORDER.get(id)).delete();
  await sendToOpenAI(`/responses/${id}`, { method: "DELETE" });
  const body = JSON.stringify({
    id: "evt_2",
    object: "event",
    type: "response.completed",
    data: { id },
  });
  const answer = await fetch(`${world.url}/webhook`, {
    method: "POST",
    body,
    headers: signWebhook(body, WEBHOOK_SECRET),
  });
  expect(answer.status).toBe(200);
  expect(await world.waitUntilSettled(id)).toEqual(before);
});

type RecorderBinding = { get(id: string): Promise<{ delete(): Promise<void> }> };

test("POST /webhook alone leads to the same record as a trigger, except for the control", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const metadata = {
    mine: "yes",
    response_recorder: JSON.stringify({ include: ["message.output_text.logprobs"], control: true }),
  };
  const created = await sendToOpenAI("/responses", {
    method: "POST",
    body: JSON.stringify({
      model: "m",
      input: PRINTING_INPUT,
      tools: CODE_INTERPRETER,
      background: true,
      metadata,
    }),
  });
  const { id } = z.object({ id: z.string() }).parse(await created.json());
  await waitUntil(async () => (await world.request(`/results/${id}`)).status !== 404);
  expect(await world.waitUntilSettled(id)).toMatchObject({
    verdict: "captured",
    include: ["message.output_text.logprobs"],
    control: { id: null, status: "not_run" },
  });
});

test("a refetch asks for those includes of the trigger that GET allows", async () => {
  const include = [
    "message.output_text.logprobs",
    "file_search_call.results",
    "reasoning.encrypted_content",
  ];
  await world.emulator.clearRequests();
  const id = await world.trigger({ input: "hello", include });
  await world.waitUntilSettled(id);
  const requests = await world.emulator.listRequests();
  const refetched = requests.find(({ path }) => path.endsWith(id));
  expect(refetched?.query["include[]"]).toEqual([
    "code_interpreter_call.outputs",
    "message.output_text.logprobs",
    "file_search_call.results",
  ]);
});

test("POST /results/:id/cancel cancels a run in flight, and answers 409 after its end", async () => {
  const id = await world.trigger({ input: "emulator: run 60 seconds" });
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(202);
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "cancelled" });
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(409);
});

const MCP_TOOL = { type: "mcp", server_label: "x", server_url: "https://mcp.example" };
const NOT_COMPARABLE = [
  { name: "a conversation", body: { input: "x", conversation: "conv_1" }, status: 400 },
  { name: "an MCP tool", body: { input: "x", tools: [MCP_TOOL] }, status: 400 },
  {
    name: "a function tool",
    body: { input: "x", tools: [{ type: "function", name: "f" }] },
    status: 400,
  },
  {
    name: "domain secrets",
    body: {
      input: "x",
      tools: [
        {
          type: "code_interpreter",
          container: {
            type: "auto",
            network_policy: { type: "allowlist", domain_secrets: [{ value: "s" }] },
          },
        },
      ],
    },
    status: 400,
  },
  { name: "more than 900 KiB", body: { input: "x".repeat(901 * 1024) }, status: 413 },
];

test.each(NOT_COMPARABLE)(
  "POST /trigger with control rejects $name, and starts nothing",
  async ({ body, status }) => {
    await world.emulator.clearRequests();
    const answer = await world.request("/trigger", {
      method: "POST",
      body: JSON.stringify({ ...body, control: true }),
    });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain("Leave control out");
    const requests = await world.emulator.listRequests();
    expect(requests.filter((request) => request.method === "POST")).toEqual([]);
  },
);

/** Refetches a response; returns its record once it is settled. */
async function refetch(id: string) {
  const before = await world.request(`/results/${id}`);
  expect([200, 404]).toContain(before.status);
  expect((await world.request(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  return world.waitUntilSettled(id);
}
