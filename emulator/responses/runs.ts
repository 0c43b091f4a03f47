import { estimateBytes } from "../lib/estimate-bytes.ts";
import type { Settings } from "../settings.ts";
import type { Run } from "./run.ts";

const MAX_ENDED_BYTES = 256 * 2 ** 20;
const MS_PER_HOUR = 3_600_000;

/** All runs. Ended ones are dropped when they are old, many or large, the oldest first. */
export class Runs {
  readonly #settings: Settings;
  /** By id, the oldest first. */
  readonly #runs = new Map<string, Run>();
  /** The estimated bytes of each ended run by id, in the order in which they ended. */
  readonly #endedSizes = new Map<string, number>();
  #endedBytes = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  has(id: string): boolean {
    return this.#runs.has(id);
  }

  values(): IterableIterator<Run> {
    return this.#runs.values();
  }

  set(id: string, run: Run): void {
    this.#runs.set(id, run);
  }

  delete(id: string): void {
    this.#runs.delete(id);
    this.#endedBytes -= this.#endedSizes.get(id) ?? 0;
    this.#endedSizes.delete(id);
  }

  /** Counts a run as ended, and drops those for which there is no room any more. */
  settle({ id, params, output, executedCalls, events }: Run): void {
    if (!this.has(id)) return;
    const size = estimateBytes([params, output, executedCalls]) + events.estimatedBytes;
    this.#endedSizes.set(id, size);
    this.#endedBytes += size;
    for (const endedId of this.#endedSizes.keys()) {
      if (endedId === id || !this.#isToBeDropped(endedId)) return;
      this.delete(endedId);
    }
  }

  #isToBeDropped(id: string): boolean {
    const { maxResponses, responseHours } = this.#settings;
    if (this.#endedSizes.size > maxResponses || this.#endedBytes > MAX_ENDED_BYTES) return true;
    const endedAt = this.get(id)?.endedAt ?? 0;
    return Date.now() >= endedAt + responseHours * MS_PER_HOUR;
  }
}
