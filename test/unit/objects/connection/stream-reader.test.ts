import { expect, test } from "vitest";
import { BoundedReader, type BodyRead } from "../../../../src/lib/json-stream.ts";
import { EventLog } from "../../../../src/objects/connection/event-log.ts";
import { addEvent } from "../../../../src/objects/connection/stream-reader.ts";
import { FakeKv } from "./fake-kv.ts";

function toBody(event: object): BodyRead {
  const reader = new BoundedReader();
  reader.write(new TextEncoder().encode(JSON.stringify(event)));
  return reader.end();
}

test("an event shows the status of its response object", () => {
  const event = { type: "response.in_progress", response: { id: "resp_1", status: "in_progress" } };
  const news = addEvent(new EventLog(new FakeKv()), toBody(event), null);
  expect(news?.seen).toEqual({ type: "seen", status: "in_progress" });
});

test("an event whose response object lacks its status is kept, and shows none", () => {
  const log = new EventLog(new FakeKv());
  const news = addEvent(log, toBody({ type: "response.odd", response: { id: "resp_1" } }), null);
  expect(news).toMatchObject({ seen: null, isImportant: true, isLast: false });
  expect(log.lastEvent?.label).toBe("response.odd");
});
