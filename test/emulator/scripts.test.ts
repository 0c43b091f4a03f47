import { APIConnectionError } from "openai";
import type OpenAI from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import type { ScriptParams } from "../../emulator/scripts/schema.ts";
import { pollUntil, startTestEmulator } from "./setup.ts";

const { client, callControl, script } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 0,
});

type Event = OpenAI.Responses.ResponseStreamEvent;
type Request = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>;

const ADD: OpenAI.Responses.FunctionTool = {
  type: "function",
  name: "add",
  strict: true,
  parameters: { type: "object", properties: { a: { type: "integer" } } },
};

beforeEach(async () => {
  await callControl("DELETE /scripts");
});

function create(more: Request = {}, headers: Record<string, string> = {}) {
  const request = { model: "gpt-5.2", input: "go", ...more, stream: false as const };
  return client.responses.create(request, { headers });
}

async function ask(more: Request = {}, headers: Record<string, string> = {}): Promise<string> {
  return (await create(more, headers)).output_text;
}

async function collect(more: Request = {}): Promise<Event[]> {
  const events: Event[] = [];
  const request = { model: "gpt-5.2", input: "go", ...more, stream: true as const };
  for await (const event of await client.responses.create(request)) events.push(event);
  return events;
}

/** Creates a stream that breaks; returns the events before. */
async function collectUntilError(more: Request = {}): Promise<{ events: Event[]; error: unknown }> {
  const events: Event[] = [];
  const request = { model: "gpt-5.2", input: "go", ...more, stream: true as const };
  const read = async () => {
    for await (const event of await client.responses.create(request)) events.push(event);
  };
  const error = await read().then(
    () => null,
    (cause: unknown) => cause,
  );
  return { events, error };
}

function getId(events: Event[]): string {
  return events[0]?.type === "response.created" ? events[0].response.id : "";
}

function toToolOutput(call_id: string) {
  return { type: "function_call_output" as const, call_id, output: "1" };
}

function hasItem({ output }: { output: unknown[] }): boolean {
  return output.length > 0;
}

describe("a script", () => {
  test("answers one request by default, then the directives answer again", async () => {
    script({ then: [{ text: "scripted" }] });
    expect(await ask()).toBe("scripted");
    expect(await ask()).toMatch("You said: go");
  });

  test("answers 'times' requests, and all until DELETE /_emulator/scripts with -1", async () => {
    script({ times: 2, then: [{ text: "twice" }] });
    script({ times: -1, then: [{ text: "always" }] });
    const texts = [await ask(), await ask(), await ask(), await ask()];
    expect(texts).toEqual(["twice", "twice", "always", "always"]);
    await callControl("DELETE /scripts");
    expect(await ask()).toMatch("You said");
  });

  type Match = ScriptParams["match"];
  const MATCHES: [string, Match, Request, Record<string, string>][] = [
    ["input", { input: "^calc" }, { input: "calculate" }, {}],
    ["model", { model: "gpt-5" }, { model: "gpt-5" }, {}],
    ["metadata", { metadata: { test: "7" } }, { metadata: { test: "7", more: "x" } }, {}],
    ["tool", { tool: "function" }, { tools: [ADD] }, {}],
    ["header", { header: { "X-Test": "7" } }, {}, { "x-test": "7" }],
  ];

  test.each(MATCHES)("matches by %s", async (_, match, request, headers) => {
    script({ match, then: [{ text: "scripted" }] });
    expect(await ask()).not.toBe("scripted");
    expect(await ask(request, headers)).toBe("scripted");
  });

  test("matches by the turn of tool outputs, in the input and in earlier responses", async () => {
    script({ match: { turn: 0 }, then: [{ function_call: { name: "add", call_id: "call_1" } }] });
    script({ match: { turn: 1 }, then: [{ function_call: { name: "add", call_id: "call_2" } }] });
    script({ match: { turn: 2 }, times: 2, then: [{ text: "3" }] });
    const first = await create({ tools: [ADD] });
    const second = await create({
      previous_response_id: first.id,
      input: [toToolOutput("call_1"), toToolOutput("call_1b")],
    });
    expect(second.output).toMatchObject([{ type: "function_call", call_id: "call_2" }]);
    const third = await create({
      previous_response_id: second.id,
      input: [toToolOutput("call_2")],
    });
    expect(third.output_text).toBe("3");
    const stateless = [
      { role: "user" as const, content: "go" },
      ...["call_1", "call_2"].flatMap((call_id) => [
        { type: "function_call" as const, call_id, name: "add", arguments: "{}" },
        toToolOutput(call_id),
      ]),
    ];
    expect(await ask({ input: stateless })).toBe("3");
  });

  test("isn't used up by a request that is rejected", async () => {
    script({ then: [{ text: "scripted" }] });
    await expect(create({ previous_response_id: "resp_0" })).rejects.toMatchObject({ status: 400 });
    expect(await ask()).toBe("scripted");
  });

  test("is listed with its remaining uses", async () => {
    await callControl("POST /scripts", { match: { turn: 0 }, then: [{ text: "a" }] });
    await ask();
    expect(await callControl("GET /scripts")).toMatchObject([
      { match: { turn: 0 }, times: 1, left: 0, then: [{ text: "a" }] },
    ]);
  });

  test.each([
    [{ then: [{ dance: true }] }, "then[0]"],
    [{ then: [{ text: "a", code: "b" }] }, "then[0]"],
    [{ match: { input: "(" }, then: [] }, "match.input"],
    [{ match: { colour: "red" }, then: [] }, "match.colour"],
    [{}, "then"],
  ])("is rejected when it is malformed: %j", async (params, param) => {
    expect(await callControl("POST /scripts", params)).toMatchObject({ error: { param } });
  });

  test.each([
    [{ txt: "a" }, "it has none of code, text, refusal"],
    [{ shell: { commands: "ls" } }, "shell.commands: Invalid input: expected array"],
    [{ wait: "1" }, "wait: Invalid input: expected number"],
    [{ text: "a", refusal: "b" }, 'it: Unrecognized key: "refusal"'],
  ])("says what is wrong with the step %j", async (step, reason) => {
    const answer = await callControl("POST /scripts", { then: [step] });
    const message = expect.stringContaining(`not a step: ${reason}`) as unknown;
    expect(answer).toMatchObject({ error: { param: "then[0]", message } });
  });

  test("is told by GET /_emulator/responses/:id", async () => {
    script({ then: [{ text: "scripted" }] });
    for (const scripted of [true, false]) {
      const { id } = await create();
      expect(await callControl(`GET /responses/${id}`)).toMatchObject({ scripted });
    }
  });

  test("replaces members of the ended response", async () => {
    const usage = { input_tokens: 5, output_tokens: 7, total_tokens: 12 };
    script({ then: [{ text: "a" }], response: { usage, service_tier: "flex" } });
    expect(await create()).toMatchObject({ usage, service_tier: "flex", output_text: "a" });
  });

  test("takes precedence over the directives, but not over those about the run", async () => {
    script({ then: [{ text: "scripted" }] });
    const done = await create({ input: "emulator: fail, emulator: kept 60 seconds" });
    expect(done).toMatchObject({ status: "completed", output_text: "scripted", store: false });
  });
});

describe("the time in a script", () => {
  test("shows items one after another with 'wait', 'takes' and 'pace'", async () => {
    script({
      pace: 0.01,
      then: [
        { wait: 0.02 },
        { text: "first", pace: 0.01, phase: "commentary" },
        { pace: 0 },
        { web_search: {}, takes: 0.02 },
        { wait: 600 },
        { text: "never" },
      ],
    });
    const created = await create({ background: true });
    const current = await pollUntil(
      () => client.responses.retrieve(created.id),
      ({ output }) => output.length === 2,
    );
    expect(current).toMatchObject({
      status: "in_progress",
      output: [{ type: "message" }, { type: "web_search_call" }],
    });
    expect(await client.responses.cancel(created.id)).toMatchObject({ output: [] });
  });

  test("has deltas of deltaCharacters characters", async () => {
    await callControl("PATCH /settings", { deltaCharacters: 2, deltaSeconds: 0.005 });
    script({ then: [{ text: "abcdefg" }] });
    const deltas = (await collect()).flatMap((event) =>
      event.type === "response.output_text.delta" ? [event.delta] : [],
    );
    await callControl("PATCH /settings", { deltaCharacters: null, deltaSeconds: 0 });
    expect(deltas).toEqual(["ab", "cd", "ef", "g"]);
  });
});

describe("the end of a script", () => {
  test("is incomplete with its reason", async () => {
    script({ then: [{ text: "abcd", is_halved: true }, { incomplete: "content_filter" }] });
    const done = await create();
    expect(done).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "content_filter" },
      output: [{ status: "incomplete", content: [{ text: "ab" }] }],
    });
  });

  test.each([
    ["empty", []],
    ["kept", [{ type: "message" }]],
  ])("is failed after an item, with stoppedOutput %s", async (stoppedOutput, output) => {
    await callControl("PATCH /settings", { stoppedOutput });
    const failed = { code: "rate_limit_exceeded", message: "Too fast." };
    script({ then: [{ text: "a" }, { failed }, { text: "never" }] });
    const events = await collect();
    await callControl("PATCH /settings", { stoppedOutput: "empty" });
    const expected = { status: "failed", error: failed, output, usage: null };
    expect(events.at(-1)).toMatchObject({ type: "response.failed", response: expected });
    expect(await client.responses.retrieve(getId(events))).toMatchObject({ error: failed });
  });

  test("keeps the items of a run that is cancelled while stoppedOutput is kept", async () => {
    await callControl("PATCH /settings", { stoppedOutput: "kept" });
    script({ then: [{ text: "a" }, { wait: 600 }] });
    const { id } = await create({ background: true });
    await pollUntil(() => client.responses.retrieve(id), hasItem);
    const cancelled = await client.responses.cancel(id);
    await callControl("PATCH /settings", { stoppedOutput: "empty" });
    expect(cancelled).toMatchObject({ status: "cancelled", output: [{ type: "message" }] });
  });

  test("is an error event, nested as recorded, before response.failed", async () => {
    const error = { type: "insufficient_quota", code: "insufficient_quota", message: "Pay." };
    script({ then: [{ text: "a" }, { error }] });
    const text = await (
      await client.responses.create({ model: "gpt-5.2", input: "go", stream: true }).asResponse()
    ).text();
    expect(parseEvents(text).slice(-2)).toMatchObject([
      { type: "error", sequence_number: expect.any(Number) as unknown, error },
      { type: "response.failed", response: { error: { message: "Pay." } } },
    ]);
    script({ then: [{ error, is_flat: true, failed_follows: false }] });
    const flat = await (
      await client.responses.create({ model: "gpt-5.2", input: "go", stream: true }).asResponse()
    ).text();
    const last = parseEvents(flat).at(-1);
    expect(last).toMatchObject({ type: "error", code: "insufficient_quota", message: "Pay." });
  });

  test("is failed at once after an error event: a client that leaves there cancels nothing", async () => {
    await callControl("PATCH /settings", { runSeconds: 0.3 });
    script({ then: [{ text: "a" }, { error: {} }] });
    const { events, error } = await collectUntilError({});
    await callControl("PATCH /settings", { runSeconds: 0 });
    expect(error).not.toBeNull();
    const failed = { status: "failed", error: { code: "server_error" } };
    expect(await client.responses.retrieve(getId(events))).toMatchObject(failed);
  });

  test("can be a cut: a background run goes on, and its stream is resumed", async () => {
    script({ then: [{ text: "a" }, { cut: true }, { text: "b" }] });
    const { events, error } = await collectUntilError({ background: true });
    expect(error).not.toBeNull();
    expect(events.at(-1)).toMatchObject({ type: "response.output_item.done" });
    const rest: Event[] = [];
    const resumed = await client.responses.retrieve(getId(events), {
      stream: true,
      starting_after: events.length - 1,
    });
    for await (const event of resumed) rest.push(event);
    expect(rest[0]).toMatchObject({ type: "response.output_item.added", output_index: 1 });
    expect(rest.at(-1)).toMatchObject({ type: "response.completed" });
  });

  test("can be a cut of a foreground run, which is a 404 then with onDisconnect forget", async () => {
    await callControl("PATCH /settings", { onDisconnect: "forget" });
    script({ then: [{ text: "a" }, { cut: true }, { wait: 600 }] });
    const { events } = await collectUntilError();
    const id = getId(events);
    const answer = await pollUntil(
      () => client.responses.retrieve(id).catch((cause: unknown) => cause),
      (result) => result instanceof Error,
    );
    await callControl("PATCH /settings", { onDisconnect: "cancel" });
    expect(answer).toMatchObject({ status: 404 });
  });

  test("can be a cut of a foreground request without a stream", async () => {
    script({ then: [{ cut: true }, { wait: 600 }] });
    await expect(create()).rejects.toThrow(APIConnectionError);
  });
});

function parseEvents(text: string): unknown[] {
  const data = text.matchAll(/^data: (.*)$/gm);
  return [...data].map(([, json = ""]): unknown => JSON.parse(json));
}
