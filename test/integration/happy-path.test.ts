import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { LoggedRequest } from "../support/emulator-client.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { startWorld, type World } from "../support/world.ts";

const ListPage = z.object({ results: z.array(z.object({ id: z.string() })) });

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { WEBHOOK_DEADLINE: "30" });
});
afterAll(() => world.close());

/** Returns the create requests, and the requests for a response. */
async function listRequestsFor(id: string): Promise<LoggedRequest[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ path, method }) => path.includes(id) || method === "POST");
}

test("POST /trigger without parameters records the report's request with one create, one retrieve and one KV write", async () => {
  await world.emulator.configure({ backgroundOutputs: "present", runSeconds: 2 });
  await world.emulator.clearRequests();
  const id = await world.trigger();
  const early = await world.request(`/results/${id}`);
  expect(await early.json()).toMatchObject({ id, verdict: "pending" });
  const record = await world.waitUntilSettled(id);
  await world.emulator.configure({ runSeconds: 0.1 });

  expect(record).toMatchObject({ status: "completed", verdict: "captured", started_by: "trigger" });
  expect(record.calls).toMatchObject([
    { source: "refetch", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] },
  ]);
  const requests = await listRequestsFor(id);
  expect(requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
  expect(requests[1]?.query["include[]"]).toEqual(["code_interpreter_call.outputs"]);
  const writes = world
    .kvOperations()
    .filter(({ operation, key }) => operation === "put" && key.includes(id));
  expect(writes).toHaveLength(1);
});

test("GET /results/:id does not read a record's key before it is stored", async () => {
  await world.emulator.configure({ runSeconds: 1 });
  const id = await world.trigger();
  for (let poll = 0; poll < 5; poll += 1) await world.request(`/results/${id}`);
  await world.waitUntilSettled(id);
  await world.emulator.configure({ runSeconds: 0.1 });
  const operations = world.kvOperations().filter(({ key }) => key === `record:${id}`);
  const stored = operations.findIndex(({ operation }) => operation === "put");
  expect(stored).toBeGreaterThanOrEqual(0);
  expect(operations.slice(0, stored)).toEqual([]);
});

test("POST /trigger without parameters sends the report's request in background mode", async () => {
  await world.emulator.clearRequests();
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const [create] = await world.emulator.listRequests();
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

test("GET /results/:id/response returns what the API sent, and GET /results/:id/outputs and GET /results show it", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const input = toPythonInput("print('naïve – 数据 \\x1b[31m')", "6 * 7");
  const id = await world.trigger({
    input,
    tools: CODE_INTERPRETER,
  });
  const record = await world.waitUntilSettled(id);
  const include = "include[]=code_interpreter_call.outputs";
  const sent = await world.emulator.sendToApi(`/responses/${id}?${include}`);
  const response = await world.request(`/results/${id}/response`);
  expect(await response.json()).toEqual(await sent.json());
  expect(record.response).not.toBeNull();
  const printed = await world.request(`/results/${id}/outputs`);
  expect(printed.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await printed.text()).toBe("naïve – 数据 \x1b[31m\n42");
  const list = await world.request("/results?limit=1");
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

test("empty outputs are suspect for code that prints, and silent for code that does not", async () => {
  await world.emulator.configure({ backgroundOutputs: "empty" });
  const printing = await world.waitUntilSettled(await world.trigger());
  expect(printing).toMatchObject({
    verdict: "suspect",
    calls: [{ verdict: "suspect", outputs: [] }],
  });
  const quiet = await world.waitUntilSettled(
    await world.trigger({ input: toPythonInput("x = 1"), tools: CODE_INTERPRETER }),
  );
  expect(quiet).toMatchObject({ verdict: "silent" });
  const none = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(none).toMatchObject({ verdict: "no_calls", calls: [] });
});

test("POST /webhook records an event that is sent five times once", async () => {
  await world.emulator.configure({ webhookCopies: 5, backgroundOutputs: "present" });
  const id = await world.trigger();
  const record = await world.waitUntilSettled(id);
  await world.emulator.configure({ webhookCopies: 1 });
  expect(record.observations).toHaveLength(1);
  const { results } = ListPage.parse(await (await world.request("/results?limit=100")).json());
  expect(results.filter((row) => row.id === id)).toHaveLength(1);
});

test("GET /results/:id/outputs returns a 24 MiB response byte for byte", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const size = 24 * 1024 * 1024 - 8192;
  const input = toPythonInput(`print('x' * ${size}, end='')`);
  const id = await world.trigger({ input, tools: CODE_INTERPRETER });
  const record = await world.waitUntilSettled(id);
  expect(record.error).toBeNull();
  expect(record.verdict).toBe("captured");
  const printed = await (await world.request(`/results/${id}/outputs`)).text();
  expect(printed.length).toBe(size);
  expect(/^x+$/.test(printed)).toBe(true);
});

test("GET /results/:id and /outputs return text of any script unchanged, and the page shows its beginning", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const piece = '数据 é 🎈 "\\" \ufeff \u0007\n';
  const input = toPythonInput(`print(${JSON.stringify(piece)} * 20000, end="")`);
  const id = await world.trigger({ input, tools: CODE_INTERPRETER });
  const { calls } = await world.waitUntilSettled(id);
  expect(calls[0]?.outputs).toEqual([{ type: "logs", logs: piece.repeat(20_000) }]);
  const printed = await world.request(`/results/${id}/outputs`);
  expect((await printed.text()) === piece.repeat(20_000)).toBe(true);
  const page = await world.request(`/results/${id}`, { headers: { accept: "text/html" } });
  const bytes = new TextEncoder().encode(piece).byteLength * 20_000;
  expect(await page.text()).toContain(`Truncated: ${bytes / 1000} KB in total.`);
});

test("a response too large to be stored keeps its calls, with the error too_large", async () => {
  const input = toPythonInput("print('y' * (25 * 1024 * 1024))");
  const record = await world.waitUntilSettled(
    await world.trigger({ input, tools: CODE_INTERPRETER }),
  );
  expect(record).toMatchObject({
    verdict: "captured",
    status: "completed",
    error: { code: "too_large" },
    response: null,
    observations: [{ calls: [{ outputs: "populated" }] }],
  });
  expect(record.calls[0]?.code).toContain("print('y'");
});
