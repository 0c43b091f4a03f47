import { expect, test } from "vitest";
import { EventLog } from "../../../../src/objects/connection/event-log.ts";
import { addEvent } from "../../../../src/objects/connection/stream-reader.ts";
import { FakeKv } from "./fake-kv.ts";

const encoder = new TextEncoder();

function toItemDone(logs: string): string {
  const item = {
    type: "code_interpreter_call",
    id: "ci_1",
    code: "print(1)",
    outputs: [{ type: "logs", logs }],
  };
  return JSON.stringify({ type: "response.output_item.done", sequence_number: 7, item });
}

test("addEvent says of a call whose event was too large that its outputs are cut", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("x");
  const news = addEvent(log, { chunks: null, bytes: 30_000_000, truncated }, null);
  const call = { id: "ci_1", state: "populated", number: 1, cut_bytes: 30_000_000 };
  expect(news?.seen).toEqual({ type: "seen", call });
});

test("addEvent says of any other call that nothing is cut", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("1\n");
  const chunks = [encoder.encode(truncated)];
  const news = addEvent(log, { chunks, bytes: truncated.length, truncated }, null);
  const call = { id: "ci_1", state: "populated", number: 1, cut_bytes: null };
  expect(news?.seen).toEqual({ type: "seen", call });
});

test("addEvent leaves out an event that was known before a stream was taken up again", () => {
  const log = new EventLog(new FakeKv());
  const truncated = toItemDone("1\n");
  const body = { chunks: [encoder.encode(truncated)], bytes: truncated.length, truncated };
  expect(addEvent(log, body, 7)).toBeNull();
  expect(log.lastNumber).toBe(0);
});
