// OpenAI's SDK, unchanged: the same assertions hold for OpenAI as it should be and for the Worker.
import OpenAI, { AuthenticationError, NotFoundError } from "openai";
import type { Response } from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { waitFor, waitUntil } from "../../support/wait.ts";
import { API_KEY } from "../../support/world.ts";
import { startTargets, type Target, type Targets } from "./targets.ts";

let targets: Targets;
beforeAll(async () => {
  targets = await startTargets();
});
afterAll(() => targets.close());

const OUTPUTS = "code_interpreter_call.outputs" as const;
const EXAMPLE = {
  model: "gpt-5.2",
  input: "Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter" as const, container: { type: "auto" as const } }],
  include: [OUTPUTS],
};
const PRINTED = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

function findCall(response: Response) {
  return response.output.find((item) => item.type === "code_interpreter_call");
}

describe.each(["openai", "worker"] as const)("the SDK at %s", (name) => {
  const target = (): Target => targets[name];
  const client = () => new OpenAI({ ...target(), maxRetries: 0 });

  function waitForEnd(id: string, include: (typeof OUTPUTS)[] = [OUTPUTS]): Promise<Response> {
    return waitFor(
      () => client().responses.retrieve(id, { include }),
      ({ status }) => status !== "queued" && status !== "in_progress",
    );
  }

  test("responses.create answers at once in background mode, and responses.retrieve has the outputs at the end", async () => {
    const metadata = { mine: "1" };
    const started = await client().responses.create({ ...EXAMPLE, background: true, metadata });
    expect(started).toMatchObject({ background: true, output: [], metadata, completed_at: null });
    expect(["queued", "in_progress"]).toContain(started.status);
    const ended = await waitForEnd(started.id);
    expect(ended).toMatchObject({ id: started.id, status: "completed", background: true });
    expect(ended.metadata).toEqual(metadata);
    expect(findCall(ended)?.outputs).toEqual(PRINTED);
    expect(ended.output_text).not.toBe("");
  });

  test("responses.retrieve without include has null outputs", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    expect(findCall(await waitForEnd(id, []))?.outputs).toBeNull();
    expect(findCall(await waitForEnd(id))?.outputs).toEqual(PRINTED);
  });

  test("responses.cancel cancels a run in flight, and can be repeated", async () => {
    const input = "emulator: run 30 seconds";
    const { id } = await client().responses.create({ ...EXAMPLE, input, background: true });
    expect(await client().responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(await client().responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
    expect(await waitForEnd(id)).toMatchObject({ id, status: "cancelled", background: true });
  });

  test("responses.retrieve throws NotFoundError after responses.delete", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    await waitForEnd(id);
    await client().responses.delete(id);
    await expect(client().responses.retrieve(id)).rejects.toThrow(NotFoundError);
  });

  test("responses.inputItems.list and previous_response_id work for a background run", async () => {
    const { id } = await client().responses.create({ ...EXAMPLE, background: true });
    await waitForEnd(id);
    const items = await client().responses.inputItems.list(id);
    expect(items.data).toMatchObject([{ type: "message", role: "user" }]);
    const next = await client().responses.create({
      model: "gpt-5.2",
      input: "and now?",
      previous_response_id: id,
    });
    expect(next).toMatchObject({ status: "completed", previous_response_id: id });
  });

  test("responses.create in the foreground works, streamed and not", async () => {
    const complete = await client().responses.create(EXAMPLE);
    expect(complete).toMatchObject({ status: "completed", background: false });
    expect(findCall(complete)?.outputs).toEqual(PRINTED);
    const types: string[] = [];
    const events = await client().responses.create({ ...EXAMPLE, stream: true });
    for await (const event of events) types.push(event.type);
    expect(types[0]).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
  });

  test("files.content returns what files.create uploaded", async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
    const file = new File([bytes], "naïve – 数据.csv");
    const uploaded = await client().files.create({ file, purpose: "user_data" });
    expect(uploaded).toMatchObject({ filename: "naïve – 数据.csv", bytes: bytes.length });
    const content = await client().files.content(uploaded.id);
    expect(new Uint8Array(await content.arrayBuffer())).toEqual(bytes);
  });

  test("models.list returns models", async () => {
    const models = await client().models.list();
    expect(models.data.length).toBeGreaterThan(0);
  });

  test("a wrong key is rejected with 401 invalid_api_key", async () => {
    const wrong = new OpenAI({ ...target(), apiKey: "sk-wrong", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toMatchObject({
      status: 401,
      code: "invalid_api_key",
    });
    await expect(wrong.responses.create({ ...EXAMPLE, background: true })).rejects.toBeInstanceOf(
      AuthenticationError,
    );
  });

  test.each([true, false])(
    "responses.create rejects an unknown parameter with OpenAI's error, background %s",
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

  test("responses.retrieve rejects an unknown id with 404", async () => {
    const retrieved = client().responses.retrieve("resp_unknown");
    await expect(retrieved).rejects.toThrow(/404.*resp_unknown/);
  });
});

test("DELETE /results/:id of a held run in flight closes its connection, so that OpenAI cancels the run", async () => {
  const { baseURL, apiKey } = targets.worker;
  const body = JSON.stringify({ hold: true, input: "emulator: run 60 seconds" });
  const worker = (path: string, init: RequestInit) =>
    fetch(baseURL.replace("/v1", path), {
      ...init,
      headers: { authorization: `Bearer ${apiKey}` },
    });
  const started = await worker("/trigger", { method: "POST", body });
  const { id } = z.object({ id: z.string() }).parse(await started.json());
  expect((await worker(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  const openai = new OpenAI({ baseURL: `${targets.upstream.url}/v1`, apiKey: API_KEY });
  await waitUntil(async () => (await openai.responses.retrieve(id)).status === "cancelled");
});

test("GET /v1/files/:id/content leaves a redirect to the caller, and does not follow it with the recorder's key", async () => {
  const location = "https://files.example/content";
  await targets.upstream.addFault({
    path: "^/v1/files/",
    times: 1,
    kind: "status",
    status: 302,
    headers: { location },
  });
  const { baseURL, apiKey } = targets.worker;
  const answer = await fetch(`${baseURL}/files/file-1/content`, {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: "manual",
  });
  expect(answer.status).toBe(302);
  expect(answer.headers.get("location")).toBe(location);
});
