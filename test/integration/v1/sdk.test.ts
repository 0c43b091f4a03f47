// OpenAI's SDK, unchanged, in four majors and with its default retries: the same assertions hold for OpenAI as it should be and for the Worker.
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { waitFor, waitUntil } from "../../support/wait.ts";
import { API_KEY } from "../../support/world.ts";
import { SDKS, type CreateBody, type SdkClient } from "./sdks.ts";
import { startTargets, type Target, type Targets } from "./targets.ts";

let targets: Targets;
beforeAll(async () => {
  targets = await startTargets();
});
afterAll(() => targets.close());

const OUTPUTS = "code_interpreter_call.outputs";
const CODE: CreateBody = {
  model: "gpt-5.2",
  input: "Run Python that prints exactly: BG_STDOUT_OK",
  tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  include: [OUTPUTS],
};
const PLAIN: CreateBody = { model: "gpt-5.2", input: "hello" };
const PRINTED = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

const Item = z.looseObject({ type: z.string(), outputs: z.unknown().optional() });
const Response = z.looseObject({
  id: z.string(),
  status: z.string(),
  output: z.array(Item),
  output_text: z.string().optional(),
  metadata: z.record(z.string(), z.string()),
});
type Response = z.infer<typeof Response>;
const StreamEvent = z.looseObject({ type: z.string() });

function findOutputs({ output }: Response): unknown {
  return output.find(({ type }) => type === "code_interpreter_call")?.outputs;
}

describe.each(SDKS)("openai $major", ({ createClient, deleteResponse }) => {
  describe.each(["openai", "worker"] as const)("at %s", (name) => {
    const target = (): Target => targets[name];
    const client = (): SdkClient => createClient(target());

    async function create(body: CreateBody): Promise<Response> {
      return Response.parse(await client().responses.create(body));
    }

    async function retrieve(id: string, include: CreateBody["include"] = [OUTPUTS]) {
      return Response.parse(await client().responses.retrieve(id, { include }));
    }

    function waitForEnd(id: string, include?: CreateBody["include"]): Promise<Response> {
      return waitFor(
        () => retrieve(id, include),
        ({ status }) => status !== "queued" && status !== "in_progress",
      );
    }

    test.each([
      ["code interpreter", CODE, PRINTED],
      ["no tools", PLAIN, undefined],
    ])(
      "responses.create answers at once in background mode with %s, and responses.retrieve has all at the end",
      async (_, body, outputs) => {
        const metadata = { mine: "1" };
        const started = await create({ ...body, background: true, metadata });
        expect(started).toMatchObject({ background: true, output: [], metadata });
        expect(["queued", "in_progress"]).toContain(started.status);
        const ended = await waitForEnd(started.id);
        expect(ended).toMatchObject({ id: started.id, status: "completed", background: true });
        expect(ended.metadata).toEqual(metadata);
        expect(findOutputs(ended)).toEqual(outputs);
        expect(ended.output_text).not.toBe("");
      },
    );

    test("responses.retrieve without include has null outputs", async () => {
      const { id } = await create({ ...CODE, background: true });
      expect(findOutputs(await waitForEnd(id, []))).toBeNull();
      expect(findOutputs(await waitForEnd(id))).toEqual(PRINTED);
    });

    test.each([
      ["code interpreter", CODE],
      ["no tools", PLAIN],
    ])("responses.cancel cancels a run in flight with %s, and can be repeated", async (_, body) => {
      const input = "emulator: run 30 seconds";
      const { id } = await create({ ...body, input, background: true });
      const { responses } = client();
      expect(await responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
      expect(await responses.cancel(id)).toMatchObject({ id, status: "cancelled" });
      const ended = { id, status: "cancelled", background: true, error: null };
      expect(await waitForEnd(id)).toMatchObject(ended);
    });

    test.each([
      ["code interpreter", CODE],
      ["no tools", PLAIN],
    ])("responses.retrieve rejects with 404 after a delete, with %s", async (_, body) => {
      const { id } = await create({ ...body, background: true });
      await waitForEnd(id);
      await deleteResponse(target(), id);
      await expect(retrieve(id)).rejects.toMatchObject({ status: 404 });
    });

    test("responses.inputItems.list and previous_response_id work for a background run", async () => {
      const { id } = await create({ ...CODE, background: true });
      await waitForEnd(id);
      const items = await client().responses.inputItems.list(id);
      expect(items).toMatchObject({ data: [{ type: "message", role: "user" }] });
      const next = await create({ ...PLAIN, previous_response_id: id });
      expect(next).toMatchObject({ status: "completed", previous_response_id: id });
    });

    test("responses.create in the foreground works, streamed and not", async () => {
      const complete = await create(CODE);
      expect(complete).toMatchObject({ status: "completed", background: false });
      expect(findOutputs(complete)).toEqual(PRINTED);
      const types: string[] = [];
      const events = await client().responses.create({ ...CODE, stream: true });
      for await (const event of events) types.push(StreamEvent.parse(event).type);
      expect(types[0]).toBe("response.created");
      expect(types.at(-1)).toBe("response.completed");
    });

    test.each([500, 503, 429])(
      "responses.create is tried again after a %s, and starts one run",
      async (status) => {
        const emulator = targets.emulators[name];
        await emulator.clearRequests();
        const headers = { "retry-after-ms": "50" };
        const where = { method: "POST", path: "^/v1/responses$", times: 1 };
        await emulator.addFault({ ...where, kind: "status", status, headers });
        const { id } = await create({ ...CODE, background: true });
        expect(findOutputs(await waitForEnd(id))).toEqual(PRINTED);
        const requests = await emulator.listRequests();
        const creates = requests.filter(({ method }) => method === "POST");
        expect(creates.map(({ status: answered }) => answered)).toEqual([status, 200]);
        expect(creates[1]?.headers["x-stainless-retry-count"]).toBe("1");
      },
    );

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
      const wrong = createClient({ ...target(), apiKey: "sk-wrong" });
      const refusal = { status: 401, code: "invalid_api_key" };
      await expect(wrong.models.list()).rejects.toMatchObject(refusal);
      await expect(wrong.responses.create({ ...CODE, background: true })).rejects.toMatchObject({
        status: 401,
      });
    });

    test.each([
      ["in the foreground", false, CODE],
      ["in background mode with code interpreter", true, CODE],
      ["in background mode with no tools", true, PLAIN],
    ])(
      "responses.create rejects an unknown parameter with OpenAI's error, %s",
      async (_, background, body) => {
        const wrong = { ...body, background, no_such_parameter: 1 };
        await expect(client().responses.create(wrong)).rejects.toMatchObject({
          status: 400,
          code: "unknown_parameter",
          type: "invalid_request_error",
          param: "no_such_parameter",
          message: "400 Unknown parameter: 'no_such_parameter'.",
        });
      },
    );

    test("responses.retrieve rejects an unknown id with 404", async () => {
      await expect(retrieve("resp_unknown")).rejects.toThrow(/404.*resp_unknown/);
    });
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
