// A stand-in for KV: writes can fail, for a moment or for minutes, also after they took effect; what was stored, and when, is kept.
import type { StoredRecord } from "../../../src/record/schema.ts";

/** Seconds to wait before a refused write is tried again, as the store does. */
const GAPS = [1.1, 2.2, 4.4, null];

/** A record as it is stored, and its body. */
export type Stored = { known: StoredRecord; body: string };

/** What may happen to a write. */
export type Weather = {
  now(): number;
  /** Takes its time; never comes back when the run was cut off. */
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

  /** Stores a value, trying again as the store does. */
  put(key: string, value: string, weather: Weather): Promise<void> {
    return this.#write(weather, () => {
      this.values.set(key, value);
    });
  }

  /** Stores the record and its body. */
  putRecord(known: StoredRecord, body: string, weather: Weather): Promise<void> {
    const json = JSON.stringify(known);
    return this.#write(weather, () => {
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

  async #write(weather: Weather, effect: () => void): Promise<void> {
    for (const gap of GAPS) {
      await weather.sleep(weather.latency());
      const failure = weather.fails();
      this.writes += 1;
      if (failure !== "before") effect();
      if (failure === null) return;
      if (gap === null) break;
      await weather.sleep(gap);
    }
    throw new Error("KV refused the write");
  }
}

// Parsed as JSON only: what is written here is what the story gave, and checking it costs more than all the rest.
function readRecord(json: string): StoredRecord {
  const known: unknown = JSON.parse(json);
  if (isKnown(known)) return known;
  throw new Error("no record");
}

function isKnown(value: unknown): value is StoredRecord {
  return typeof value === "object" && value !== null;
}
