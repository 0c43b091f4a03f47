// Reads a response's body once: the bytes as they came, and a text in which nothing is long.
// A body can be 24 MiB of printed text and images, an isolate has 128 MB: parsing it whole could end it.

/** Bodies up to this many bytes are stored; KV takes 25 MiB, and the record stands in front. */
export const LARGEST_BODY = 24 * 1024 * 1024;
/** A string in the short text has at most about this many bytes. Code of this length is still judged whole. */
const LONGEST_STRING = 128 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

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
export async function readBody(stream: ReadableStream<Uint8Array>): Promise<ReadBody> {
  const shortener = new Shortener();
  let chunks: Uint8Array[] | null = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_BODY) chunks = null;
    chunks?.push(chunk);
    shortener.write(chunk);
  }
  return { chunks, bytes, short: shortener.end() };
}

/** Cuts long strings out of JSON as it streams by. It only needs to know where strings begin and end. */
class Shortener {
  readonly #decoder = new TextDecoder("utf-8");
  #text = "";
  #inString = false;
  #kept = 0;
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
    const from = LONGEST_STRING - this.#kept;
    this.#kept += part.length;
    if (from >= part.length) return this.#keep(part);
    const end = safeCut(part, Math.max(from, 0));
    this.#cut = end !== -1;
    this.#keep(this.#cut ? part.subarray(0, end) : part);
  }

  #keep(part: Uint8Array): void {
    this.#text += this.#decoder.decode(part, { stream: true });
  }
}

// The first place from which a string can be cut: not inside a character, and not inside an escape (the longest is \u1234).
function safeCut(part: Uint8Array, from: number): number {
  for (let end = Math.max(from, 5); end < part.length; end += 1) {
    const continues = ((part[end] ?? 0) & 0xc0) === 0x80;
    const backslash = part.subarray(end - 5, end).includes(BACKSLASH);
    if (!continues && !backslash) return end;
  }
  return -1;
}
