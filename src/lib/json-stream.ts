// Reads a JSON body once: its bytes as they came, and a text in which every long string is truncated.
// Parsing a body of many megabytes takes several times its size in memory, which an isolate of 128 MB does not have.
import { dropBytes } from "./byte-stream.ts";
import { countBackslashes, isContinuationByte, nextEscapeState, QUOTE } from "./json-string.ts";

/** Some servers put it in front of UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** The bytes of a larger body are counted, not kept. */
export const MAX_BODY_BYTES = 24 * 1024 * 1024;
/** Strings are truncated at about this length. */
const MAX_STRING_BYTES = 128 * 1024;
/** The truncated text stops growing here, so a body of nothing but small values fails to parse. */
const MAX_TEXT_LENGTH = 32 * 1024 * 1024;

export type BodyRead = {
  /** The bytes, or null when there were more than MAX_BODY_BYTES. */
  chunks: Uint8Array[] | null;
  bytes: number;
  /** The JSON with every long string truncated. */
  truncated: string;
};

/** A body with more bytes than this is large. */
export const LARGE_BODY_BYTES = 4 * 1024 * 1024;

/**
 * Reads a JSON body to its end.
 * @param onLarge Is awaited once, as soon as the body turns out to be large, before more of it is read.
 */
export async function readBody(
  stream: AsyncIterable<Uint8Array>,
  onLarge: () => Promise<void> = async () => undefined,
): Promise<BodyRead> {
  const reader = new BoundedReader();
  for await (const chunk of noticeLarge(stream, onLarge)) reader.write(chunk);
  return reader.end();
}

/**
 * The same chunks.
 * @param onLarge Is awaited once, as soon as the stream turns out to be large, before more of it is read.
 */
export async function* noticeLarge(
  stream: AsyncIterable<Uint8Array>,
  onLarge: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let isLarge = false;
  for await (const chunk of stream) {
    bytes += chunk.byteLength;
    if (!isLarge && bytes > LARGE_BODY_BYTES) {
      isLarge = true;
      await onLarge();
    }
    yield chunk;
  }
}

/** Collects JSON that arrives in chunks, in bounded memory. */
export class BoundedReader {
  readonly #truncator = new StringTruncator();
  #chunks: Uint8Array[] | null = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  write(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_BODY_BYTES) this.#chunks = null;
    this.#chunks?.push(chunk);
    this.#truncator.write(chunk);
  }

  end(): BodyRead {
    const truncated = this.#truncator.end();
    if (this.#chunks === null || !beginsWithMark(this.#chunks)) {
      return { chunks: this.#chunks, bytes: this.#bytes, truncated };
    }
    const bytes = this.#bytes - BYTE_ORDER_MARK.length;
    return { chunks: dropBytes(this.#chunks, BYTE_ORDER_MARK.length), bytes, truncated };
  }
}

// The text is decoded without its mark. In JSON that others are put around, a mark would make the whole invalid.
function beginsWithMark(chunks: Uint8Array[]): boolean {
  let at = 0;
  for (const chunk of chunks) {
    for (const byte of chunk) {
      if (byte !== BYTE_ORDER_MARK[at]) return false;
      at += 1;
      if (at === BYTE_ORDER_MARK.length) return true;
    }
  }
  return false;
}

/** Truncates long strings in JSON that streams by. It only needs to know where strings begin and end. */
class StringTruncator {
  readonly #decoder = new TextDecoder("utf-8");
  #text = "";
  #inString = false;
  /** Bytes of the present string that were kept. */
  #kept = 0;
  #escapeState = 0;
  #isTruncated = false;
  /** The number of backslashes directly before this position is odd. */
  #isEscaped = false;

  write(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      position = this.#inString
        ? this.#readString(chunk, position)
        : this.#readOutside(chunk, position);
    }
  }

  end(): string {
    return this.#text + this.#decoder.decode();
  }

  #readOutside(chunk: Uint8Array, from: number): number {
    const quote = chunk.indexOf(QUOTE, from);
    const end = quote === -1 ? chunk.length : quote + 1;
    this.#append(chunk.subarray(from, end));
    this.#inString = quote !== -1;
    this.#kept = 0;
    this.#escapeState = 0;
    this.#isTruncated = false;
    return end;
  }

  #readString(chunk: Uint8Array, from: number): number {
    const quote = this.#closingQuote(chunk, from);
    const end = quote === -1 ? chunk.length : quote;
    this.#appendUpToLimit(chunk.subarray(from, end));
    if (quote === -1) return end;
    this.#append(chunk.subarray(quote, quote + 1));
    this.#inString = false;
    return quote + 1;
  }

  #closingQuote(chunk: Uint8Array, from: number): number {
    let start = from;
    for (;;) {
      const quote = chunk.indexOf(QUOTE, start);
      const end = quote === -1 ? chunk.length : quote;
      const escaped = this.#endsEscaped(chunk, start, end);
      this.#isEscaped = quote === -1 && escaped;
      if (quote === -1 || !escaped) return quote;
      start = quote + 1;
    }
  }

  // Whether the byte at `end` is escaped. The run of backslashes before it may have begun in an earlier chunk.
  #endsEscaped(chunk: Uint8Array, start: number, end: number): boolean {
    const count = countBackslashes(chunk, start, end);
    const odd = count % 2 === 1;
    return end - count === start ? odd !== this.#isEscaped : odd;
  }

  #appendUpToLimit(part: Uint8Array): void {
    if (this.#isTruncated) return;
    const end = this.#cutPosition(part);
    this.#isTruncated = end !== -1;
    this.#append(this.#isTruncated ? part.subarray(0, end) : part);
  }

  // The first position past the limit that is neither inside a character nor inside an escape.
  #cutPosition(part: Uint8Array): number {
    for (const [index, byte] of part.entries()) {
      const isBoundary = this.#escapeState === 0 && !isContinuationByte(byte);
      if (isBoundary && this.#kept >= MAX_STRING_BYTES) return index;
      this.#escapeState = nextEscapeState(byte, this.#escapeState);
      this.#kept += 1;
    }
    return -1;
  }

  #append(part: Uint8Array): void {
    if (this.#text.length > MAX_TEXT_LENGTH) return;
    this.#text += this.#decoder.decode(part, { stream: true });
  }
}
