import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { WEBHOOK_DEADLINE: "30" });
});
afterAll(() => world.close());

const Requests = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    query: z.record(z.string(), z.array(z.string())),
  }),
);
const Requested = z.array(z.looseObject({ body: z.looseObject({}).nullable() }));

async function requestsFor(id: string) {
  const seen = Requests.parse(await world.told("/requests"));
  return seen.filter(({ path, method }) => path.includes(id) || method === "POST");
}

test("the report's request is recorded with one create, one retrieve and three KV writes", async () => {
  await world.emulate({ backgroundOutputs: "present", runSeconds: 2 });
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  const id = await world.trigger();
  const early = await world.ask(`/results/${id}`);
  expect(await early.json()).toMatchObject({ id, verdict: "pending" });
  const record = await world.settled(id);
  await world.emulate({ runSeconds: 0.1 });

  expect(record).toMatchObject({ status: "completed", verdict: "captured", started_by: "trigger" });
  expect(record.calls).toMatchObject([
    { source: "refetch", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] },
  ]);
  const requests = await requestsFor(id);
  expect(requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
  expect(requests[1]?.query["include[]"]).toEqual(["code_interpreter_call.outputs"]);
  const writes = world.kv().filter((done) => done.key.includes(id) && done.operation === "put");
  expect(writes).toHaveLength(3);
});

test("a record's key is not read before it is stored", async () => {
  await world.emulate({ runSeconds: 1 });
  const id = await world.trigger();
  for (let poll = 0; poll < 5; poll += 1) await world.ask(`/results/${id}`);
  await world.settled(id);
  await world.emulate({ runSeconds: 0.1 });
  const done = world.kv().filter(({ key }) => key === `record:${id}`);
  const stored = done.findIndex(({ operation }) => operation === "put");
  expect(stored).toBeGreaterThanOrEqual(0);
  expect(done.slice(0, stored)).toEqual([]);
});

test("what the report asks for is sent as it is, in background mode", async () => {
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  const id = await world.trigger();
  await world.settled(id);
  const [create] = Requested.parse(await world.told("/requests"));
  expect(create?.body).toMatchObject({
    model: "gpt-5.2-2025-12-11",
    input: "Use the code interpreter tool. Run Python that prints exactly: BG_STDOUT_OK",
    tools: [{ type: "code_interpreter", container: { type: "auto", memory_limit: "4g" } }],
    include: ["code_interpreter_call.outputs"],
    reasoning: { effort: "low" },
    background: true,
    store: true,
  });
});

test("the stored response is what the API sent, and outputs and list show it", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const input = "```python\nprint('naïve – 数据 \\x1b[31m')\n```\n```python\n6 * 7\n```";
  const id = await world.trigger({
    input,
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  });
  const record = await world.settled(id);
  const include = "include[]=code_interpreter_call.outputs";
  const sent = await fetch(`${world.emulator.url}/v1/responses/${id}?${include}`, {
    headers: { authorization: "Bearer sk-emulated-for-tests" },
  });
  const response = await world.ask(`/results/${id}/response`);
  expect(await response.json()).toEqual(await sent.json());
  expect(record.response).not.toBeNull();
  const printed = await world.ask(`/results/${id}/outputs`);
  expect(printed.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await printed.text()).toBe("naïve – 数据 \x1b[31m\n42");
  const list = await world.ask("/results?limit=1");
  expect(await list.json()).toMatchObject({
    results: [
      {
        id,
        status: "completed",
        verdict: "captured",
        calls: 2,
        first_line: "```python",
        held: false,
      },
    ],
  });
});

test("empty outputs of code that prints are suspect, of code that doesn't silent", async () => {
  await world.emulate({ backgroundOutputs: "empty" });
  const printing = await world.settled(await world.trigger());
  expect(printing).toMatchObject({
    verdict: "suspect",
    calls: [{ verdict: "suspect", outputs: [] }],
  });
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const quiet = await world.settled(await world.trigger({ input: "```python\nx = 1\n```", tools }));
  expect(quiet).toMatchObject({ verdict: "silent" });
  const none = await world.settled(await world.trigger({ input: "hello" }));
  expect(none).toMatchObject({ verdict: "no_calls", calls: [] });
});

test("a webhook sent five times is recorded once", async () => {
  await world.emulate({ webhookCopies: 5, backgroundOutputs: "present" });
  const id = await world.trigger();
  const record = await world.settled(id);
  await world.emulate({ webhookCopies: 1 });
  expect(record.observations).toHaveLength(1);
  const list = z.object({ results: z.array(z.object({ id: z.string() })) });
  const { results } = list.parse(await (await world.ask("/results?limit=100")).json());
  expect(results.filter((row) => row.id === id)).toHaveLength(1);
});

test("a 24 MiB response is stored and read back byte for byte", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const size = 24 * 1024 * 1024 - 8192;
  const input = "```python\nprint('x' * " + size + ", end='')\n```";
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const id = await world.trigger({ input, tools });
  const record = await world.settled(id);
  expect(record.error).toBeNull();
  expect(record.verdict).toBe("captured");
  const printed = await (await world.ask(`/results/${id}/outputs`)).text();
  expect(printed.length).toBe(size);
  expect(/^x+$/.test(printed)).toBe(true);
});

test("printed text of any script comes back as it was, and a page shows its beginning", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const piece = '数据 é 🎈 "\\" \ufeff \u0007\n';
  const input = `\`\`\`python\nprint(${JSON.stringify(piece)} * 20000, end="")\n\`\`\``;
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const id = await world.trigger({ input, tools });
  const { calls } = await world.settled(id);
  expect(calls[0]?.outputs).toEqual([{ type: "logs", logs: piece.repeat(20_000) }]);
  const printed = await world.ask(`/results/${id}/outputs`);
  expect((await printed.text()) === piece.repeat(20_000)).toBe(true);
  const page = await world.ask(`/results/${id}`, { headers: { accept: "text/html" } });
  const bytes = new TextEncoder().encode(piece).byteLength * 20_000;
  expect(await page.text()).toContain(`Truncated: ${bytes / 1000} KB in total.`);
});

test("a response too large to be stored keeps its calls and says so", async () => {
  const input = "```python\nprint('y' * (25 * 1024 * 1024))\n```";
  const tools = [{ type: "code_interpreter", container: { type: "auto" } }];
  const record = await world.settled(await world.trigger({ input, tools }));
  expect(record).toMatchObject({
    verdict: "captured",
    status: "completed",
    error: { code: "too_large" },
    response: null,
    observations: [{ calls: [{ outputs: "populated" }] }],
  });
  expect(record.calls[0]?.code).toContain("print('y'");
});
