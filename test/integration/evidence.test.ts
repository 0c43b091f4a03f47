import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";
import { ResponseRecord } from "../../src/record/schema.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

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

// A slow machine can see the end after the first delay; the second one is longer.
test("a run with empty outputs of code that prints is refetched, and stays suspect", async () => {
  const patient = await startWorld({}, { REFETCH_DELAYS: "1 30" });
  try {
    const id = await patient.trigger();
    const record = await waitFor(
      async () => ResponseRecord.parse(await (await patient.request(`/results/${id}`)).json()),
      ({ observations }) => observations.length > 1,
    );
    expect(record.verdict).toBe("suspect");
    expect(record.observations.every((one) => one.channel === "refetch")).toBe(true);
  } finally {
    await patient.close();
  }
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

test("the stream of a run without stream: true is never read", async () => {
  const record = await world.waitUntilSettled(await world.trigger());
  expect(record.observations.some((one) => one.channel === "stream")).toBe(false);
});

test("outputs are recovered from the items of a conversation", async () => {
  await world.emulator.configure({ conversationOutputs: "present" });
  const answer = await world.emulator.sendToApi("/conversations", { method: "POST", body: "{}" });
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

test("captured and silent responses cost one create, one retrieve and one KV write", async () => {
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
    expect(writes).toHaveLength(1);
    expect(requests.filter((request) => request.path.endsWith(id))).toHaveLength(1);
  }
  expect(requests.filter((request) => request.method === "POST")).toHaveLength(2);
});

test("POST /webhook with a duplicate changes nothing, and asks OpenAI nothing, after OpenAI deleted the response", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const id = await world.trigger({ input: PRINTING_INPUT, tools: CODE_INTERPRETER });
  const before = await world.waitUntilSettled(id);
  await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
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

test("POST /webhook alone leads to the same record as a trigger, except for the control", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const metadata = {
    mine: "yes",
    response_recorder: JSON.stringify({ include: ["message.output_text.logprobs"], control: true }),
  };
  const created = await world.emulator.sendToApi("/responses", {
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
    include: ["code_interpreter_call.outputs", "message.output_text.logprobs"],
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
    "message.output_text.logprobs",
    "file_search_call.results",
  ]);
});
