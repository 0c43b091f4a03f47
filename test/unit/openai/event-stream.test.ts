import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  consumeEvents,
  openEventStream,
  parseEvent,
  type EventStream,
} from "../../../src/openai/event-stream.ts";

const encoder = new TextEncoder();

/** Returns an answer whose body arrives in some chunks. */
function createAnswer(
  chunks: Uint8Array[],
  headers = { "content-type": "text/event-stream" },
): Response {
  const left = [...chunks];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = left.shift();
      if (chunk === undefined) return controller.close();
      controller.enqueue(chunk);
    },
  });
  return new Response(body, { headers });
}

function openStream(text: string): EventStream {
  return openEventStream(createAnswer([encoder.encode(text)]));
}

/** Cuts a text at some places. */
function toChunks(text: string, places: number[]): Uint8Array[] {
  const bytes = encoder.encode(text);
  const ends = [...new Set(places.map((place) => place % bytes.length)), bytes.length];
  const sorted = ends.toSorted((a, b) => a - b);
  return sorted.map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end));
}

const CALL = {
  type: "code_interpreter_call",
  id: "ci_1",
  code: 'print("naïve – 数据 \\\\")',
  outputs: [{ type: "logs", logs: '"}{][,:\\ naïve – 数据\n' }],
};
const RESPONSE = { id: "resp_1", status: "completed", output: [CALL] };
const EVENTS = [
  {
    type: "response.created",
    sequence_number: 0,
    response: { id: "resp_1", status: "in_progress" },
  },
  { type: "response.output_item.done", sequence_number: 1, item: CALL },
  { type: "response.completed", sequence_number: 2, response: RESPONSE },
];

/** Returns events as server-sent events, after a comment. */
function toEventStream(events: object[], newline = "\n"): string {
  const lines = events.map((event) => `event: x${newline}data: ${JSON.stringify(event)}${newline}`);
  return `: hello${newline}${newline}${lines.join(newline)}${newline}`;
}

test("consumeEvents reads the same events wherever the network cuts them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2_000), { maxLength: 40 }),
      fc.constantFrom("\n", "\r\n"),
      async (places, newline) => {
        const stream = openEventStream(
          createAnswer(toChunks(toEventStream(EVENTS, newline), places)),
        );
        const result = await consumeEvents(stream);
        expect(result).toMatchObject({ status: "completed", failure: null });
        const bytes = result.response?.bytes ?? new Uint8Array();
        expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(RESPONSE);
        expect(JSON.parse(new TextDecoder().decode(result.items.get("ci_1")))).toEqual(CALL);
      },
    ),
  );
});

test("consumeEvents ignores an event that was cut off", async () => {
  const text = toEventStream(EVENTS.slice(0, 2)).slice(0, -3);
  const result = await consumeEvents(openStream(text));
  expect(result).toMatchObject({ status: "in_progress", response: null, failure: null });
  expect(result.items.size).toBe(0);
});

test("consumeEvents joins data over several lines to one event", async () => {
  const text = JSON.stringify(EVENTS[2], null, 2).replaceAll("\n", "\ndata: ");
  const result = await consumeEvents(openStream(`data: ${text}\n\n`));
  expect(result.status).toBe("completed");
});

test("consumeEvents stops after the terminal event, also when the connection stays open", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(toEventStream(EVENTS))),
  });
  const answer = new Response(body, { headers: { "content-type": "text/event-stream" } });
  expect(await consumeEvents(openEventStream(answer))).toMatchObject({ status: "completed" });
});

test("consumeEvents keeps what came before a connection broke, and the failure", async () => {
  const failure = new Error("cut");
  const chunks = [encoder.encode(toEventStream(EVENTS.slice(0, 2)))];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.error(failure);
      else controller.enqueue(chunk);
    },
  });
  const answer = new Response(body, { headers: { "content-type": "text/event-stream" } });
  const result = await consumeEvents(openEventStream(answer));
  expect(result).toMatchObject({ status: "in_progress", response: null, failure });
  expect([...result.items.keys()]).toEqual(["ci_1"]);
});

test("parseEvent returns null for what is no event, such as [DONE]", async () => {
  const stream = openStream(`data: [DONE]\n\ndata: 1\n\ndata: {"no": "type"}\n\n`);
  const parsed = [];
  for await (const body of stream.events) parsed.push(parseEvent(body));
  expect(parsed).toEqual([null, null, null]);
});

test("parseEvent drops a sequence_number that is no number, and keeps the event", async () => {
  const events = [
    { type: "x" },
    { type: "x", sequence_number: "7" },
    { type: "x", sequence_number: null },
  ];
  const numbers = [];
  for await (const body of openStream(toEventStream(events)).events) {
    numbers.push(parseEvent(body)?.sequence_number);
  }
  expect(numbers).toEqual([undefined, undefined, undefined]);
});

test("consumeEvents skips an event that is nested too deeply to be parsed", async () => {
  const tools = "[".repeat(50_000) + "]".repeat(50_000);
  const deep = toEventStream(EVENTS).replace('"status":"completed"', `"tools":${tools},$&`);
  const result = await consumeEvents(openStream(deep));
  expect(result).toMatchObject({ status: "in_progress", response: null, failure: null });
  expect([...result.items.keys()]).toEqual(["ci_1"]);
});

test("openEventStream throws when the answer is not a stream", () => {
  expect(() => openEventStream(createAnswer([], { "content-type": "application/json" }))).toThrow(
    /not a stream/,
  );
});

test("openEventStream tells once that events are large, before it reads on", async () => {
  const call = { ...CALL, outputs: [{ type: "logs", logs: "x".repeat(1024 * 1024) }] };
  const item = { type: "response.output_item.done", sequence_number: 1, item: call };
  const events = Array.from({ length: 8 }, () => encoder.encode(toEventStream([item])));
  const seen: number[] = [];
  let read = 0;
  const stream = openEventStream(createAnswer(events), async () => void seen.push(read));
  for await (const _ of stream.events) read += 1;
  expect(seen).toEqual([3]);
  expect(read).toBe(8);
});
