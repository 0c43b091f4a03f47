// Parses server-sent events as bytes. An event can have many megabytes, which as text would not fit into an isolate in addition to its bytes.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
import { dropBytes } from "./byte-stream.ts";
import { BoundedReader, type BodyRead } from "./json-stream.ts";

const NEWLINE = 0x0a;
const DATA_FIELD = "data:";

/**
 * The data of each event, as soon as the event is complete. An event that a broken connection left incomplete is dropped.
 * @param stream The body of an event stream.
 */
export async function* parseEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<BodyRead> {
  let data: BodyRead | null = null;
  for await (const line of readLines(stream)) {
    if (line.truncated.startsWith(DATA_FIELD)) data = joinLines(data, fieldValue(line));
    if (line.truncated.trim() !== "" || data === null) continue;
    yield data;
    data = null;
  }
}

// A carriage return at the end of a line stays: JSON treats it as white space.
async function* readLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<BodyRead> {
  let line = new BoundedReader();
  for await (const chunk of stream) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end === -1) break;
      line.write(chunk.subarray(from, end));
      yield line.end();
      line = new BoundedReader();
      from = end + 1;
    }
    line.write(chunk.subarray(from));
  }
}

// A space after the colon is not a part of the value.
function fieldValue({ chunks, bytes, truncated }: BodyRead): BodyRead {
  const begin = DATA_FIELD.length + (truncated[DATA_FIELD.length] === " " ? 1 : 0);
  return {
    chunks: chunks === null ? null : dropBytes(chunks, begin),
    bytes: bytes - begin,
    truncated: truncated.slice(begin),
  };
}

function joinLines(before: BodyRead | null, next: BodyRead): BodyRead {
  if (before === null) return next;
  const { chunks } = before;
  return {
    chunks:
      chunks === null || next.chunks === null
        ? null
        : [...chunks, Uint8Array.of(NEWLINE), ...next.chunks],
    bytes: before.bytes + 1 + next.bytes,
    truncated: `${before.truncated}\n${next.truncated}`,
  };
}
