import type { ObservationResult } from "../record/schema.ts";

/** What an observation brought, for the record and for the storage. */
export type Observed = {
  result: ObservationResult;
  /** The response's body. */
  chunks: Uint8Array[] | null;
  /** Reads the calls' items with their outputs. Most observations need none, and they can be megabytes. */
  outputs: (() => unknown[]) | null;
};
