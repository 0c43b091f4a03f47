import type OpenAI from "openai";
import { afterEach, describe, expect, test } from "vitest";
import { Settings } from "../../emulator/settings.ts";
import { getCalls, INTERPRETER_TOOL, pollUntil, startTestEmulator } from "./setup.ts";

const { client, callControl, script } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 0,
});

type Request = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>;

const {
  port: _,
  host: __,
  interpreters: ___,
  ...INITIAL_SETTINGS
} = Settings.parse(await callControl("GET /settings"));

afterEach(async () => {
  await callControl("PATCH /settings", INITIAL_SETTINGS);
  await callControl("DELETE /scripts");
});

function set(changes: object): Promise<unknown> {
  return callControl("PATCH /settings", changes);
}

function create(more: Request = {}) {
  return client.responses.create({ model: "gpt-5.2", input: "go", ...more, stream: false });
}

function createRaw(): Promise<Response> {
  return client.responses.create({ model: "gpt-5.2", input: "go", stream: false }).asResponse();
}

async function createEnded(more: Request = {}) {
  const { id } = await create({ ...more, background: true });
  const runs = () => callControl(`GET /responses/${id}`);
  await pollUntil(runs, (run) => JSON.stringify(run).includes('"ended_at":"'));
  return id;
}

async function readStream(url: string, init: RequestInit = {}): Promise<unknown[]> {
  const headers = { authorization: "Bearer any", "content-type": "application/json" };
  const text = await (await fetch(`${client.baseURL}${url}`, { headers, ...init })).text();
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, json = ""]): unknown => JSON.parse(json));
}

function stream(more: object = {}): Promise<unknown[]> {
  const body = JSON.stringify({ model: "gpt-5.2", input: "go", stream: true, ...more });
  return readStream("/responses", { method: "POST", body });
}

function getDeltas(events: unknown[]): unknown[] {
  return events.filter((event) => JSON.stringify(event).includes('"delta":'));
}

describe("a response", () => {
  test("has the members of recorded responses unless undocumentedMembers is false", async () => {
    const members = { billing: { payer: "developer" }, frequency_penalty: 0 };
    expect(await create()).toMatchObject({ ...members, moderation: null });
    await set({ undocumentedMembers: false });
    expect(await create()).not.toHaveProperty("billing");
  });

  test("has a moderation result if the request wants one", async () => {
    const request = { moderation: { model: "omni-moderation-latest" } };
    expect(await create(request)).toMatchObject({
      moderation: { input: { type: "moderation_result", flagged: false } },
    });
  });

  test("has cache_write_tokens in its usage", async () => {
    const { usage } = await create();
    expect(usage?.input_tokens_details).toEqual({ cached_tokens: 0, cache_write_tokens: 0 });
  });

  test("returns tools with their defaults", async () => {
    const tool = { type: "function", name: "add", parameters: {} };
    const body = { model: "gpt-5.2", input: "go", tools: [tool, { type: "web_search" }] };
    expect(await client.post("/responses", { body })).toMatchObject({
      tools: [
        { ...tool, strict: true },
        { type: "web_search", filters: null, search_context_size: "medium" },
      ],
    });
  });

  test("masks the credentials of MCP tools unless mcpCredentials is echoed", async () => {
    const tool = {
      type: "mcp" as const,
      server_label: "x",
      server_url: "https://mcp.example/secret/path",
      authorization: "secret",
      headers: { "x-key": "secret" },
    };
    const masked = await create({ tools: [tool] });
    expect(masked.tools).toMatchObject([
      {
        server_label: "x",
        server_url: "https://mcp.example/<redacted>",
        authorization: "<redacted>",
        headers: { "x-key": "<redacted>" },
      },
    ]);
    await set({ mcpCredentials: "echoed" });
    expect((await create({ tools: [tool] })).tools).toMatchObject([tool]);
  });

  test("has a phase in its message while messagePhase is true", async () => {
    expect((await create()).output[1]).not.toHaveProperty("phase");
    await set({ messagePhase: true });
    expect((await create()).output[1]).toMatchObject({ phase: "final_answer" });
  });

  test("has code with CRLF while codeLineEnds is crlf, and still runs it", async () => {
    await set({ codeLineEnds: "crlf", backgroundOutputs: "present" });
    script({ then: [{ code: "x = 1\nprint(x)" }] });
    const done = await create({
      tools: [INTERPRETER_TOOL],
      include: ["code_interpreter_call.outputs"],
    });
    expect(getCalls(done)).toMatchObject([
      { code: "x = 1\r\nprint(x)", outputs: [{ type: "logs", logs: "1\n" }] },
    ]);
  });

  test("comes with x-ratelimit headers unless rateLimitHeaders is false", async () => {
    expect((await createRaw()).headers.get("x-ratelimit-remaining-requests")).toBe("9999");
    await set({ rateLimitHeaders: false });
    expect((await createRaw()).headers.has("x-ratelimit-remaining-requests")).toBe(false);
  });
});

describe("the input items of a response", () => {
  test("have ids and statuses, and assistant texts annotations", async () => {
    const done = await create({
      input: [
        { role: "user", content: "go" },
        { role: "assistant", content: "ok" },
        { type: "function_call", call_id: "call_1", name: "add", arguments: "{}" },
        { type: "function_call_output", call_id: "call_1", output: "1" },
      ],
    });
    const { data } = await client.responses.inputItems.list(done.id, { order: "asc" });
    expect(data).toMatchObject([
      { id: expect.stringMatching(/^msg_/) as unknown },
      { content: [{ type: "output_text", annotations: [], logprobs: [] }] },
      { id: expect.stringMatching(/^fc_/) as unknown, status: "completed" },
      { id: expect.stringMatching(/^fco_/) as unknown, status: "completed" },
    ]);
  });
});

describe("the deltas of a stream", () => {
  test("have obfuscation unless the request or the setting forbids it", async () => {
    const deltas = getDeltas(await stream());
    expect(deltas.length).toBeGreaterThan(0);
    for (const delta of deltas) {
      expect(delta).toMatchObject({ obfuscation: expect.any(String) as unknown });
    }
    const forbidden = await stream({ stream_options: { include_obfuscation: false } });
    expect(JSON.stringify(forbidden)).not.toContain("obfuscation");
    await set({ obfuscation: false });
    expect(JSON.stringify(await stream())).not.toContain("obfuscation");
  });

  test("have none in a replay with include_obfuscation=false", async () => {
    const id = JSON.stringify(await stream({ background: true })).match(/resp_\w+/)?.[0] ?? "";
    const url = `/responses/${id}?stream=true`;
    expect(JSON.stringify(await readStream(url))).toContain("obfuscation");
    const plain = await readStream(`${url}&include_obfuscation=false`);
    expect(JSON.stringify(plain)).not.toContain("obfuscation");
  });
});

test("the last event of a stream has no items while finalEventOutput is empty", async () => {
  await set({ finalEventOutput: "empty" });
  const events = await stream();
  expect(events.at(-1)).toMatchObject({ type: "response.completed", response: { output: [] } });
  const id = JSON.stringify(events).match(/resp_\w+/)?.[0] ?? "";
  expect((await client.responses.retrieve(id)).output).toHaveLength(2);
});

describe("GET /v1/responses/:id after the run's end", () => {
  test("says in_progress for the first staleReads, then lacks an item for partialReads", async () => {
    await set({ staleReads: 1, partialReads: 1 });
    const id = await createEnded();
    const answers = [];
    for (let read = 0; read < 3; read++) answers.push(await client.responses.retrieve(id));
    expect(answers).toMatchObject([
      { status: "in_progress", output: [], usage: null },
      { status: "completed", output: [{ type: "reasoning" }] },
      { status: "completed", output: [{ type: "reasoning" }, { type: "message" }] },
    ]);
  });

  test("lacks an item for partialSeconds", async () => {
    await set({ partialSeconds: 600 });
    const id = await createEnded();
    const partial = { status: "completed", output: [{ type: "reasoning" }] };
    for (let read = 0; read < 3; read++) {
      expect(await client.responses.retrieve(id)).toMatchObject(partial);
    }
    await set({ partialSeconds: 0 });
    const output = [{ type: "reasoning" }, { type: "message" }];
    expect(await client.responses.retrieve(id)).toMatchObject({ status: "completed", output });
  });

  test("hides what background loses in the answers of partialReads too", async () => {
    await set({ partialReads: 1 });
    script({ then: [{ code: "print(1)" }, { text: "a" }] });
    const id = await createEnded();
    const include = ["code_interpreter_call.outputs" as const];
    const { output } = await client.responses.retrieve(id, { include });
    expect(output).toMatchObject([{ type: "code_interpreter_call", outputs: [] }]);
  });

  test("is a 404 for missingSeconds", async () => {
    await set({ missingSeconds: 600 });
    const id = await createEnded();
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
    await set({ missingSeconds: 0 });
    expect(await client.responses.retrieve(id)).toMatchObject({ status: "completed" });
  });

  test("refuses to replay a stream that is older than replayMinutes", async () => {
    const id = JSON.stringify(await stream({ background: true })).match(/resp_\w+/)?.[0] ?? "";
    await set({ replayMinutes: 0 });
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("can no longer be streamed") as unknown,
    });
    await set({ replayMinutes: 5 });
    await expect(client.responses.retrieve(id, { stream: true })).resolves.toBeDefined();
  });
});

describe("a fault", () => {
  test("gateway sends an error with a numeric code", async () => {
    await callControl("POST /faults", { kind: "gateway" });
    const refusal = create();
    await expect(refusal).rejects.toMatchObject({ status: 502, code: 502, type: "cf_bad_gateway" });
  });

  test("matches by the query", async () => {
    const { id } = await create();
    const include = ["code_interpreter_call.outputs" as const];
    const query = { "include[]": include[0] };
    await callControl("POST /faults", { kind: "status", status: 500, query });
    await expect(client.responses.retrieve(id)).resolves.toMatchObject({ id });
    const asked = client.responses.retrieve(id, { include });
    await expect(asked).rejects.toMatchObject({ status: 500 });
  });
});
