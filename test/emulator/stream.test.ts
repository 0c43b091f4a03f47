import type OpenAI from "openai";
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

const { client, callControl, runPython, url } = await startTestEmulator({ interpreters: 1 });

type Event = OpenAI.Responses.ResponseStreamEvent;
type Stream = AsyncIterable<Event>;

const REQUEST = {
  model: "gpt-5.2",
  tools: [INTERPRETER_TOOL],
  include: [INCLUDE_OUTPUTS],
  stream: true,
  input: toPythonInput("print('hello')"),
} as const;

async function collect(stream: Stream): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function createStream(more: object = {}) {
  const { tools, include, ...rest } = REQUEST;
  return client.responses.create({ ...rest, tools: [...tools], include: [...include], ...more });
}

/** The kinds of the events, each run of the same kind once. */
function getDistinctTypes(events: Event[]): string[] {
  const types = events.map(({ type }) => type.replace("response.", ""));
  return types.filter((type, index) => type !== types[index - 1]);
}

function getFinalOutputs(events: Event[]): unknown[] {
  const event = events.at(-1);
  return event?.type === "response.completed" ? getOutputs(event.response) : [];
}

async function abandonStream(input: string): Promise<string> {
  const stream = await createStream({ input });
  for await (const event of stream) {
    if (event.type === "response.in_progress") return event.response.id;
  }
  return "";
}

describe("POST /v1/responses with stream", () => {
  test("sends an event for each step in OpenAI's order, numbered from 0", async () => {
    const events = await collect(await createStream());
    expect(getDistinctTypes(events)).toEqual([
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

  test("sends the outputs in the call's done event and in the last event", async () => {
    const events = await collect(await createStream());
    const shown = [toLogs("hello\n")];
    const done = events.flatMap((event) =>
      event.type === "response.output_item.done" ? getCalls({ output: [event.item] }) : [],
    );
    expect(done.map((call) => call.outputs)).toEqual([shown]);
    expect(getFinalOutputs(events)).toEqual([shown]);
  });

  test("sends no outputs without an include of outputs", async () => {
    expect(getFinalOutputs(await collect(await createStream({ include: [] })))).toEqual([null]);
  });

  test("sends an event for each citation after the text", async () => {
    const events = await collect(
      await createStream({ input: toPythonInput("open('a.txt', 'w').write('x');") }),
    );
    const types = getDistinctTypes(events);
    expect(types).toContain("output_text.annotation.added");
    expect(types.indexOf("output_text.annotation.added")).toBeGreaterThan(
      types.indexOf("output_text.delta"),
    );
  });

  test("sends no [DONE] after the last event", async () => {
    const response = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { authorization: "Bearer sk-test", "content-type": "application/json" },
      body: JSON.stringify(REQUEST),
    });
    expect(response.headers.get("content-type")).toMatch("text/event-stream");
    expect(await response.text()).not.toMatch("[DONE]");
  });
});

describe("the stream of a background run", () => {
  test("starts with created and queued, and is replayed from any event on", async () => {
    const events = await collect(await createStream({ background: true }));
    expect(getDistinctTypes(events).slice(0, 3)).toEqual(["created", "queued", "in_progress"]);
    const id = events[0]?.type === "response.created" ? events[0].response.id : "";
    const rest = await client.responses.retrieve(id, { stream: true, starting_after: 4 });
    expect(await collect(rest)).toEqual(events.slice(5));
    const again = await client.responses.retrieve(id, { stream: true });
    expect(await collect(again)).toEqual(events);
  });

  test("continues after a disconnect and is resumed by starting_after", async () => {
    const stream = await createStream({ background: true });
    let id = "";
    for await (const event of stream) {
      if (event.type === "response.created") id = event.response.id;
      if (event.type === "response.in_progress") break;
    }
    const rest = await client.responses.retrieve(id, { stream: true, starting_after: 2 });
    const types = getDistinctTypes(await collect(rest));
    expect([types[0], types.at(-1)]).toEqual(["output_item.added", "completed"]);
  });

  test("has empty outputs unless streamOutputs is present", async () => {
    const events = await collect(await createStream({ background: true }));
    const id = events[0]?.type === "response.created" ? events[0].response.id : "";
    expect(getFinalOutputs(events)).toEqual([[]]);
    await callControl("PATCH /settings", { streamOutputs: "present" });
    const replay = await client.responses.retrieve(id, {
      stream: true,
      include: [INCLUDE_OUTPUTS],
    });
    expect(getFinalOutputs(await collect(replay))).toEqual([[toLogs("hello\n")]]);
    await callControl("PATCH /settings", { streamOutputs: "empty" });
  });

  test("ends without a last event when the run is cancelled", async () => {
    const stream = await createStream({ background: true, input: "emulator: run 600 seconds" });
    const events: Event[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === "response.in_progress") await client.responses.cancel(event.response.id);
    }
    expect(getDistinctTypes(events)).not.toContain("completed");
  });
});

test("GET /v1/responses/:id with stream rejects a response that was not a background stream", async () => {
  const { id } = await runPython("1");
  await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({
    status: 400,
    message:
      "400 This response cannot be streamed because it was not created with background=true.",
  });
});

describe("a foreground run whose client disconnects", () => {
  test("is cancelled", async () => {
    const id = await abandonStream("emulator: run 600 seconds");
    const ask = () => client.responses.retrieve(id);
    const ended = await pollUntil(ask, ({ status }) => status !== "in_progress");
    expect(ended.status).toBe("cancelled");
  });

  test("completes when onDisconnect is complete", async () => {
    await callControl("PATCH /settings", { onDisconnect: "complete" });
    const id = await abandonStream("emulator: run 0.5 seconds");
    const ask = () => client.responses.retrieve(id);
    const ended = await pollUntil(ask, ({ status }) => status !== "in_progress");
    expect(ended.status).toBe("completed");
    await callControl("PATCH /settings", { onDisconnect: "cancel" });
  });
});

test("GET /_emulator/responses/:id names the event with which a call was done", async () => {
  const events = await collect(await createStream());
  const done = events.find(
    (event) =>
      event.type === "response.output_item.done" && event.item.type === "code_interpreter_call",
  );
  const last = events.at(-1);
  if (last?.type !== "response.completed") throw new Error("it did not complete");
  expect(await callControl(`GET /responses/${last.response.id}`)).toMatchObject({
    calls: [{ done: { event: done?.sequence_number } }],
  });
});
