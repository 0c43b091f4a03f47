import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { sign } from "../support/sign.ts";
import { API_KEY, startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1" });
});
beforeEach(() =>
  world.emulate({
    backgroundOutputs: "empty",
    streamOutputs: "empty",
    conversationOutputs: "empty",
  }),
);
afterAll(() => world.close());

const TOOLS = [{ type: "code_interpreter", container: { type: "auto" } }];
const PRINTS = "```python\nprint('naïve – 数据')\n```";
const PRINTED = [{ type: "logs", logs: "naïve – 数据\n" }];
const Requests = z.array(z.looseObject({ method: z.string(), path: z.string() }));

function api(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
  return fetch(`${world.emulator.url}/v1${path}`, { ...init, headers });
}

test("empty outputs of code that prints are looked for again and again, and stay suspect", async () => {
  const record = await world.settled(await world.trigger());
  expect(record.verdict).toBe("suspect");
  expect(record.observations.length).toBeGreaterThan(1);
  expect(record.observations.every((seen) => seen.channel === "refetch")).toBe(true);
});

test("a control with identical code and outputs proves the loss", async () => {
  const record = await world.settled(await world.trigger({ control: true }));
  expect(record).toMatchObject({
    verdict: "lost",
    calls: [{ verdict: "lost", outputs: [] }],
    control: {
      status: "completed",
      calls: [{ source: "control", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
    },
  });
  expect(record.control?.calls[0]?.code).toBe(record.calls[0]?.code);
  expect(record.observations.map((seen) => seen.channel)).toContain("control");
});

test("a control that fails leaves the verdict as it was", async () => {
  await world.fault({
    method: "POST",
    path: "^/v1/responses$",
    after: 1,
    times: 1,
    kind: "status",
    status: 500,
  });
  const record = await world.settled(await world.trigger({ control: true }));
  expect(record).toMatchObject({
    verdict: "suspect",
    control: { id: null, status: "refused", calls: [] },
  });
});

test("a replay of the stream recovers outputs", async () => {
  await world.emulate({ streamOutputs: "present" });
  const record = await world.settled(
    await world.trigger({ input: PRINTS, tools: TOOLS, replay: true }),
  );
  expect(record).toMatchObject({
    verdict: "recovered",
    calls: [{ verdict: "recovered", source: "stream", outputs: PRINTED }],
  });
  const foreground = await api("/responses", {
    method: "POST",
    body: JSON.stringify({
      model: "m",
      input: PRINTS,
      tools: TOOLS,
      include: ["code_interpreter_call.outputs"],
    }),
  });
  const Output = z.object({ output: z.array(z.looseObject({ outputs: z.unknown().optional() })) });
  const { output } = Output.parse(await foreground.json());
  expect(record.calls[0]?.outputs).toEqual(
    output.find((item) => item.outputs !== undefined)?.outputs,
  );
  const printed = await world.ask(`/results/${record.id}/outputs`);
  expect(await printed.text()).toBe("naïve – 数据\n");
});

test("the stream of a response that was not created so is never replayed", async () => {
  const record = await world.settled(await world.trigger());
  expect(record.observations.some((seen) => seen.channel === "stream")).toBe(false);
});

test("a conversation's items recover outputs", async () => {
  await world.emulate({ conversationOutputs: "present" });
  const answer = await api("/conversations", { method: "POST", body: "{}" });
  const { id: conversation } = z.object({ id: z.string() }).parse(await answer.json());
  const record = await world.settled(
    await world.trigger({ input: PRINTS, tools: TOOLS, conversation }),
  );
  expect(record).toMatchObject({
    verdict: "recovered",
    calls: [{ source: "conversation", outputs: PRINTED }],
  });
});

test("outputs that come late are recovered, and the empty looks before them are kept", async () => {
  const late = await startWorld({ backgroundOutputs: "late:2" }, { REFETCH_DELAYS: "1 2 2 2" });
  try {
    const record = await late.settled(await late.trigger({ input: PRINTS, tools: TOOLS }));
    expect(record).toMatchObject({
      verdict: "recovered",
      calls: [{ source: "refetch", outputs: PRINTED }],
    });
    const seen = record.observations.map(({ calls }) => calls[0]?.outputs);
    expect(seen.at(0)).toBe("empty");
    expect(seen.at(-1)).toBe("populated");
  } finally {
    await late.close();
  }
});

test("captured and silent responses cost one create, one retrieve and three KV writes", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  const captured = await world.settled(await world.trigger());
  expect(captured.verdict).toBe("captured");
  const silent = await world.settled(
    await world.trigger({ input: "```python\nx = 1\n```", tools: TOOLS }),
  );
  expect(silent.verdict).toBe("silent");
  const requests = Requests.parse(await world.told("/requests"));
  for (const { id } of [captured, silent]) {
    const writes = world.kv().filter((done) => done.operation === "put" && done.key.includes(id));
    expect(writes).toHaveLength(3);
    expect(requests.filter((request) => request.path.endsWith(id))).toHaveLength(1);
  }
  expect(requests.filter((request) => request.method === "POST")).toHaveLength(2);
});

test("a record never gets worse, whatever a later look says", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTS, tools: TOOLS });
  await world.settled(id);
  for (const patch of [
    { status: "in_progress", output: [] },
    { output: [] },
    { status: "failed" },
  ]) {
    await world.fault({ method: "GET", path: id, times: 1, kind: "replace", patch });
    const record = await lookAgain(id);
    expect(record).toMatchObject({
      status: "completed",
      verdict: "captured",
      calls: [{ outputs: PRINTED }],
    });
  }
  await world.emulate({ backgroundOutputs: "empty" });
  expect(await lookAgain(id)).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  await api(`/responses/${id}`, { method: "DELETE" });
  const last = await lookAgain(id);
  expect(last).toMatchObject({
    status: "completed",
    verdict: "captured",
    calls: [{ outputs: PRINTED }],
  });
  expect(last.response).not.toBeNull();
});

test("looking by hand finds outputs after the end, and records an id never seen", async () => {
  const id = await world.trigger({ input: PRINTS, tools: TOOLS });
  expect((await world.settled(id)).verdict).toBe("suspect");
  await world.emulate({ backgroundOutputs: "present" });
  expect(await lookAgain(id)).toMatchObject({
    verdict: "recovered",
    calls: [{ outputs: PRINTED }],
  });
  await world.emulate({ webhookDrop: true });
  const created = await api("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "m", input: "hello", background: true }),
  });
  const stranger = z.object({ id: z.string() }).parse(await created.json()).id;
  expect(await lookAgain(stranger)).toMatchObject({
    id: stranger,
    started_by: "refetch",
    status: "completed",
  });
  await world.emulate({ webhookDrop: false });
});

test("an id can be looked at again and again, and then be deleted", async () => {
  const id = await world.trigger({ input: "hello" });
  await world.settled(id);
  for (let looks = 2; looks < 5; looks += 1) {
    expect((await lookAgain(id)).observations).toHaveLength(looks);
  }
  expect((await world.ask(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.ask(`/results/${id}`)).status).toBe(404);
});

test("a deleted record is gone with its files and its line in the list", async () => {
  const id = await world.trigger({
    input: "```python\nopen('/mnt/data/a.txt', 'w').write('a');\n```",
    tools: TOOLS,
  });
  const record = await world.settled(id);
  expect(record.files).toMatchObject([{ filename: "a.txt", reason: null }]);
  const answer = await world.ask(`/results/${id}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
  for (const path of ["", "/outputs", "/response", `/files/${record.files[0]?.id}`]) {
    expect((await world.ask(`/results/${id}${path}`)).status).toBe(404);
  }
  const list = await (await world.ask("/results?limit=100")).text();
  expect(list).not.toContain(id);
  const env = await world.worker.getWorker<{ RECORDS: KV }>().getEnv();
  const { keys } = await env.RECORDS.list();
  expect(keys.filter((key) => key.name.includes(id))).toEqual([]);
});

type KV = { list(): Promise<{ keys: { name: string }[] }> };

test("a webhook that is sent again after the instance was forgotten changes nothing", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTS, tools: TOOLS });
  const before = await world.settled(id);
  const env = await world.worker.getWorker<{ RECORDER: Instances }>().getEnv();
  await (await env.RECORDER.get(id)).delete();
  await api(`/responses/${id}`, { method: "DELETE" });
  const body = JSON.stringify({
    id: "evt_2",
    object: "event",
    type: "response.completed",
    data: { id },
  });
  const answer = await fetch(`${world.url}/webhook`, {
    method: "POST",
    body,
    headers: sign(body, WEBHOOK_SECRET),
  });
  expect(answer.status).toBe(200);
  expect(await world.settled(id)).toEqual(before);
});

type Instances = { get(id: string): Promise<{ delete(): Promise<void> }> };

test("a webhook alone leads to the same record, but for the control", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const metadata = {
    mine: "yes",
    response_recorder: JSON.stringify({ include: ["message.output_text.logprobs"], control: true }),
  };
  const created = await api("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "m", input: PRINTS, tools: TOOLS, background: true, metadata }),
  });
  const { id } = z.object({ id: z.string() }).parse(await created.json());
  while ((await world.ask(`/results/${id}`)).status === 404)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await world.settled(id)).toMatchObject({
    verdict: "captured",
    include: ["message.output_text.logprobs"],
    control: { id: null, status: "not_run" },
  });
});

test("other includes are asked for again where GET allows them", async () => {
  const include = [
    "message.output_text.logprobs",
    "file_search_call.results",
    "reasoning.encrypted_content",
  ];
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  const id = await world.trigger({ input: "hello", include });
  await world.settled(id);
  const Seen = z.array(
    z.looseObject({ path: z.string(), query: z.record(z.string(), z.array(z.string())) }),
  );
  const look = Seen.parse(await world.told("/requests")).find((request) =>
    request.path.endsWith(id),
  );
  expect(look?.query["include[]"]).toEqual([
    "code_interpreter_call.outputs",
    "message.output_text.logprobs",
    "file_search_call.results",
  ]);
});

test("a run in flight can be cancelled", async () => {
  const id = await world.trigger({ input: "emulator: run 60 seconds" });
  expect((await world.ask(`/results/${id}/cancel`, { method: "POST" })).status).toBe(202);
  expect(await world.settled(id)).toMatchObject({ status: "cancelled" });
  expect((await world.ask(`/results/${id}/cancel`, { method: "POST" })).status).toBe(409);
});

const MCP = { type: "mcp", server_label: "x", server_url: "https://mcp.example" };
const UNFIT = [
  { name: "a conversation", body: { input: "x", conversation: "conv_1" }, status: 400 },
  { name: "an MCP tool", body: { input: "x", tools: [MCP] }, status: 400 },
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

test.each(UNFIT)("control refuses $name and starts nothing", async ({ body, status }) => {
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  const answer = await world.ask("/trigger", {
    method: "POST",
    body: JSON.stringify({ ...body, control: true }),
  });
  expect(answer.status).toBe(status);
  expect(await answer.text()).toContain("Leave control out");
  const requests = Requests.parse(await world.told("/requests"));
  expect(requests.filter((request) => request.method === "POST")).toEqual([]);
});

async function lookAgain(id: string) {
  const before = await world.ask(`/results/${id}`);
  expect([200, 404]).toContain(before.status);
  expect((await world.ask(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  return world.settled(id);
}
