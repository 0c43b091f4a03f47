// A stand-in for KV: writes can fail, for a moment or for minutes, also after they took effect; what was stored, and when, is kept.
import { Known } from "../../src/record.ts";

/** Seconds to wait before a refused write is tried again, as the store does. */
const GAPS = [1.1, 2.2, 4.4, null];

/** A write that took effect. */
export type Put = { at: number; key: string; value: string };

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
  readonly puts: Put[] = [];
  writes = 0;

  /** Stores a value, trying again as the store does. */
  async put(key: string, value: string, weather: Weather): Promise<void> {
    for (const gap of GAPS) {
      await weather.sleep(weather.latency());
      const failure = weather.fails();
      this.writes += 1;
      if (failure !== "before") {
        this.values.set(key, value);
        this.puts.push({ at: weather.now(), key, value });
      }
      if (failure === null) return;
      if (gap === null) break;
      await weather.sleep(gap);
    }
    throw new Error("KV refused the write");
  }

  /** Removes all there is. */
  clear(): void {
    this.values.clear();
  }

  /** The stored record and its body. */
  record(): { known: Known; body: string } | null {
    const value = this.values.get("record");
    return value === undefined ? null : readRecord(value);
  }
}

/** A record's value: a line of JSON, and the body after it. */
export function writeRecord(known: Known, body: string): string {
  return `${JSON.stringify(known)}\n${body}`;
}

/** The same, read. */
export function readRecord(value: string): { known: Known; body: string } {
  const end = value.indexOf("\n");
  const known = Known.parse(JSON.parse(value.slice(0, end)));
  return { known, body: value.slice(end + 1) };
}
