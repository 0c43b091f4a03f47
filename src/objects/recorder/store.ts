// What a Recorder's object stores: its state, the bytes of the last body, and the outputs of channels.
// Cloudflare bills each row that is written or deleted, so a small body is stored in the state's row, after its line of JSON.
import { concatChunks } from "../../lib/byte-stream.ts";
import { concatArrays } from "../../lib/json-arrays.ts";
import { parseJson } from "../../lib/json-parse.ts";
import type { Outcome } from "../../record/events.ts";
import type { Channel } from "../../record/schema.ts";
import { salvageState, type Salvage } from "../../record/salvage.ts";
import { State } from "../../record/state.ts";
import { Rows } from "../rows.ts";

/** A larger body has rows of its own, so that not each change of the state writes it again. */
const MAX_BODY_IN_STATE_BYTES = 128 * 1024;
const STATE = "state";
const NEWLINE = 0x0a;

/** Bytes that an event brings. They are stored in the same synchronous block as the state, if the state has use for them. */
export type Bytes = { body: Uint8Array[] | null; outputs: Uint8Array | null };

/** The stored state is none of this version. It stays as it is: the version that wrote it can read it. */
export class UnreadableState extends Error {}

type BodyInState = { digest: string; bytes: Uint8Array };

/** The object's own storage. Every call is synchronous. */
export class Store {
  readonly #rows: Rows;
  #bodyInState: BodyInState | null = null;

  constructor(kv: SyncKvStorage) {
    this.#rows = new Rows(kv);
  }

  /**
   * The state as it was written last; null in an empty object.
   * @throws UnreadableState when it is not one of this version.
   */
  load(): State | null {
    this.#bodyInState = null;
    const stored = this.#rows.get(STATE);
    if (stored === null) return null;
    const [line, bytes] = splitState(stored);
    const parsed = State.safeParse(line);
    if (!parsed.success)
      throw new UnreadableState(`The stored state can't be read: ${parsed.error.message}`);
    const state = parsed.data;
    const digest = state.kind === "run" ? state.rows.body_digest : null;
    if (bytes.byteLength > 0 && digest !== null) this.#bodyInState = { digest, bytes };
    return state;
  }

  /** What can be read of a state that can't be loaded. */
  salvage(): Salvage {
    const stored = this.#rows.get(STATE);
    return salvageState(stored === null ? undefined : splitState(stored)[0]);
  }

  /** Deletes everything that is stored here. */
  clear(): void {
    this.#bodyInState = null;
    this.#rows.clear();
  }

  /**
   * Writes what an event changed.
   * @param before The state before the event.
   */
  write(before: State | null, { state, rows, persist }: Outcome, bytes: Bytes): void {
    if (state === null) {
      this.#bodyInState = null;
      return;
    }
    const stored = before?.kind === "run" ? before.rows : null;
    const hadBodyInState = this.#bodyInState !== null;
    if (rows.drop || rows.writeBody) this.#dropBody(stored?.body_digest ?? null);
    if (rows.drop) {
      for (const channel of stored?.outputs ?? []) this.#rows.delete(toOutputsName(channel));
    }
    if (rows.writeBody && state.kind === "run" && bytes.body !== null) {
      this.#putBody(state.rows.body_digest ?? "", bytes.body);
    }
    if (rows.writeOutputs !== null && bytes.outputs !== null) {
      const name = toOutputsName(rows.writeOutputs);
      this.#rows.put(name, concatArrays(bytes.outputs, this.#rows.get(name)));
    }
    // The row of an expired run goes as a whole.
    const mustDropFromState = rows.drop && hadBodyInState && state.kind === "run";
    if (persist || mustDropFromState) this.#putState(state);
  }

  /** Whether a body is stored here. */
  hasBody(digest: string): boolean {
    return this.#bodyInState?.digest === digest || this.#rows.has(toBodyName(digest));
  }

  /** The parts of a body; none when it is not stored here. */
  *bodyParts(digest: string): Generator<Uint8Array> {
    if (this.#bodyInState?.digest === digest) yield this.#bodyInState.bytes;
    else yield* this.#rows.parts(toBodyName(digest));
  }

  /**
   * The parts of a body of so many bytes.
   * @throws Error when it is dropped while a slow reader reads.
   */
  *wholeBody(digest: string, bytes: number): Generator<Uint8Array> {
    let left = bytes;
    for (const part of this.bodyParts(digest)) {
      left -= part.byteLength;
      yield part;
    }
    if (left !== 0) throw new Error("The body was dropped while it was read.");
  }

  /** A body; null when it is not stored here. */
  body(digest: string): Uint8Array | null {
    const parts = [...this.bodyParts(digest)];
    return parts.length === 0 ? null : concatChunks(parts);
  }

  /** The calls that a channel had, an array as JSON; null when they are not stored here. */
  outputs(channel: Channel): Uint8Array | null {
    return this.#rows.get(toOutputsName(channel));
  }

  #putState(state: State): void {
    const line = new TextEncoder().encode(`${JSON.stringify(state)}\n`);
    const body = this.#bodyInState;
    this.#rows.put(STATE, body === null ? [line] : [line, body.bytes]);
  }

  #putBody(digest: string, chunks: Uint8Array[]): void {
    const size = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (size > MAX_BODY_IN_STATE_BYTES) this.#rows.put(toBodyName(digest), chunks);
    else this.#bodyInState = { digest, bytes: concatChunks(chunks) };
  }

  #dropBody(digest: string | null): void {
    this.#bodyInState = null;
    if (digest !== null) this.#rows.delete(toBodyName(digest));
  }
}

// The state, parsed; undefined when it is no JSON. After it a small body.
function splitState(stored: Uint8Array): [unknown, Uint8Array] {
  const end = stored.indexOf(NEWLINE);
  return [parseJson(new TextDecoder().decode(stored.subarray(0, end))), stored.subarray(end + 1)];
}

function toBodyName(digest: string): string {
  return `body:${digest}`;
}

function toOutputsName(channel: Channel): string {
  return `outputs:${channel}`;
}
