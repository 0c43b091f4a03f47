// OpenAI's own SDK, unchanged: the same assertions hold against OpenAI as it should be and against the Worker.
import OpenAI, { AuthenticationError, NotFoundError } from "openai";
import type { Response } from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { API_KEY } from "../../support/world.ts";
import { startSides, type Side, type Sides } from "./targets.ts";

let sides: Sides;
beforeAll(async () => {
  sides = await startSides();
});
afterAll(() => sides.close());

const OUTPUTS = "code_interpreter_call.outputs" as const;
const EXAMPLE = {
  model: "gpt-5.2",
  input: "Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter" as const, container: { type: "auto" as const } }],
  include: [OUTPUTS],
};
const PRINTED = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

function callOf(response: Response) {
  return response.output.find((item) => item.type === "code_interpreter_call");
}

describe.each(["openai", "worker"] as const)("at %s", (name) => {
  const side = (): Side => sides[name];
  const client = () => new OpenAI({ ...side(), maxRetries: 0 });

  async function poll(id: string, include: (typeof OUTPUTS)[] = [OUTPUTS]): Promise<Response> {
    for (;;) {
      const response = await client().responses.retrieve(id, { include });
      if (response.status !== "queued" && response.status !== "in_progress") return response;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test("a background run answers at once, and has its outputs in the end", async () => {
    const metadata = { mine: "1" };
    const started = await client().responses.create({ ...EXAMPLE, background: true, metadata });
    expect(started).toMatchObject({ background: true, output: [], metadata, completed_at: null });
    expect(["queued", "in_progress"]).toContain(started.status);
    const ended = await poll(started.id);
    expect(ended).toMatchObject({ id: started.id, status: "completed", background: true });
    expect(ended.metadata).toEqual(metadata);
    expect(callOf(ended)?.outputs).toEqual(PRINTED);
    expect(ended.output_text).not.toBe("");
  });

  test("outputs are null for whoever doesn't ask for them", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    expect(callOf(await poll(id, []))?.outputs).toBeNull();
    expect(callOf(await poll(id))?.outputs).toEqual(PRINTED);
  });

  test("a run in flight can be cancelled, as often as one likes", async () => {
    const input = "emulator: run 30 seconds";
    const { id } = await client().responses.create({ ...EXAMPLE, input, background: true });
    expect(await client().responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(await client().responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(await poll(id)).toMatchObject({ id, status: "cancelled", background: true });
  });

  test("a response that was deleted is gone", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    await poll(id);
    await client().responses.delete(id);
    await expect(client().responses.retrieve(id)).rejects.toThrow(NotFoundError);
  });

  test("input items, and a response that follows another, are OpenAI's", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    await poll(id);
    const items = await client().responses.inputItems.list(id);
    expect(items.data).toMatchObject([{ type: "message", role: "user" }]);
    const next = await client().responses.create({
      model: "gpt-5.2",
      input: "and now?",
      previous_response_id: id,
    });
    expect(next).toMatchObject({ status: "completed", previous_response_id: id });
  });

  test("the foreground is as it was, streamed and not", async () => {
    const whole = await client().responses.create(EXAMPLE);
    expect(whole).toMatchObject({ status: "completed", background: false });
    expect(callOf(whole)?.outputs).toEqual(PRINTED);
    const types: string[] = [];
    const events = await client().responses.create({ ...EXAMPLE, stream: true });
    for await (const event of events) types.push(event.type);
    expect(types[0]).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
  });

  test("a file can be uploaded and read again", async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
    const file = new File([bytes], "naïve – 数据.csv");
    const made = await client().files.create({ file, purpose: "user_data" });
    expect(made).toMatchObject({ filename: "naïve – 数据.csv", bytes: bytes.length });
    const back = await client().files.content(made.id);
    expect(new Uint8Array(await back.arrayBuffer())).toEqual(bytes);
  });

  test("models are listed", async () => {
    const models = await client().models.list();
    expect(models.data.length).toBeGreaterThan(0);
  });

  test("a wrong key is refused", async () => {
    const wrong = new OpenAI({ ...side(), apiKey: "sk-wrong", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toMatchObject({
      status: 401,
      code: "invalid_api_key",
    });
    await expect(wrong.responses.create({ ...EXAMPLE, background: true })).rejects.toBeInstanceOf(
      AuthenticationError,
    );
  });

  test.each([true, false])(
    "a bad parameter is refused alike, background %s",
    async (background) => {
      const body = { ...EXAMPLE, background, no_such_parameter: 1 };
      await expect(client().responses.create(body)).rejects.toMatchObject({
        status: 400,
        code: "unknown_parameter",
        type: "invalid_request_error",
        param: "no_such_parameter",
        message: "400 Unknown parameter: 'no_such_parameter'.",
      });
    },
  );

  test("an id that nobody knows is not found", async () => {
    const asked = client().responses.retrieve("resp_unknown");
    await expect(asked).rejects.toThrow(/404.*resp_unknown/);
  });
});

test("a held run that is deleted in flight is cancelled at OpenAI: nobody holds its connection any more", async () => {
  const { baseURL, apiKey } = sides.worker;
  const body = JSON.stringify({ hold: true, input: "emulator: run 60 seconds" });
  const worker = (path: string, init: RequestInit) =>
    fetch(baseURL.replace("/v1", path), {
      ...init,
      headers: { authorization: `Bearer ${apiKey}` },
    });
  const started = await worker("/trigger", { method: "POST", body });
  const { id } = z.object({ id: z.string() }).parse(await started.json());
  expect((await worker(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  const openai = new OpenAI({ baseURL: `${sides.behind.url}/v1`, apiKey: API_KEY });
  for (;;) {
    const { status } = await openai.responses.retrieve(id);
    if (status === "cancelled") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("a redirect is the caller's to follow: the recorder's key doesn't go with it", async () => {
  const location = "https://files.example/content";
  const fault = {
    path: "^/v1/files/",
    times: 1,
    kind: "status",
    status: 302,
    headers: { location },
  };
  await fetch(`${sides.behind.url}/_emulator/faults`, {
    method: "POST",
    body: JSON.stringify(fault),
    headers: { "content-type": "application/json" },
  });
  const { baseURL, apiKey } = sides.worker;
  const answer = await fetch(`${baseURL}/files/file-1/content`, {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: "manual",
  });
  expect(answer.status).toBe(302);
  expect(answer.headers.get("location")).toBe(location);
});
