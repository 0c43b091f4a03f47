import { afterAll, beforeAll, expect, test } from "vitest";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.5 });
});
afterAll(() => world.close());

const EXAMPLE_OUTPUTS = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

test("a held run captures outputs that a background run does not have", async () => {
  const held = await world.waitUntilSettled(await world.trigger({ hold: true }));
  expect(held).toMatchObject({
    status: "completed",
    verdict: "captured",
    background: false,
    held: { broke_at: null },
    calls: [{ outputs: EXAMPLE_OUTPUTS, source: "held", verdict: "captured" }],
    observations: [{ channel: "held", http_status: 200, status: "completed" }],
    webhook: null,
  });
  const background = await world.waitUntilSettled(await world.trigger());
  expect(background).toMatchObject({ verdict: "suspect", held: null, calls: [{ outputs: [] }] });
});

test("a held run sends OpenAI one request, in the foreground, and no refetch", async () => {
  await world.emulator.clearRequests();
  const id = await world.trigger({ hold: true });
  await world.waitUntilSettled(id);
  const requests = await world.emulator.listRequests();
  expect(requests.filter(({ path }) => path.startsWith("/v1/responses"))).toMatchObject([
    {
      method: "POST",
      path: "/v1/responses",
      body: { background: false, stream: true, store: true },
    },
  ]);
});

test("GET /results/:id/response of a held run returns OpenAI's response", async () => {
  const id = await world.trigger({ hold: true, input: toPythonInput("print('naïve – 数据')") });
  await world.waitUntilSettled(id);
  const stored: unknown = await (await world.request(`/results/${id}/response`)).json();
  const include = "include[]=code_interpreter_call.outputs";
  const sent = await world.emulator.sendToApi(`/responses/${id}?${include}`);
  expect(stored).toEqual(await sent.json());
});

test("GET /results/:id/outputs of a held run returns 20 MiB whole", async () => {
  const times = Math.floor((20 * 1024 * 1024) / 3);
  const input = toPythonInput(`print('xé' * ${times}, end='')`);
  const id = await world.trigger({ hold: true, input, tools: CODE_INTERPRETER });
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured", error: null });
  const printed = await (await world.request(`/results/${id}/outputs`)).text();
  expect(printed === "xé".repeat(times)).toBe(true);
});

test("a held run too large to be stored keeps its calls, with the error too_large", async () => {
  const input = toPythonInput("print('y' * (25 * 1024 * 1024))");
  const record = await world.waitUntilSettled(
    await world.trigger({ hold: true, input, tools: CODE_INTERPRETER }),
  );
  expect(record).toMatchObject({
    verdict: "captured",
    error: { code: "too_large" },
    response: null,
    held: { broke_at: null },
    observations: [{ channel: "held", calls: [{ outputs: "populated" }] }],
  });
});

test("a held run that fails or is incomplete is recorded with that status", async () => {
  const failed = await world.trigger({ hold: true, input: "emulator: fail with server_error" });
  expect(await world.waitUntilSettled(failed)).toMatchObject({
    status: "failed",
    verdict: "no_calls",
    error: { code: "server_error" },
    held: { broke_at: null },
  });
  const incomplete = await world.trigger({ hold: true, input: "emulator: incomplete" });
  expect(await world.waitUntilSettled(incomplete)).toMatchObject({
    status: "incomplete",
    held: { broke_at: null },
  });
});

test("POST /results/:id/refetch does not end a held run", async () => {
  const id = await world.trigger({
    hold: true,
    input: "emulator: run 2 seconds",
    tools: CODE_INTERPRETER,
  });
  expect((await world.request(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  const record = await world.waitUntilSettled(id);
  expect(record.observations.map(({ channel, status }) => ({ channel, status }))).toEqual([
    { channel: "refetch", status: "in_progress" },
    { channel: "held", status: "completed" },
  ]);
  expect(record).toMatchObject({ verdict: "captured", held: { broke_at: null } });
});
