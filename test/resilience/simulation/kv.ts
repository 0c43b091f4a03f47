// A stand-in for KV whose writes can fail, for a moment or for minutes, even after they took effect. It keeps everything that was stored.
import type { StoredRecord } from "../../../src/record/schema.ts";

/** Seconds before a refused write is repeated, as in src/storage/kv.ts. */
const RETRY_SECONDS = [1.1, 2.2, 4.4, null];

/** A record as it is stored, and its body. */
export type Stored = { known: StoredRecord; body: string };

/** What can happen to a write. */
export type KvFaults = {
  now(): number;
  /** Never resolves when the execution was interrupted. */
  sleep(seconds: number): Promise<void>;
  latency(): number;
  fails(): "before" | "after" | null;
};

/** Everything stored of one response. */
export class Kv {
  readonly values = new Map<string, string>();
  /** Every record that was stored, the last as it is now. */
  readonly history: Stored[] = [];
  writes = 0;

  /** Stores a value, with retries. */
  put(key: string, value: string, faults: KvFaults): Promise<void> {
    return this.#write(faults, () => {
      this.values.set(key, value);
    });
  }

  /** Stores the record and its body. */
  putRecord(known: StoredRecord, body: string, faults: KvFaults): Promise<void> {
    const json = JSON.stringify(known);
    return this.#write(faults, () => {
      this.values.set("record", body);
      this.history.push({ known: readRecord(json), body });
    });
  }

  /** Removes all there is. */
  clear(): void {
    this.values.clear();
  }

  /** The stored record and its body. */
  record(): Stored | null {
    return this.values.has("record") ? (this.history.at(-1) ?? null) : null;
  }

  async #write(faults: KvFaults, effect: () => void): Promise<void> {
    for (const gap of RETRY_SECONDS) {
      await faults.sleep(faults.latency());
      const failure = faults.fails();
      this.writes += 1;
      if (failure !== "before") effect();
      if (failure === null) return;
      if (gap === null) break;
      await faults.sleep(gap);
    }
    throw new Error("KV refused the write");
  }
}

// Parsed without a schema: the workflow wrote it, and a check would cost more than everything else.
function readRecord(json: string): StoredRecord {
  const known: unknown = JSON.parse(json);
  if (isKnown(known)) return known;
  throw new Error("no record");
}

function isKnown(value: unknown): value is StoredRecord {
  return typeof value === "object" && value !== null;
}
