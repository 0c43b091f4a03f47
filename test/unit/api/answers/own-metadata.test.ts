import { expect, test } from "vitest";
import { hideOwnPair, hideOwnPairInEvents } from "../../../../src/api/answers/own-metadata.ts";
import { decodeChunks, readChunks, streamChunks } from "../../../../src/lib/byte-stream.ts";

const encoder = new TextEncoder();
const OWN = '{"response_recorder":"{\\"hold\\":false}","mine":"naïve – 数据"}';
const HIDDEN = '{"mine":"naïve – 数据"}';

function hide(json: string): string {
  return decodeChunks(hideOwnPair(encoder.encode(json)));
}

test.each([
  [`{"id":"resp_1", "metadata": ${OWN} ,"n":1.0}`, `{"id":"resp_1", "metadata":${HIDDEN},"n":1.0}`],
  [`{"type":"x","response":{"metadata":${OWN}}}`, `{"type":"x","response":{"metadata":${HIDDEN}}}`],
  [`{"metadata":${OWN},"metadata":${OWN}}`, `{"metadata":${HIDDEN},"metadata":${HIDDEN}}`],
])("the pair is removed from a response, or an event with one: %s", (json, shown) => {
  expect(hide(json)).toBe(shown);
});

test.each([
  `{"metadata": {"mine": "1"}, "output": [{"metadata": ${OWN}}]}`,
  '{"metadata": null}',
  '{"response": "none"}',
  "[1, 2]",
  '{"metadata": {"response_recorder": ',
  '{"metadata": tru}',
  "<html>response_recorder</html>",
  "",
])("what has no pair, or is no JSON, keeps its bytes: %s", (json) => {
  expect(hide(json)).toBe(json);
});

test("events keep their bytes but for the pair, however the stream is cut", async () => {
  const event = `: comment\r\nevent: response.created\r\ndata: {"response":{"metadata":${OWN}}}\r\n\r\n`;
  const text = `${event}data: [DONE]\n\nid: response_recorder\n${event}data: {"respon`;
  const bytes = encoder.encode(text);
  for (const size of [1, 7, 64, bytes.length]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
    const shown = await readChunks(hideOwnPairInEvents(streamChunks(chunks)));
    expect(decodeChunks(shown)).toBe(text.replaceAll(OWN, HIDDEN));
  }
});
