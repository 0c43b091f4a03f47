import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { waitUntil } from "../../support/wait.ts";
import { startWorld, type World } from "../../support/world.ts";
import {
  ApiError,
  ApiResponse,
  createV1Client,
  EXAMPLE,
  EXAMPLE_OUTPUTS,
  getOutputs,
  type V1Client,
} from "./v1-client.ts";

let world: World;
let v1: V1Client;
beforeAll(async () => {
  world = await startWorld();
  v1 = createV1Client(world.url);
});
afterAll(() => world.close());

test("POST /v1/responses gives the report's script its outputs in the background as in the foreground", async () => {
  const foreground = await v1.create({ ...EXAMPLE, background: false });
  const background = await v1.waitForEnd((await v1.create({ ...EXAMPLE, background: true })).id);
  expect(getOutputs(foreground)).toEqual(EXAMPLE_OUTPUTS);
  expect(getOutputs(background)).toEqual(EXAMPLE_OUTPUTS);
});

test("POST /v1/responses in background mode is recorded as started by v1", async () => {
  const { id } = await v1.create({ ...EXAMPLE, background: true });
  expect(await world.waitUntilSettled(id)).toMatchObject({
    started_by: "v1",
    verdict: "captured",
    held: { broke_at: null },
    request: { input: EXAMPLE.input },
  });
});

test("GET /v1/responses/:id returns a held run that OpenAI has deleted", async () => {
  const { id } = await v1.create({ ...EXAMPLE, background: true });
  const before = await v1.waitForEnd(id);
  await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
  expect((await world.emulator.sendToApi(`/responses/${id}`)).status).toBe(404);
  expect(await v1.waitForEnd(id)).toEqual(before);
});

test("POST /v1/responses sends OpenAI the credentials of a background request, and records them redacted", async () => {
  const tool = { type: "mcp", server_label: "x", server_url: "https://mcp.example" };
  const tools = [{ ...tool, authorization: "secret-of-a-tool" }];
  await world.emulator.clearRequests();
  const { id } = await v1.create({ ...EXAMPLE, tools, background: true });
  const [create] = await world.emulator.listRequests();
  expect(create?.body).toMatchObject({ tools });
  const record = await world.waitUntilSettled(id);
  expect(record.request).toMatchObject({ tools: [{ ...tool, authorization: "[removed]" }] });
  expect(JSON.stringify(record)).not.toContain("secret-of-a-tool");
});

test.each([
  '{"background": true, "input": "hi"',
  '{"background": true}}',
  '[{"background":true}]',
  "",
])("POST /v1/responses lets OpenAI reject what is not a create request: %s", async (body) => {
  const answer = await v1.request("/responses", { method: "POST", body });
  expect(answer.status).toBe(400);
  expect(ApiError.parse(await answer.json()).error.type).toBe("invalid_request_error");
});

test("GET /v1/responses/:id says in_progress while the connection is held, whatever a refetch has seen", async () => {
  await world.emulator.configure({ onDisconnect: "complete" });
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...where, kind: "hang", after_events: 6 });
  const { id } = await v1.create({ ...EXAMPLE, background: true });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  const RecordStatus = z.object({ status: z.string() });
  await waitUntil(async () => {
    const record = await world.request(`/results/${id}`);
    return RecordStatus.parse(await record.json()).status === "completed";
  });
  expect(await v1.retrieve(id)).toMatchObject({
    status: "in_progress",
    output: [{ type: "reasoning" }],
  });
  expect((await v1.request(`/responses/${id}/cancel`, { method: "POST" })).status).toBe(200);
  expect(getOutputs(await v1.waitForEnd(id))).toEqual(EXAMPLE_OUTPUTS);
});

test("POST /v1/responses and GET /v1/responses/:id return a long string whole while the run is in flight", async () => {
  const instructions = "naïve – 数据 ".repeat(30_000);
  const input = "emulator: run 3 seconds";
  const created = await v1.create({ ...EXAMPLE, input, instructions, background: true });
  const WithInstructions = z.looseObject({ instructions: z.string() });
  expect(WithInstructions.parse(created).instructions).toBe(instructions);
  const answer = await v1.request(`/responses/${created.id}`);
  expect(WithInstructions.parse(await answer.json()).instructions).toBe(instructions);
});

test("GET /v1/responses/:id reads an include as OpenAI does, and rejects an unknown one", async () => {
  const { id } = await v1.create({ ...EXAMPLE, background: true });
  await v1.waitForEnd(id);
  const retrieveWith = (query: string) => v1.request(`/responses/${id}?${query}`);
  const indexed = ApiResponse.parse(
    await (await retrieveWith("include[0]=code_interpreter_call.outputs")).json(),
  );
  expect(getOutputs(indexed)).toEqual(EXAMPLE_OUTPUTS);
  const wrong = await retrieveWith("include[]=code_interpreter_call.output");
  expect(wrong.status).toBe(400);
  expect(ApiError.parse(await wrong.json()).error).toMatchObject({
    param: "include[0]",
    code: "invalid_value",
  });
});
