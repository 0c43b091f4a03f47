// The events of a Connection, in its object's own storage. Small events are packed into rows, because Cloudflare bills each row.
// A row begins with a line that describes its last event. Then each event has a line: its own number, a space, and its JSON.
import * as z from "zod";
import { concatChunks, toOneLine } from "../../lib/byte-stream.ts";
import type { LastEvent } from "../../record/connection/transition.ts";
import { Rows } from "../rows.ts";

const PREFIX = "events:";
/** Digits of a number in a row's name: names sort like numbers. */
const NUMBER_DIGITS = 9;
const NEWLINE = 0x0a;
const SPACE = 0x20;
/** A larger event has a row of its own. */
const MAX_PACKED_BYTES = 64 * 1024;

const Head = z.object({ label: z.string(), sequenceNumber: z.number().nullable() });

/** An event that is not stored yet. */
type PendingEvent = LastEvent & { number: number; line: Uint8Array[]; bytes: number };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The events of one stream, counted from 1 without gaps: gateways leave `sequence_number` out, or repeat it. */
export class EventLog {
  readonly #kv: SyncKvStorage;
  readonly #rows: Rows;
  #pending: PendingEvent[] = [];
  #pendingBytes = 0;
  /** Of the last event, stored or not; undefined until it is loaded. */
  #last: { number: number; event: LastEvent | null } | undefined;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
    this.#rows = new Rows(kv);
  }

  get lastNumber(): number {
    return this.#loadLast().number;
  }

  /** The last event, stored or not; null when there is none. */
  get lastEvent(): LastEvent | null {
    return this.#loadLast().event;
  }

  /** Whether the events that are not stored yet fill a row. */
  get isFull(): boolean {
    return this.#pendingBytes >= MAX_PACKED_BYTES;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * Adds an event. It can be read at once, and is stored by `write`.
   * @returns Its own number.
   */
  append(json: Uint8Array[], event: LastEvent): number {
    const number = this.lastNumber + 1;
    const line = toLine(number, json);
    const bytes = line.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.#pending.push({ ...event, number, line, bytes });
    this.#pendingBytes += bytes;
    this.#last = { number, event };
    return number;
  }

  /** Stores what was added. It is synchronous, so that it can be a part of a transaction; after the transaction call `clear`. */
  write(): void {
    let row: PendingEvent[] = [];
    let bytes = 0;
    const endRow = () => {
      this.#putRow(row);
      row = [];
      bytes = 0;
    };
    for (const event of this.#pending) {
      // A row of several events fits into one part.
      if (event.bytes > MAX_PACKED_BYTES) endRow();
      row.push(event);
      bytes += event.bytes;
      // After storage refused for long, more than a row is pending.
      if (bytes >= MAX_PACKED_BYTES) endRow();
    }
    endRow();
  }

  /** Forgets what `write` has stored. */
  clear(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  /** Forgets everything: the storage is being deleted. */
  reset(): void {
    this.clear();
    this.#last = { number: 0, event: null };
  }

  /**
   * The events after a number that are there now, as lines. Only what the reader takes is loaded.
   * @returns Chunks of lines, each with the number of the last event that it completes.
   */
  *linesAfter(after: number): Generator<{ bytes: Uint8Array; last: number }> {
    let cursor = after;
    for (let name = this.#findRow(cursor); name !== null; name = this.#findRow(cursor)) {
      const last = toNumber(name);
      for (const bytes of this.#rowLines(name, cursor)) yield { bytes, last: cursor };
      cursor = last;
      yield { bytes: new Uint8Array(0), last };
    }
    for (const { line, number, bytes: size } of this.#pending) {
      if (number <= cursor) continue;
      // A large one is not copied.
      const chunks = size > MAX_PACKED_BYTES ? line : [concatChunks(line)];
      for (const bytes of chunks) yield { bytes, last: cursor };
      cursor = number;
      yield { bytes: new Uint8Array(0), last: number };
    }
  }

  /** The JSON of a stored event, in parts; none when it is not stored. */
  *eventParts(number: number): Generator<Uint8Array> {
    const name = this.#findRow(number - 1);
    if (name === null) return;
    let isFirst = true;
    for (const part of this.#rowLines(name, number - 1)) {
      const begin = isFirst ? part.indexOf(SPACE) + 1 : 0;
      const end = part.indexOf(NEWLINE, begin);
      isFirst = false;
      yield part.subarray(begin, end === -1 ? part.length : end);
      if (end !== -1) return;
    }
  }

  // The lines of a row after a number. A row of many events is small; one of a large event has only that.
  *#rowLines(name: string, after: number): Generator<Uint8Array> {
    let isFirst = true;
    for (const part of this.#rows.parts(name)) {
      if (!isFirst) yield part;
      else yield dropLines(part.subarray(part.indexOf(NEWLINE) + 1), after);
      isFirst = false;
    }
  }

  #putRow(events: PendingEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    const head = JSON.stringify({ label: last.label, sequenceNumber: last.sequenceNumber });
    const lines = events.flatMap(({ line }) => line);
    this.#rows.put(toName(last.number), [encoder.encode(`${head}\n`), ...lines]);
  }

  // The name of the row that has the event after a number. Rows are named by their last event.
  #findRow(after: number): string | null {
    const found = [...this.#kv.list({ prefix: PREFIX, start: toName(after + 1), limit: 1 })][0];
    return found === undefined ? null : toRowName(found[0]);
  }

  #loadLast(): { number: number; event: LastEvent | null } {
    this.#last ??= this.#readLast();
    return this.#last;
  }

  #readLast(): { number: number; event: LastEvent | null } {
    const found = [...this.#kv.list({ prefix: PREFIX, reverse: true, limit: 1 })][0];
    if (found === undefined) return { number: 0, event: null };
    const name = toRowName(found[0]);
    const [first = new Uint8Array(0)] = this.#rows.parts(name);
    const head = decoder.decode(first.subarray(0, first.indexOf(NEWLINE)));
    return { number: toNumber(name), event: Head.parse(JSON.parse(head)) };
  }
}

function toLine(number: number, json: Uint8Array[]): Uint8Array[] {
  const begin = encoder.encode(`${number} `);
  return [begin, ...json.map(toOneLine), Uint8Array.of(NEWLINE)];
}

function dropLines(lines: Uint8Array, after: number): Uint8Array {
  let rest = lines;
  while (
    rest.length > 0 &&
    Number(decoder.decode(rest.subarray(0, rest.indexOf(SPACE)))) <= after
  ) {
    const end = rest.indexOf(NEWLINE);
    rest = end === -1 ? rest.subarray(rest.length) : rest.subarray(end + 1);
  }
  return rest;
}

function toName(number: number): string {
  return `${PREFIX}${String(number).padStart(NUMBER_DIGITS, "0")}`;
}

// Without the number of its part.
function toRowName(key: string): string {
  return key.slice(0, PREFIX.length + NUMBER_DIGITS);
}

function toNumber(name: string): number {
  return Number(name.slice(PREFIX.length));
}
