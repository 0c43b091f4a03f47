import type { ObservationResult } from "../record/schema.ts";

/** What an observation brought, for the record and for the storage. */
export type Observed = {
  result: ObservationResult;
  /** The response's body. */
  chunks: Uint8Array[] | null;
  /** Reads the items that are to be stored beside the body. Most observations need none, and they can be megabytes. */
  outputs: (() => unknown[]) | null;
  /** The keys of the items in the response's output; none when no response object came. */
  keys: ReadonlySet<string>;
};
