import { expect, test } from "vitest";
import {
  parseOwnEvent,
  toOwnNumber,
  toServedEvents,
  toServerSentEvent,
  type ServedEvent,
  type StreamView,
} from "../../../../src/http/v1/served-events.ts";
import { decodeChunks } from "../../../../src/lib/byte-stream.ts";

const encoder = new TextEncoder();
const OUTPUTS = "code_interpreter_call.outputs";
const HELD: StreamView = { isHeld: true, include: new Set(), obfuscates: true };
const FOLLOWED: StreamView = { ...HELD, isHeld: false };
const RESPONSE = { id: "resp_1", status: "in_progress", background: false, output: [] };
const CALL = { type: "code_interpreter_call", id: "ci_1", outputs: [{ type: "logs", logs: "x" }] };

function serve(number: number, event: object, view: StreamView): unknown[] {
  return toServedEvents({ number, json: encoder.encode(JSON.stringify(event)) }, view).map(parse);
}

function parse({ json }: ServedEvent): unknown {
  return JSON.parse(decodeChunks(json));
}

test("the first event of a held run is served as number 0, and as a response.queued with number 1", () => {
  const created = { type: "response.created", sequence_number: 0, response: RESPONSE };
  const response = { ...RESPONSE, status: "queued", background: true };
  expect(serve(1, created, HELD)).toEqual([
    { type: "response.created", sequence_number: 0, response },
    { type: "response.queued", sequence_number: 1, response },
  ]);
});

test("a first event of a held run without a response is followed by no response.queued", () => {
  expect(serve(1, { type: "ping" }, HELD)).toEqual([{ type: "ping", sequence_number: 0 }]);
});

test("every other event of a held run has the number after OpenAI's, and background true", () => {
  const progress = { type: "response.in_progress", sequence_number: 1, response: RESPONSE };
  expect(serve(2, progress, HELD)).toEqual([
    { ...progress, sequence_number: 2, response: { ...RESPONSE, background: true } },
  ]);
  const delta = { type: "response.output_text.delta", sequence_number: 41, delta: "x" };
  expect(serve(42, delta, HELD)).toEqual([{ ...delta, sequence_number: 42 }]);
});

test("an event of a followed run keeps OpenAI's number and its bytes", () => {
  const json = encoder.encode('{ "type":"response.output_text.delta", "sequence_number": 7 }');
  const [served] = toServedEvents({ number: 8, json }, FOLLOWED);
  expect(served).toEqual({ number: 7, type: "response.output_text.delta", json: [json] });
});

test.each([undefined, null, 3, "9"])(
  "an event whose own number is 8 is served as number 7 when a gateway numbers it %j",
  (sequence_number) => {
    const event = { type: "response.output_text.delta", sequence_number, delta: "x" };
    expect(serve(8, event, FOLLOWED)).toEqual([{ ...event, sequence_number: 7 }]);
  },
);

test.each([
  { isHeld: true, after: -1, own: 0 },
  { isHeld: true, after: 0, own: 0 },
  { isHeld: true, after: 1, own: 1 },
  { isHeld: true, after: 57, own: 57 },
  { isHeld: false, after: -1, own: 0 },
  { isHeld: false, after: 0, own: 1 },
  { isHeld: false, after: 57, own: 58 },
])("a caller after number $after reads on after own number $own, held $isHeld", (expected) => {
  const { isHeld, after, own } = expected;
  const view = { ...HELD, isHeld };
  expect(toOwnNumber(after, view)).toBe(own);
  // No event after that one is left out.
  const event = { type: "response.created", response: RESPONSE };
  const next = toServedEvents(
    { number: own + 1, json: encoder.encode(JSON.stringify(event)) },
    view,
  );
  expect(next.map(({ number }) => number)).toContain(after + 1);
});

test.each(["response.output_item.added", "response.output_item.done"])(
  "%s shows the result only to who asked for it",
  (type) => {
    const event = { type, sequence_number: 4, output_index: 0, item: CALL };
    expect(serve(5, event, FOLLOWED)).toEqual([{ ...event, item: { ...CALL, outputs: null } }]);
    expect(serve(5, event, { ...FOLLOWED, include: new Set([OUTPUTS]) })).toEqual([event]);
  },
);

test("the response of the last event shows results only to who asked for them", () => {
  const response = { ...RESPONSE, status: "completed", background: true, output: [CALL] };
  const event = { type: "response.completed", sequence_number: 9, response };
  const hidden = { ...response, output: [{ ...CALL, outputs: null }] };
  expect(serve(10, event, FOLLOWED)).toEqual([{ ...event, response: hidden }]);
  expect(serve(10, event, { ...FOLLOWED, include: new Set([OUTPUTS]) })).toEqual([event]);
});

test("the metadata of a served response has the caller's pairs alone", () => {
  const metadata = { mine: "1", response_recorder: "{}" };
  const response = { ...RESPONSE, background: true, metadata };
  const event = { type: "response.created", sequence_number: 0, response };
  expect(serve(1, event, FOLLOWED)).toEqual([
    { ...event, response: { ...response, metadata: { mine: "1" } } },
  ]);
});

test("obfuscation is left out for who does not want it", () => {
  const event = { type: "response.output_text.delta", sequence_number: 3, delta: "x" };
  const padded = { ...event, obfuscation: "abc" };
  expect(serve(4, padded, FOLLOWED)).toEqual([padded]);
  expect(serve(4, padded, { ...FOLLOWED, obfuscates: false })).toEqual([event]);
});

test("a line of a Connection is its own number and the event's JSON", () => {
  const { number, json } = parseOwnEvent(encoder.encode('12 {"type": "a b"}'));
  expect([number, decodeChunks([json])]).toEqual([12, '{"type": "a b"}']);
});

test("a server-sent event names its type, and has its data in one line", () => {
  const json = ['{"type":"a",', '\r\n"b":', "\n1}"].map((text) => encoder.encode(text));
  const text = decodeChunks(toServerSentEvent({ number: 1, type: "response.created", json }));
  expect(text).toBe('event: response.created\ndata: {"type":"a",  "b": 1}\n\n');
});

test("a type that would begin another field names no event", () => {
  const json = [encoder.encode("{}")];
  const text = decodeChunks(toServerSentEvent({ number: 1, type: "a\ndata: {}", json }));
  expect(text).toBe("data: {}\n\n");
});

test("a large event is sent without a copy of it", () => {
  const large = encoder.encode(JSON.stringify("x".repeat(100_000)));
  expect(toServerSentEvent({ number: 1, type: "a", json: [large] })).toContain(large);
});
