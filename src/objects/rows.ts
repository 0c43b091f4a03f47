// Byte values of any size in a Durable Object's own storage. Each is stored in parts, because a row has at most 2 MB.
// https://developers.cloudflare.com/durable-objects/platform/limits/
// `storage.kv` needs no table of ours, so reading an object that has no values stores nothing.
import { concatChunks } from "../lib/byte-stream.ts";

/** Bytes of a part. */
const PART_BYTES = 1024 * 1024;

/** Named byte values. Every call is synchronous: calls without an `await` between them are stored together or not at all. */
export class Rows {
  readonly #kv: SyncKvStorage;

  constructor(kv: SyncKvStorage) {
    this.#kv = kv;
  }

  /** Replaces a value. */
  put(name: string, chunks: Uint8Array[]): void {
    let number = 0;
    for (const part of toParts(chunks)) {
      this.#kv.put(toPartName(name, number), part);
      number += 1;
    }
    this.#deleteFrom(name, number);
  }

  has(name: string): boolean {
    return this.#kv.get<Uint8Array>(toPartName(name, 0)) !== undefined;
  }

  /** A value; null when there is none. */
  get(name: string): Uint8Array | null {
    const parts = [...this.parts(name)];
    return parts.length === 0 ? null : concatChunks(parts);
  }

  /** The parts of a value. Each is read when the reader wants it. */
  *parts(name: string): Generator<Uint8Array> {
    for (let number = 0; ; number += 1) {
      const part = this.#kv.get<Uint8Array>(toPartName(name, number));
      if (part === undefined) return;
      yield part;
    }
  }

  delete(name: string): void {
    this.#deleteFrom(name, 0);
  }

  /** Deletes all values. */
  clear(): void {
    const names = Array.from(this.#kv.list(), ([name]) => name);
    for (const name of names) this.#kv.delete(name);
  }

  #deleteFrom(name: string, first: number): void {
    for (let number = first; this.#kv.delete(toPartName(name, number));) number += 1;
  }
}

function toPartName(name: string, number: number): string {
  return `${name}#${number}`;
}

function* toParts(chunks: Uint8Array[]): Generator<Uint8Array> {
  let left = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  let part = new Uint8Array(Math.min(PART_BYTES, left));
  let used = 0;
  for (const chunk of chunks) {
    for (let offset = 0; offset < chunk.byteLength;) {
      const piece = chunk.subarray(offset, offset + part.byteLength - used);
      part.set(piece, used);
      used += piece.byteLength;
      offset += piece.byteLength;
      if (used < part.byteLength) continue;
      yield part;
      left -= used;
      part = new Uint8Array(Math.min(PART_BYTES, left));
      used = 0;
    }
  }
}
