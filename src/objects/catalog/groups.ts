// What the statistics are made of.
import * as z from "zod";
import { RunVerdict } from "../../record/schema.ts";

/** What the sum of no known value gives. */
const sum = z
  .number()
  .nullable()
  .transform((value) => value ?? 0);

/** A row of the statement that counts the runs of a day. */
export const GroupRow = z.object({
  verdict: RunVerdict,
  model: z.string().nullable(),
  runs: z.number(),
  counted: z.number(),
  input: sum,
  cached: sum,
  output: sum,
  reasoning: sum,
  total: sum,
});

/** The runs of one day with one verdict and one model, and the sums of their tokens. */
export type RunGroup = z.infer<typeof GroupRow> & {
  /** The day in UTC on which the recording began, as YYYY-MM-DD. */
  day: string;
};

/** What the statistics are made of. */
export type CatalogStats = {
  groups: RunGroup[];
  /** Milliseconds from the end of a run until it could be read, of the runs for which they are known. */
  readable: { runs: number; p50_ms: number | null; p95_ms: number | null };
};
