import { expect, test } from "vitest";
import { z } from "zod";
import {
  replayResponse,
  toTerminalEvent,
  type EndedResponse,
} from "../../../../src/http/v1/made-replay.ts";
import { decodeChunks } from "../../../../src/lib/byte-stream.ts";

const encoder = new TextEncoder();
const INCLUDE: ReadonlySet<string> = new Set([
  "code_interpreter_call.outputs",
  "web_search_call.action.sources",
]);
const NOTHING: ReadonlySet<string> = new Set();

const CALL = {
  id: "ci_1",
  type: "code_interpreter_call",
  status: "completed",
  container_id: "cntr_1",
  code: "print(1)".repeat(100),
  outputs: [{ type: "logs", logs: "1\n" }],
};
const SEARCH = {
  id: "ws_1",
  type: "web_search_call",
  status: "completed",
  action: { type: "search", query: "q", sources: [{ type: "url", url: "https://a.example" }] },
};
const MESSAGE = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "done", annotations: [] }],
};
const ITEMS = [CALL, SEARCH, MESSAGE];
const RESPONSE = {
  id: "resp_1",
  object: "response",
  status: "completed",
  background: false,
  completed_at: 2,
  error: null,
  incomplete_details: null,
  output: [{ ...CALL, outputs: [] }],
  usage: { total_tokens: 1 },
  metadata: { mine: "1", response_recorder: "{}" },
};

const Numbered = z.looseObject({ type: z.string(), sequence_number: z.number() });

function toEnded(status = "completed"): EndedResponse {
  return {
    status,
    // OpenAI's answers are indented.
    response: encoder.encode(JSON.stringify({ ...RESPONSE, status }, null, 2)),
    items: ITEMS.map((item) => encoder.encode(JSON.stringify(item))),
    changes: {},
  };
}

function replay(after: number, include = INCLUDE): z.infer<typeof Numbered>[] {
  return [...replayResponse(toEnded(), after, include)].map(({ number, type, json }) => {
    const event = Numbered.parse(JSON.parse(decodeChunks(json)));
    expect([event.type, event.sequence_number]).toEqual([type, number]);
    return event;
  });
}

test("a made replay has the created response, each item as it begins and is done, and the end", () => {
  const events = replay(-1);
  const shown = { ...RESPONSE, background: true, metadata: { mine: "1" } };
  const begun = { completed_at: null, usage: null, status: "queued", output: [] };
  const added = "response.output_item.added";
  const done = "response.output_item.done";
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(events[0]).toMatchObject({ type: "response.created", response: { ...shown, ...begun } });
  expect(events.slice(1, -1)).toEqual([
    {
      type: added,
      sequence_number: 1,
      output_index: 0,
      item: { ...CALL, status: "in_progress", code: "", outputs: null },
    },
    { type: done, sequence_number: 2, output_index: 0, item: CALL },
    {
      type: added,
      sequence_number: 3,
      output_index: 1,
      item: { ...SEARCH, status: "in_progress", action: { type: "search", query: "q" } },
    },
    { type: done, sequence_number: 4, output_index: 1, item: SEARCH },
    {
      type: added,
      sequence_number: 5,
      output_index: 2,
      item: { ...MESSAGE, status: "in_progress", content: [] },
    },
    { type: done, sequence_number: 6, output_index: 2, item: MESSAGE },
  ]);
  expect(events[7]).toEqual({
    type: "response.completed",
    sequence_number: 7,
    response: { ...shown, output: ITEMS },
  });
});

test("a made replay has the same numbers whatever it begins after", () => {
  const all = replay(-1);
  for (let after = -1; after < all.length - 1; after += 1) {
    expect(replay(after)).toEqual(all.slice(after + 1));
  }
});

test("a made replay has its end also after a number of the whole stream, with a higher one", () => {
  expect(replay(99)).toMatchObject([{ type: "response.completed", sequence_number: 100 }]);
});

test("a made replay hides results that no request asked for", () => {
  const text = JSON.stringify(replay(-1, NOTHING));
  expect(text).not.toContain("logs");
  expect(text).not.toContain("https://a.example");
});

test.each([
  ["completed", "response.completed"],
  ["incomplete", "response.incomplete"],
  ["failed", "response.failed"],
  ["cancelled", "response.failed"],
])("the last event of a response that is %s is %s", (status, type) => {
  const event = toTerminalEvent(toEnded(status), 5, INCLUDE);
  expect(event.type).toBe(type);
  expect(JSON.parse(decodeChunks(event.json))).toMatchObject({ type, response: { status } });
});
