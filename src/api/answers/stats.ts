// The statistics of the runs, as the API answers them. Pure.
import * as z from "zod";
import type { CatalogStats, RunGroup } from "../../objects/catalog/groups.ts";
import { CallVerdict, RunVerdict, TokenUsage } from "../../record/schema.ts";

/** Models that are listed one by one: those with the most runs. */
const MAX_MODELS = 50;

const Counts = z.object({
  runs: z.number().int(),
  verdicts: z.partialRecord(RunVerdict, z.number().int()).describe("The runs of each verdict"),
  tokens: TokenUsage.extend({
    runs: z.number().int().describe("The runs whose tokens are known"),
  }).describe("`cached` is a part of `input`, and `reasoning` of `output`"),
});
type Counts = z.infer<typeof Counts>;

/** The statistics. */
export const Stats = Counts.extend({
  days: z.number().int(),
  since: z.iso.date(),
  until: z.iso.date(),
  runs_with_calls: z
    .number()
    .int()
    .describe("The runs with a call whose result could be lost, and whose end was seen"),
  lost_share: z.number().nullable().describe("Of the runs with calls"),
  suspect_share: z.number().nullable().describe("Of the runs with calls"),
  readable: z
    .object({
      runs: z.number().int().describe("The runs for which the time is known"),
      p50_ms: z.number().nullable(),
      p95_ms: z.number().nullable(),
    })
    .describe(
      "Milliseconds from the response's end, by OpenAI's clock of whole seconds, until the record could be read",
    ),
  by_day: z.array(Counts.extend({ day: z.iso.date() })).describe("Every day, the oldest first"),
  by_model: z
    .array(Counts.extend({ model: z.string().nullable() }))
    .describe(`The ${MAX_MODELS} models with the most runs`),
  other_models: z.number().int().describe("How many more models there are"),
});
export type Stats = z.infer<typeof Stats>;

/**
 * The statistics of the last days.
 * @param days Their number, the day of `nowMs` included.
 */
export function toStats({ groups, readable }: CatalogStats, days: number, nowMs: number): Stats {
  const names = listDays(days, nowMs);
  const all = count(groups);
  const runs_with_calls = CallVerdict.options.reduce((sum, one) => sum + countOf(all, one), 0);
  const toShare = (verdict: RunVerdict) =>
    runs_with_calls === 0 ? null : countOf(all, verdict) / runs_with_calls;
  const byDay = Map.groupBy(groups, ({ day }) => day);
  const byModel = [...Map.groupBy(groups, ({ model }) => model)]
    .map(([model, ofModel]) => ({ model, ...count(ofModel) }))
    .toSorted((a, b) => b.runs - a.runs);
  return {
    days,
    since: names.at(0) ?? "",
    until: names.at(-1) ?? "",
    ...all,
    runs_with_calls,
    lost_share: toShare("lost"),
    suspect_share: toShare("suspect"),
    readable,
    by_day: names.map((day) => ({ day, ...count(byDay.get(day) ?? []) })),
    by_model: byModel.slice(0, MAX_MODELS),
    other_models: Math.max(0, byModel.length - MAX_MODELS),
  };
}

/** The number of runs with a verdict. */
export function countOf({ verdicts }: Pick<Counts, "verdicts">, verdict: RunVerdict): number {
  return verdicts[verdict] ?? 0;
}

function listDays(days: number, nowMs: number): string[] {
  return Array.from({ length: days }, (_, index) => {
    const date = new Date(nowMs);
    date.setUTCDate(date.getUTCDate() - (days - 1 - index));
    return date.toISOString().slice(0, 10);
  });
}

function count(groups: RunGroup[]): Counts {
  const add = (field: "runs" | "counted" | keyof TokenUsage) =>
    groups.reduce((sum, group) => sum + group[field], 0);
  const verdicts: Counts["verdicts"] = {};
  for (const { verdict, runs } of groups) verdicts[verdict] = (verdicts[verdict] ?? 0) + runs;
  return {
    runs: add("runs"),
    verdicts,
    tokens: {
      runs: add("counted"),
      input: add("input"),
      cached: add("cached"),
      output: add("output"),
      reasoning: add("reasoning"),
      total: add("total"),
    },
  };
}
