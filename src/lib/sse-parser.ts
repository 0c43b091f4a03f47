// Server-sent events as bytes. A response's last event can be 24 MiB: as text it would not fit into the isolate beside its bytes.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
import { Reading, type ReadBody } from "./json-stream.ts";

const NEWLINE = 0x0a;
const FIELD = "data:";

/**
 * The data of each event, as soon as it is whole. What a cut connection left unfinished is no event.
 * @param stream The answer's body.
 */
export async function* eventsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ReadBody> {
  let data: ReadBody | null = null;
  for await (const line of linesOf(stream)) {
    if (line.short.startsWith(FIELD)) data = joined(data, valueOf(line));
    if (line.short.trim() !== "" || data === null) continue;
    yield data;
    data = null;
  }
}

// A carriage return at a line's end stays: JSON takes it for white space.
async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ReadBody> {
  let line = new Reading();
  for await (const chunk of stream) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end === -1) break;
      line.write(chunk.subarray(from, end));
      yield line.end();
      line = new Reading();
      from = end + 1;
    }
    line.write(chunk.subarray(from));
  }
}

function valueOf(line: ReadBody): ReadBody {
  const chunks = line.chunks === null ? null : withoutFirst(line.chunks, FIELD.length);
  return { chunks, bytes: line.bytes - FIELD.length, short: line.short.slice(FIELD.length) };
}

function withoutFirst(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return chunks.map((chunk) => {
    const part = chunk.subarray(left);
    left -= chunk.length - part.length;
    return part;
  });
}

function joined(before: ReadBody | null, next: ReadBody): ReadBody {
  if (before === null) return next;
  const whole = [before.chunks, [Uint8Array.of(NEWLINE)], next.chunks].filter(
    (chunks) => chunks !== null,
  );
  return {
    chunks: whole.length < 3 ? null : whole.flat(),
    bytes: before.bytes + 1 + next.bytes,
    short: `${before.short}\n${next.short}`,
  };
}
