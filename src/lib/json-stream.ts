// Reads a response's body once: the bytes as they came, and a text in which nothing is long.
// A body can be 24 MiB of printed text and images, an isolate has 128 MB: parsing it whole could end it.

/** Bodies up to this many bytes are stored; KV takes 25 MiB, and the record stands in front. */
export const LARGEST_BODY = 24 * 1024 * 1024;
/** A string in the short text has at most about this many bytes. Code of this length is still judged whole. */
const LONGEST_STRING = 128 * 1024;

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** More than any count of bytes that \u lacks. */
const AFTER_BACKSLASH = 5;
/** The short text ends here: a body of nothing but small values is read no further, and counts as broken. */
const LONGEST_TEXT = 32 * 1024 * 1024;

export type ReadBody = {
  /** The bytes, or null when there were more than LARGEST_BODY. */
  chunks: Uint8Array[] | null;
  bytes: number;
  /** The JSON with every long string cut. */
  short: string;
};

/**
 * Reads a JSON body.
 * @param stream The body.
 * @returns Its bytes and its short text.
 */
export async function readBody(stream: AsyncIterable<Uint8Array>): Promise<ReadBody> {
  const reading = new Reading();
  for await (const chunk of stream) reading.write(chunk);
  return reading.end();
}

/** JSON that comes in pieces. */
export class Reading {
  readonly #shortener = new Shortener();
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > LARGEST_BODY) this.#chunks = null;
    this.#chunks?.push(chunk);
    this.#shortener.write(chunk);
  }

  end(): ReadBody {
    return { chunks: this.#chunks, bytes: this.#bytes, short: this.#shortener.end() };
  }
}

/**
 * A body's text, whole.
 * @param chunks Its bytes.
 */
export function textOf(chunks: Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}

/**
 * Reads the first line of a stream.
 * @param stream Text that begins with a line of moderate length.
 * @returns The line, and what comes after it, unread.
 */
export async function afterFirstLine(
  stream: ReadableStream<Uint8Array>,
): Promise<{ line: string; rest: ReadableStream<Uint8Array> }> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let line = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { line, rest: restOf(new Uint8Array(0), reader) };
    const end = value.indexOf(NEWLINE);
    line += decoder.decode(end === -1 ? value : value.subarray(0, end), { stream: end === -1 });
    if (end !== -1) return { line, rest: restOf(value.subarray(end + 1), reader) };
  }
}

function restOf(
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

/**
 * A stream of what is there already.
 * @param parts Its bytes; each is let go when it has been read.
 */
export function streamOf(parts: Uint8Array[]): ReadableStream<Uint8Array> {
  const left = parts.filter((part) => part.byteLength > 0);
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const part = left.shift();
      if (part === undefined) return controller.close();
      controller.enqueue(part);
    },
  });
}

/** Cuts long strings out of JSON as it streams by. It only needs to know where strings begin and end. */
class Shortener {
  readonly #decoder = new TextDecoder("utf-8");
  #text = "";
  #inString = false;
  #kept = 0;
  #inEscape = 0;
  #cut = false;
  /** The number of backslashes just before this position is odd. */
  #escaped = false;

  write(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      position = this.#inString ? this.#string(chunk, position) : this.#outside(chunk, position);
    }
  }

  end(): string {
    return this.#text + this.#decoder.decode();
  }

  #outside(chunk: Uint8Array, from: number): number {
    const quote = chunk.indexOf(QUOTE, from);
    const end = quote === -1 ? chunk.length : quote + 1;
    this.#keep(chunk.subarray(from, end));
    this.#inString = quote !== -1;
    this.#kept = 0;
    this.#inEscape = 0;
    this.#cut = false;
    return end;
  }

  #string(chunk: Uint8Array, from: number): number {
    const quote = this.#closingQuote(chunk, from);
    const end = quote === -1 ? chunk.length : quote;
    this.#keepWithin(chunk.subarray(from, end));
    if (quote === -1) return end;
    this.#keep(chunk.subarray(quote, quote + 1));
    this.#inString = false;
    return quote + 1;
  }

  #closingQuote(chunk: Uint8Array, from: number): number {
    let start = from;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, start);
      const end = quote === -1 ? chunk.length : quote;
      const escaped = this.#endsEscaped(chunk, start, end);
      this.#escaped = quote === -1 && escaped;
      if (quote === -1 || !escaped) return quote;
      start = quote + 1;
    }
  }

  // Whether the byte at `end` is escaped, by the run of backslashes before it.
  #endsEscaped(chunk: Uint8Array, start: number, end: number): boolean {
    let run = end;
    while (run > start && chunk[run - 1] === BACKSLASH) run -= 1;
    const odd = (end - run) % 2 === 1;
    return run === start ? odd !== this.#escaped : odd;
  }

  #keepWithin(part: Uint8Array): void {
    if (this.#cut) return;
    const end = this.#safeEnd(part);
    this.#cut = end !== -1;
    this.#keep(this.#cut ? part.subarray(0, end) : part);
  }

  // The first place past the limit at which a string can be cut: not inside a character, and not inside an escape.
  #safeEnd(part: Uint8Array): number {
    for (const [index, byte] of part.entries()) {
      const whole = this.#inEscape === 0 && (byte & 0xc0) !== 0x80;
      if (whole && this.#kept >= LONGEST_STRING) return index;
      this.#inEscape = escapeAfter(byte, this.#inEscape);
      this.#kept += 1;
    }
    return -1;
  }

  #keep(part: Uint8Array): void {
    if (this.#text.length > LONGEST_TEXT) return;
    this.#text += this.#decoder.decode(part, { stream: true });
  }
}

// Bytes that an escape still lacks: after a backslash one, after its u the four of \u1234.
function escapeAfter(byte: number, before: number): number {
  if (before === 0) return byte === BACKSLASH ? AFTER_BACKSLASH : 0;
  if (before === AFTER_BACKSLASH) return byte === LETTER_U ? 4 : 0;
  return before - 1;
}
