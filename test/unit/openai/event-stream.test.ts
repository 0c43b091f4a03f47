import { array, assert, asyncProperty, constantFrom, nat } from "fast-check";
import { expect, test } from "vitest";
import {
  openEventStream,
  readFirstResponse,
  consumeEvents,
} from "../../../src/openai/event-stream.ts";

const encoder = new TextEncoder();

/** An answer whose body comes in these pieces. */
function answer(pieces: Uint8Array[], headers = { "content-type": "text/event-stream" }): Response {
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) return controller.close();
      controller.enqueue(piece);
    },
  });
  return new Response(body, { headers });
}

function whole(text: string): Response {
  return answer([encoder.encode(text)]);
}

function cut(text: string, places: number[]): Uint8Array[] {
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

function streamOf(events: object[], newline: string): string {
  const lines = events.map((event) => `event: x${newline}data: ${JSON.stringify(event)}${newline}`);
  return `: hello${newline}${newline}${lines.join(newline)}${newline}`;
}

test("events are read alike wherever the network cuts them", async () => {
  await assert(
    asyncProperty(
      array(nat(2_000), { maxLength: 40 }),
      constantFrom("\n", "\r\n"),
      async (places, newline) => {
        const connection = openEventStream(answer(cut(streamOf(EVENTS, newline), places)));
        const brought = await consumeEvents(connection);
        expect(brought).toMatchObject({ status: "completed", lastEvent: "2 response.completed" });
        const bytes = brought.response?.bytes ?? new Uint8Array();
        expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(RESPONSE);
        expect(JSON.parse(new TextDecoder().decode(brought.calls.get("ci_1")))).toEqual(CALL);
      },
    ),
  );
});

test("an event that was cut off is no event", async () => {
  const text = streamOf(EVENTS.slice(0, 2), "\n").slice(0, -3);
  const brought = await consumeEvents(openEventStream(whole(text)));
  expect(brought).toMatchObject({ lastEvent: "0 response.created", response: null });
  expect(brought.calls.size).toBe(0);
});

test("data over several lines is one event", async () => {
  const text = JSON.stringify(EVENTS[2], null, 2).replaceAll("\n", "\ndata: ");
  const brought = await consumeEvents(openEventStream(whole(`data: ${text}\n\n`)));
  expect(brought.status).toBe("completed");
});

test("an error that OpenAI sends in the stream is told", async () => {
  const problem = {
    type: "error",
    sequence_number: 1,
    code: "server_error",
    message: "It failed.",
  };
  const events = [...EVENTS.slice(0, 1), problem];
  const brought = await consumeEvents(openEventStream(whole(streamOf(events, "\n"))));
  expect(brought).toMatchObject({
    lastEvent: "1 error",
    response: null,
    errorEvent: { code: "server_error", message: "It failed." },
  });
  const first = readFirstResponse(openEventStream(whole(streamOf([problem], "\n"))));
  await expect(first).rejects.toThrow("It failed.");
});

test("an event nested too deeply to be looked into is passed over", async () => {
  const tools = "[".repeat(50_000) + "]".repeat(50_000);
  const deep = streamOf(EVENTS, "\n").replace('"status":"completed"', `"tools":${tools},$&`);
  const brought = await consumeEvents(openEventStream(whole(deep)));
  expect(brought).toMatchObject({
    lastEvent: "1 response.output_item.done",
    response: null,
    failure: null,
  });
  expect([...brought.calls.keys()]).toEqual(["ci_1"]);
});

test("an answer that is no stream is refused", () => {
  expect(() => openEventStream(answer([], { "content-type": "application/json" }))).toThrow(
    /not a stream/,
  );
});
