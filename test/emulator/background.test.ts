import { describe, expect, test } from "vitest";
import {
  getCalls,
  startTestEmulator,
  INTERPRETER_TOOL,
  INCLUDE_OUTPUTS,
  getOutputs,
  toPythonInput,
  pollUntil,
  toLogs,
} from "./setup.ts";

const { client, callControl, runPython, waitForEnd } = await startTestEmulator({ interpreters: 1 });
const BACKGROUND = { background: true, store: true } as const;

describe("a background run", () => {
  test("is created as queued, without output", async () => {
    const metadata = { kind: "test" };
    const created = await runPython("print(1)", { ...BACKGROUND, metadata });
    expect(created).toMatchObject({ status: "queued", output: [], background: true, metadata });
    expect(created).toMatchObject({ object: "response", store: true, tools: [INTERPRETER_TOOL] });
    expect(created).toMatchObject({ usage: null, completed_at: null, error: null });
    expect(created).not.toHaveProperty("include");
  });

  test("stays queued for queueSeconds, and then is in progress", async () => {
    await callControl("PATCH /settings", { queueSeconds: 600 });
    const waiting = await runPython("1", BACKGROUND);
    await callControl("PATCH /settings", { queueSeconds: 0.02, progressOutput: "empty" });
    const working = await runPython("emulator: run 600 seconds", BACKGROUND);
    const ask = () => client.responses.retrieve(working.id);
    const current = await pollUntil(ask, ({ status }) => status !== "queued");
    expect(current).toMatchObject({ status: "in_progress", output: [] });
    expect(await client.responses.retrieve(waiting.id)).toMatchObject({ status: "queued" });
    await callControl("PATCH /settings", { progressOutput: "present" });
  });

  test("completes with reasoning, calls and a message, in this order", async () => {
    const { id } = await client.responses.create({
      model: "gpt-5.2",
      background: true,
      tools: [INTERPRETER_TOOL],
      input: toPythonInput("x = 1", "print(x)"),
    });
    const done = await waitForEnd(id);
    const types = ["reasoning", "code_interpreter_call", "code_interpreter_call", "message"];
    expect(done.output.map(({ type }) => type)).toEqual(types);
    expect(getCalls(done).map(({ code }) => code)).toEqual(["x = 1", "print(x)"]);
    expect(done.completed_at).toBeGreaterThanOrEqual(done.created_at);
    expect(done.usage?.total_tokens).toBeGreaterThan(0);
  });

  test("has its outputs in GET /_emulator/responses/:id, and none in the API", async () => {
    const { id } = await runPython("print('BG_STDOUT_OK')", BACKGROUND);
    expect(getOutputs(await waitForEnd(id))).toEqual([[]]);
    const logs = [toLogs("BG_STDOUT_OK\n")];
    expect(await callControl(`GET /responses/${id}`)).toMatchObject({
      status: "completed",
      calls: [{ outputs: logs, raised: false, code: "print('BG_STDOUT_OK')" }],
    });
  });

  test("fails when its input contains 'emulator: fail'", async () => {
    const { id } = await runPython("emulator: fail with rate_limit_exceeded", BACKGROUND);
    const failed = await waitForEnd(id);
    expect(failed).toMatchObject({ status: "failed", output: [], completed_at: null });
    expect(failed.error?.code).toBe("rate_limit_exceeded");
  });

  test("ends incomplete when its input contains 'emulator: incomplete'", async () => {
    const { id } = await runPython("emulator: incomplete", BACKGROUND);
    const short = await waitForEnd(id);
    expect(short.status).toBe("incomplete");
    expect(short.incomplete_details).toEqual({ reason: "max_output_tokens" });
  });

  test("is cancelled by POST /cancel, and a second cancel changes nothing", async () => {
    const { id } = await runPython("emulator: run 600 seconds", BACKGROUND);
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
    expect((await waitForEnd(id)).status).toBe("cancelled");
  });

  test("is a 404 after DELETE", async () => {
    const { id } = await runPython("1", BACKGROUND);
    expect(await client.responses.delete(id)).toMatchObject({ id, deleted: true });
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({
      status: 404,
      message: `404 Response with id '${id}' not found.`,
    });
  });

  test("is a 404 some time after its end when it isn't stored", async () => {
    await callControl("PATCH /settings", { effectiveStore: false, responseMinutes: 0.005 });
    const created = await runPython("1", BACKGROUND);
    await callControl("PATCH /settings", { effectiveStore: true });
    expect(created).toMatchObject({ store: false });
    const ask = () => client.responses.retrieve(created.id).catch(() => null);
    expect(await pollUntil(ask, (answer) => answer === null)).toBeNull();
  });
});

test("GET /v1/responses/:id/input_items lists the input page by page", async () => {
  const { id } = await client.responses.create({
    model: "gpt-5.2",
    input: ["one", "two", "three"].map((content) => ({ role: "user" as const, content })),
  });
  const first = await client.responses.inputItems.list(id, { limit: 2, order: "asc" });
  expect(first.has_more).toBe(true);
  expect(first.data).toHaveLength(2);
  const texts: unknown[] = [];
  for await (const item of client.responses.inputItems.list(id, { limit: 1, order: "asc" })) {
    texts.push("content" in item ? item.content : null);
  }
  expect(texts).toEqual(["one", "two", "three"].map((text) => [{ type: "input_text", text }]));
});

describe("POST /v1/responses", () => {
  const model = "gpt-5.2";
  const refused = [
    [{ input: "hi" }, "missing_required_parameter", "model"],
    [{ model }, "missing_required_parameter", "input"],
    [{ model, input: "hi", colour: "red" }, "unknown_parameter", "colour"],
    [{ model, input: "hi", temperature: "hot" }, "invalid_type", "temperature"],
    [
      { model, input: "hi", metadata: { key: "x".repeat(513) } },
      "string_above_max_length",
      "metadata.key",
    ],
    [{ model, input: "hi", include: ["nothing"] }, "invalid_value", "include[0]"],
    [
      { model, input: "hi", previous_response_id: "resp_0" },
      "previous_response_not_found",
      "previous_response_id",
    ],
  ] as const;
  test.each(refused)("rejects %j", async (body, code, param) => {
    const refusal = client.post("/responses", { body });
    await expect(refusal).rejects.toMatchObject({
      status: 400,
      code,
      type: "invalid_request_error",
      param,
    });
  });
});

test("GET /v1/responses/:id rejects unsupported values of include", async () => {
  const { id } = await client.responses.create({ model: "gpt-5.2", input: "hi" });
  const encrypted = client.responses.retrieve(id, { include: ["reasoning.encrypted_content"] });
  const message = "400 Encrypted content cannot be requested for persisted responses.";
  await expect(encrypted).rejects.toMatchObject({ status: 400, message });
  const unknown = client.get(`/responses/${id}`, { query: { "include[]": "nothing" } });
  await expect(unknown).rejects.toMatchObject({ status: 400, code: "invalid_value" });
  const plain = client.get(`/responses/${id}`, { query: { include: INCLUDE_OUTPUTS } });
  await expect(plain).resolves.toMatchObject({ id });
});
