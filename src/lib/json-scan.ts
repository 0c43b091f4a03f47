// Finds and replaces values in JSON without parsing it: a text of megabytes would not fit into the isolate twice.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LETTER_U = 0x75;
const OPENS = new Set([0x7b, 0x5b]);
const CLOSES = new Set([0x7d, 0x5d]);

/** Bytes of a text that are read at once. */
const PIECE = 64 * 1024;

const decoder = new TextDecoder();
/** A piece may begin with what would be a byte order mark at the beginning of a text. */
const middle = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const encoder = new TextEncoder();

/** A member of an object, or with an empty name an item of a list. Its value is a view into the JSON it was found in. */
export type Member = { name: string; value: Uint8Array };

/** A value that is to be replaced, and the JSON that replaces it. */
export type Edit = { value: Uint8Array; by: string | Uint8Array };

/**
 * The members of an object, or the items of a list; not those further inside.
 * @param json Valid JSON.
 */
export function membersOf(json: Uint8Array): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let from = 0;
  let text = json.subarray(0, 0);
  let name = "";
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      const end = endOfString(json, at);
      text = json.subarray(at, end);
      at = end - 1;
      continue;
    }
    if (CLOSES.has(byte)) depth -= 1;
    const ends = depth === 0 ? CLOSES.has(byte) : depth === 1 && byte === COMMA;
    if (ends) members.push({ name, value: json.subarray(from, at) });
    if (depth === 1 && byte === COLON) name = stringOf(text);
    if (OPENS.has(byte)) depth += 1;
    if (depth === 1 && (ends || byte === COLON || OPENS.has(byte))) from = at + 1;
  }
  return members.filter(({ value }) => !isBlank(value));
}

/**
 * One member of an object.
 * @param json Valid JSON.
 * @param name The member's name.
 */
export function memberOf(json: Uint8Array, name: string): Uint8Array | undefined {
  return membersOf(json).find((member) => member.name === name)?.value;
}

/**
 * The value of a short text.
 * @param json JSON; undefined is passed on.
 */
export function valueOf(json: Uint8Array | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(decoder.decode(json));
}

/**
 * Replaces values.
 * @param json The JSON in which the values were found.
 * @param edits In the order in which the values stand there.
 * @returns The new JSON in pieces.
 */
export function replaced(json: Uint8Array, edits: Edit[]): Uint8Array[] {
  let from = 0;
  const pieces = edits.flatMap(({ value, by }) => {
    const start = value.byteOffset - json.byteOffset;
    const before = json.subarray(from, start);
    from = start + value.byteLength;
    return [before, typeof by === "string" ? encoder.encode(by) : by];
  });
  return [...pieces, json.subarray(from)];
}

/**
 * A text, piece by piece.
 * @param json A text as JSON.
 */
export function* textIn(json: Uint8Array): Generator<string> {
  const last = json.lastIndexOf(QUOTE);
  let half = "";
  for (let at = json.indexOf(QUOTE) + 1; at < last;) {
    const piece = json.subarray(at, Math.min(at + PIECE, last));
    const end = piece.length < PIECE ? piece.length : safeEnd(piece, json[at + PIECE] ?? QUOTE);
    const text = half + String(JSON.parse(`"${middle.decode(piece.subarray(0, end))}"`));
    at += end;
    // The other half of a character beyond U+FFFF may be the next escape.
    half = at < last && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
    yield half === "" ? text : text.slice(0, -1);
  }
}

// Where a piece can end: not inside a character, and not inside an escape.
function safeEnd(piece: Uint8Array, next: number): number {
  let end = piece.length;
  if (isInside(next)) {
    do end -= 1;
    while (isInside(piece[end] ?? 0));
  }
  for (let at = piece.indexOf(BACKSLASH); at !== -1 && at < end;) {
    const after = at + (piece[at + 1] === LETTER_U ? 6 : 2);
    if (after > end) return at;
    at = piece.indexOf(BACKSLASH, after);
  }
  return end;
}

// A byte of a character in UTF-8 that isn't its first.
function isInside(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function endOfString(json: Uint8Array, from: number): number {
  for (let at = from + 1; ;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1) return json.length;
    if (!isEscaped(json, quote)) return quote + 1;
    at = quote + 1;
  }
}

function isEscaped(json: Uint8Array, quote: number): boolean {
  let run = quote;
  while (json[run - 1] === BACKSLASH) run -= 1;
  return (quote - run) % 2 === 1;
}

function stringOf(json: Uint8Array): string {
  return String(valueOf(json));
}

function isBlank(json: Uint8Array): boolean {
  return json.length < 100 && decoder.decode(json).trim() === "";
}
