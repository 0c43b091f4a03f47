import { expect, test } from "vitest";
import { EventLog } from "../../../../src/objects/connection/event-log.ts";
import { addEvent } from "../../../../src/objects/connection/stream-reader.ts";
import { FakeKv } from "./fake-kv.ts";

const encoder = new TextEncoder();

const FIRST = { key: "ci_1", call_id: null, place: 2 };

function toItemDone(logs: string): string {
  const item = {
    type: "code_interpreter_call",
    id: "ci_1",
    code: "print(1)",
    outputs: [{ type: "logs", logs }],
  };
  return JSON.stringify({
    type: "response.output_item.done",
    sequence_number: 7,
    output_index: 2,
    item,
  });
}

test("addEvent says of a call whose event was too large that its outputs are cut", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("x");
  const news = addEvent(log, { chunks: null, bytes: 30_000_000, truncated }, null);
  const item = { ...FIRST, state: "populated", number: 1, cut_bytes: 30_000_000 };
  expect(news?.seen).toEqual({ type: "seen", item });
});

test("addEvent says of any other call that nothing is cut", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("1\n");
  const chunks = [encoder.encode(truncated)];
  const news = addEvent(log, { chunks, bytes: truncated.length, truncated }, null);
  const item = { ...FIRST, state: "populated", number: 1, cut_bytes: null };
  expect(news?.seen).toEqual({ type: "seen", item });
});

test("addEvent names any item that is done, by its place where it has no id", () => {
  const log = new EventLog(new FakeKv());
  const done = { type: "response.output_item.done", output_index: 1 };
  const items = [
    { type: "message", id: "msg_1" },
    { type: "shell_call_output", call_id: "call_1", output: [] },
    { type: "odd" },
  ];
  const seen = items.map((item) => {
    const truncated = JSON.stringify({ ...done, item });
    return addEvent(log, { chunks: [encoder.encode(truncated)], bytes: 1, truncated }, null)?.seen;
  });
  const common = { place: 1, cut_bytes: null, state: null };
  expect(seen).toEqual([
    { type: "seen", item: { ...common, key: "msg_1", call_id: null, number: 1 } },
    {
      type: "seen",
      item: { ...common, key: "shell_call_output call_1", call_id: "call_1", number: 2 },
    },
    { type: "seen", item: { ...common, key: "#3", call_id: null, number: 3 } },
  ]);
});

test("addEvent leaves out an event that was known before a stream was taken up again", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("1\n");
  const body = { chunks: [encoder.encode(truncated)], bytes: truncated.length, truncated };
  expect(addEvent(log, body, 7)).toBeNull();
  expect(log.lastNumber).toBe(0);
});
