import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { calls, emulate, INTERPRETER, OUTPUTS, outputs, python, until } from "./setup.ts";

const { client, control, run, url } = await emulate({ interpreters: 1 });

type Event = OpenAI.Responses.ResponseStreamEvent;
type Stream = AsyncIterable<Event>;

const REQUEST = {
  model: "gpt-5.2",
  tools: [INTERPRETER],
  include: [OUTPUTS],
  stream: true,
  input: python("print('hello')"),
} as const;

async function all(stream: Stream): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function create(more: object = {}) {
  const { tools, include, ...rest } = REQUEST;
  return client.responses.create({ ...rest, tools: [...tools], include: [...include], ...more });
}

/** The kinds of the events, each run of the same kind once. */
function kinds(events: Event[]): string[] {
  const types = events.map(({ type }) => type.replace("response.", ""));
  return types.filter((type, index) => type !== types[index - 1]);
}

function last(events: Event[]): unknown[] {
  const event = events.at(-1);
  return event?.type === "response.completed" ? outputs(event.response) : [];
}

async function abandon(input: string): Promise<string> {
  const stream = await create({ input });
  for await (const event of stream) {
    if (event.type === "response.in_progress") return event.response.id;
  }
  return "";
}

describe("a foreground stream", () => {
  test("tells of every step in OpenAI's order, numbered from 0", async () => {
    const events = await all(await create());
    expect(kinds(events)).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "output_item.done",
      "output_item.added",
      "code_interpreter_call.in_progress",
      "code_interpreter_call_code.delta",
      "code_interpreter_call_code.done",
      "code_interpreter_call.interpreting",
      "code_interpreter_call.completed",
      "output_item.done",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed",
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual([...events.keys()]);
  });

  test("carries the outputs in the call's done event and in the last one", async () => {
    const events = await all(await create());
    const shown = [{ type: "logs", logs: "hello\n" }];
    const done = events.flatMap((event) =>
      event.type === "response.output_item.done" ? calls({ output: [event.item] }) : [],
    );
    expect(done.map((call) => call.outputs)).toEqual([shown]);
    expect(last(events)).toEqual([shown]);
  });

  test("has no outputs for who did not ask for them", async () => {
    expect(last(await all(await create({ include: [] })))).toEqual([null]);
  });

  test("says where files are cited", async () => {
    const events = await all(await create({ input: python("open('a.txt', 'w').write('x');") }));
    const types = kinds(events);
    expect(types).toContain("output_text.annotation.added");
    expect(types.indexOf("output_text.annotation.added")).toBeGreaterThan(
      types.indexOf("output_text.delta"),
    );
  });

  test("has no [DONE] after its last event", async () => {
    const response = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { authorization: "Bearer sk-test", "content-type": "application/json" },
      body: JSON.stringify(REQUEST),
    });
    expect(response.headers.get("content-type")).toMatch("text/event-stream");
    expect(await response.text()).not.toMatch("[DONE]");
  });
});

describe("a background stream", () => {
  test("starts with queued and is replayed from any event on", async () => {
    const events = await all(await create({ background: true }));
    expect(kinds(events).slice(0, 3)).toEqual(["created", "queued", "in_progress"]);
    const id = events[0]?.type === "response.created" ? events[0].response.id : "";
    const rest = await client.responses.retrieve(id, { stream: true, starting_after: 4 });
    expect(await all(rest)).toEqual(events.slice(5));
    const again = await client.responses.retrieve(id, { stream: true });
    expect(await all(again)).toEqual(events);
  });

  test("goes on without its reader, who can take it up again", async () => {
    const stream = await create({ background: true });
    let id = "";
    for await (const event of stream) {
      if (event.type === "response.created") id = event.response.id;
      if (event.type === "response.in_progress") break;
    }
    const rest = await client.responses.retrieve(id, { stream: true, starting_after: 2 });
    const types = kinds(await all(rest));
    expect([types[0], types.at(-1)]).toEqual(["output_item.added", "completed"]);
  });

  test("has empty outputs, unless the setting gives them", async () => {
    const events = await all(await create({ background: true }));
    const id = events[0]?.type === "response.created" ? events[0].response.id : "";
    expect(last(events)).toEqual([[]]);
    await control("PATCH /settings", { streamOutputs: "present" });
    const replay = await client.responses.retrieve(id, { stream: true, include: [OUTPUTS] });
    expect(last(await all(replay))).toEqual([[{ type: "logs", logs: "hello\n" }]]);
    await control("PATCH /settings", { streamOutputs: "empty" });
  });

  test("just ends when the response is cancelled", async () => {
    const stream = await create({ background: true, input: "emulator: run 600 seconds" });
    const seen: Event[] = [];
    for await (const event of stream) {
      seen.push(event);
      if (event.type === "response.in_progress") await client.responses.cancel(event.response.id);
    }
    expect(kinds(seen)).not.toContain("completed");
  });
});

test("a response that wasn't streamed in the background can't be replayed", async () => {
  const { id } = await run("1");
  await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({
    status: 400,
    message:
      "400 This response cannot be streamed because it was not created with background=true.",
  });
});

describe("a foreground response whose client goes away", () => {
  test("is cancelled", async () => {
    const id = await abandon("emulator: run 600 seconds");
    const ask = () => client.responses.retrieve(id);
    const ended = await until(ask, ({ status }) => status !== "in_progress");
    expect(ended.status).toBe("cancelled");
  });

  test("completes when the setting says so", async () => {
    await control("PATCH /settings", { onDisconnect: "complete" });
    const id = await abandon("emulator: run 0.5 seconds");
    const ask = () => client.responses.retrieve(id);
    const ended = await until(ask, ({ status }) => status !== "in_progress");
    expect(ended.status).toBe("completed");
    await control("PATCH /settings", { onDisconnect: "cancel" });
  });
});
