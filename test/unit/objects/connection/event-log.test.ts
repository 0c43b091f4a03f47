import * as fc from "fast-check";
import { expect, test } from "vitest";
import { concatChunks, decodeChunks } from "../../../../src/lib/byte-stream.ts";
import { EventLog } from "../../../../src/objects/connection/event-log.ts";
import { runs } from "../../../support/property-runs.ts";
import { FakeKv } from "./fake-kv.ts";

const encoder = new TextEncoder();
const KIB = 1024;

/** JSON of about some size. */
function toJson(text: string, size: number): string {
  return JSON.stringify({ text, more: "é".repeat(size / 2) });
}

function append(log: EventLog, json: string, sequenceNumber: number | null = null): number {
  const label = sequenceNumber === null ? "x" : `${sequenceNumber} x`;
  return log.append([encoder.encode(json)], { label, sequenceNumber });
}

/** Stores what is pending, as a transaction would. */
function store(log: EventLog): void {
  log.write();
  log.clear();
}

/** The lines after a number, as a reader takes them. */
function readAfter(log: EventLog, after: number): { text: string; last: number } {
  const chunks = [...log.linesAfter(after)];
  const text = decodeChunks(chunks.map(({ bytes }) => bytes));
  return { text, last: chunks.at(-1)?.last ?? after };
}

function readEvent(log: EventLog, number: number): string {
  return decodeChunks([...log.eventParts(number)]);
}

function toLines(events: string[], after: number): string {
  return events
    .map((json, index) => `${index + 1} ${json}\n`)
    .slice(after)
    .join("");
}

test("EventLog numbers events from 1 without gaps, whatever sequence_number they have", () => {
  const log = new EventLog(new FakeKv());
  expect([null, 7, 7, 3].map((number) => append(log, "{}", number))).toEqual([1, 2, 3, 4]);
  expect(log.lastNumber).toBe(4);
  expect(log.lastEvent).toMatchObject({ label: "3 x", sequenceNumber: 3 });
});

test("EventLog is empty at first, and after reset", () => {
  const log = new EventLog(new FakeKv());
  expect([log.lastNumber, log.lastEvent, log.hasPending]).toEqual([0, null, false]);
  append(log, "{}");
  log.reset();
  expect([log.lastNumber, log.lastEvent, log.hasPending]).toEqual([0, null, false]);
  expect(readAfter(log, 0)).toEqual({ text: "", last: 0 });
});

test("EventLog stores nothing before write, and loses nothing when write is done twice", () => {
  const kv = new FakeKv();
  const log = new EventLog(kv);
  append(log, '{"a":1}');
  append(log, '{"a":2}');
  expect(kv.size).toBe(0);
  log.write();
  expect(readAfter(log, 0).text).toBe('1 {"a":1}\n2 {"a":2}\n');
  append(log, '{"a":3}');
  store(log);
  expect(readAfter(new EventLog(kv), 0)).toEqual({
    text: '1 {"a":1}\n2 {"a":2}\n3 {"a":3}\n',
    last: 3,
  });
});

test("EventLog packs small events into one row, and gives a large one a row of its own", () => {
  const kv = new FakeKv();
  const log = new EventLog(kv);
  for (let number = 0; number < 100; number += 1) append(log, "{}");
  store(log);
  expect(kv.size).toBe(1);
  append(log, "{}");
  append(log, toJson("large", 100 * KIB));
  append(log, "{}");
  store(log);
  expect(kv.size).toBe(4);
});

test("EventLog is full when its pending events fill a row, and stores them as one row", () => {
  const kv = new FakeKv();
  const log = new EventLog(kv);
  append(log, toJson("", 60 * KIB));
  expect(log.isFull).toBe(false);
  append(log, toJson("", 6 * KIB));
  expect(log.isFull).toBe(true);
  store(log);
  expect([log.isFull, log.hasPending, kv.size]).toEqual([false, false, 1]);
});

test("EventLog keeps an event on one line, whatever line breaks its JSON has", () => {
  const log = new EventLog(new FakeKv());
  const json = '{\n"a":\r\n"\\n"}';
  append(log, json);
  store(log);
  expect(readAfter(log, 0).text.split("\n")).toHaveLength(2);
  expect(JSON.parse(readEvent(log, 1))).toEqual({ a: "\n" });
});

test("EventLog reads an event of several megabytes whole, from its parts", () => {
  const kv = new FakeKv();
  const log = new EventLog(kv);
  const events = ["{}", toJson("large", 3 * KIB * KIB), "{}"];
  for (const json of events) append(log, json);
  store(log);
  expect(kv.size).toBeGreaterThan(4);
  const again = new EventLog(kv);
  for (const after of [0, 1, 2, 3]) {
    expect(readAfter(again, after).text === toLines(events, after)).toBe(true);
  }
  expect(events.every((json, index) => readEvent(again, index + 1) === json)).toBe(true);
});

test("EventLog reads every event of a batch that is larger than a part, as after storage refused for long", () => {
  const kv = new FakeKv();
  const log = new EventLog(kv);
  const events = Array.from({ length: 80 }, (_, index) => toJson(String(index), 40 * KIB));
  for (const json of events) append(log, json);
  store(log);
  const again = new EventLog(kv);
  for (const after of [0, 1, 25, 26, 27, 52, 79]) {
    expect(readAfter(again, after).text === toLines(events, after)).toBe(true);
  }
  expect(events.every((json, index) => readEvent(again, index + 1) === json)).toBe(true);
});

const event = fc.record({
  text: fc.string({ unit: "binary" }),
  size: fc.oneof(
    { weight: 8, arbitrary: fc.nat(200) },
    { weight: 2, arbitrary: fc.nat(80 * KIB) },
    { weight: 1, arbitrary: fc.constant(1100 * KIB) },
  ),
  /** What happens after it: the log is stored, or the object is created again, or neither. */
  after: fc.constantFrom("nothing", "nothing", "store", "restart"),
});

test("EventLog gives a reader every event after any number once and in order, wherever it was stored", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.nat(30), (events, seed) => {
      const kv = new FakeKv();
      let log = new EventLog(kv);
      const written: string[] = [];
      for (const { text, size, after: next } of events) {
        const json = toJson(text, size);
        expect(append(log, json, written.length)).toBe(written.length + 1);
        written.push(json);
        if (next !== "nothing") store(log);
        if (next === "restart") log = new EventLog(kv);
        const after = seed % (written.length + 1);
        const { text: found, last } = readAfter(log, after);
        expect(found === toLines(written, after)).toBe(true);
        expect(last).toBe(written.length);
      }
      expect(log.lastNumber).toBe(events.length);
      expect(log.lastEvent?.sequenceNumber ?? -1).toBe(events.length - 1);
      store(log);
      expect(written.every((json, index) => readEvent(log, index + 1) === json)).toBe(true);
    }),
    runs(40),
  );
});

test("EventLog goes on with a reader where it is, when events are stored while it reads", () => {
  const log = new EventLog(new FakeKv());
  for (const json of ['{"a":1}', '{"a":2}']) append(log, json);
  store(log);
  append(log, '{"a":3}');
  const chunks: Uint8Array[] = [];
  for (const { bytes } of log.linesAfter(0)) {
    chunks.push(bytes);
    if (log.lastNumber < 4) append(log, '{"a":4}');
    store(log);
  }
  expect(new TextDecoder().decode(concatChunks(chunks))).toBe(
    '1 {"a":1}\n2 {"a":2}\n3 {"a":3}\n4 {"a":4}\n',
  );
});
