// Byte streams from pieces, and back.

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/**
 * A stream that pulls its chunks one at a time, only while a reader wants them.
 * @param chunks Yields the bytes. Cancelling the stream ends the generator.
 */
export function toByteStream(
  chunks: Generator<Uint8Array> | AsyncGenerator<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) return controller.close();
      controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

/**
 * A stream of chunks that exist already.
 * @param chunks The bytes; the stream releases each chunk when it has been read.
 */
export function streamChunks(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return toByteStream(drain([...chunks]));
}

function* drain(chunks: Uint8Array[]): Generator<Uint8Array> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
    if (chunk.byteLength > 0) yield chunk;
  }
}

/**
 * Reads the beginning of a stream.
 * @returns Its chunks, and the unread rest; null when it ended before it had more bytes.
 */
export async function readStart(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<{ chunks: Uint8Array[]; rest: ReadableStream<Uint8Array> | null }> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  for (let bytes = 0; bytes <= maxBytes;) {
    const { done, value } = await reader.read();
    if (done) return { chunks, rest: null };
    chunks.push(value);
    bytes += value.byteLength;
  }
  return { chunks, rest: streamRest(new Uint8Array(0), reader) };
}

/**
 * The same stream with each line edited as soon as it is whole.
 * @param edit Gets a line with its line break, and returns chunks.
 */
export async function* editLines(
  stream: AsyncIterable<Uint8Array>,
  edit: (line: Uint8Array) => Uint8Array[],
): AsyncGenerator<Uint8Array> {
  let line: Uint8Array[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield* edit(concatChunks([...line, chunk.subarray(from, end + 1)]));
      line = [];
      from = end + 1;
    }
    if (from < chunk.length) line.push(chunk.subarray(from));
  }
  yield* edit(concatChunks(line));
}

/** All chunks of a stream. */
export async function readChunks(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** One array with the bytes of all chunks; a single chunk is returned as it is, without a copy. */
export function concatChunks(chunks: Uint8Array[]): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** The chunks without their first bytes. */
export function dropBytes(chunks: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  return chunks.map((chunk) => {
    const rest = chunk.subarray(left);
    left -= chunk.length - rest.length;
    return rest;
  });
}

/** The text of chunks in UTF-8; a character may be split between two chunks. */
export function decodeChunks(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/** The lines of a stream of text, without their line breaks. Ending the reading cancels the stream. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = "";
  for await (const chunk of stream) {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    line += first;
    for (const next of more) {
      yield line;
      line = next;
    }
  }
  if (line !== "") yield line;
}

/** The lines of a stream of bytes, without their line breaks. A last line that has none is incomplete, and dropped. Ending the reading cancels the stream. */
export async function* readByteLines(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      yield concatChunks([...parts, chunk.subarray(from, end)]);
      parts = [];
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
  }
}

/** JSON in one line: a line break in it can only be white space. Without any it is returned as it is. */
export function toOneLine(json: Uint8Array): Uint8Array {
  const breaks = [NEWLINE, CARRIAGE_RETURN].filter((byte) => json.includes(byte));
  if (breaks.length === 0) return json;
  const line = json.slice();
  for (const byte of breaks) {
    for (let at = line.indexOf(byte); at !== -1; at = line.indexOf(byte, at)) line[at] = SPACE;
  }
  return line;
}

/**
 * Reads the first line of a stream.
 * @param stream Text that begins with a line of moderate length.
 * @returns The line without its line break, and the unread rest.
 */
export async function splitFirstLine(
  stream: ReadableStream<Uint8Array>,
): Promise<{ line: string; rest: ReadableStream<Uint8Array> }> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let line = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { line, rest: streamRest(new Uint8Array(0), reader) };
    const end = value.indexOf(NEWLINE);
    line += decoder.decode(end === -1 ? value : value.subarray(0, end), { stream: end === -1 });
    if (end !== -1) return { line, rest: streamRest(value.subarray(end + 1), reader) };
  }
}

function streamRest(
  first: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.byteLength > 0) controller.enqueue(first);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
