/** How long to wait until a record can be read, or until it is settled and its files are copied. */
export type ReadOptions = { waitSeconds?: number; until?: "readable" | "settled" };
