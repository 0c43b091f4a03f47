// What there is to compare when all is over: the emulator's side, and what the Worker has kept.
import { z } from "zod";
import { ResponseRecord } from "../../../src/record/schema.ts";
import type { Ledger } from "./acknowledgements.ts";
import type { Stage } from "./runner.ts";
import type { Delivery } from "./webhook-relay.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";
import { tell, wholeOf, type Told } from "./emulator-api.ts";
import { inTurns } from "./concurrency.ts";

/** A record, its text as it was sent, and the files that it names. */
export type Found = {
  record: ResponseRecord;
  text: string;
  /** The response object as `/response` gives it. */
  body: string | null;
  files: Map<string, string | null>;
  /** The response object as the emulator has it, with all outputs. */
  whole: unknown;
};

/** Everything. */
export type Evidence = {
  told: Told;
  ledger: Ledger;
  deliveries: readonly Delivery[];
  found: ReadonlyMap<string, Found>;
  /** The ids of the list, as often as they stand in it. */
  listed: readonly string[];
  /** When workerd was killed, in milliseconds. */
  kills: readonly number[];
  /** Triggers, webhooks and wishes that were cut off. */
  cut: number;
  log: string;
};

const Page = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** Gathers it, while emulator and Worker still run. */
export async function gather(
  stage: Stage,
  worker: WorkerProcess,
  kills: number[],
): Promise<Evidence> {
  const told = await tell(stage.api);
  const found = new Map<string, Found>();
  await inTurns(idsOf(stage, told), 8, async (id) => {
    const one = await find(stage, id);
    if (one !== null) found.set(id, one);
  });
  return {
    told,
    ledger: stage.ledger,
    deliveries: stage.post.deliveries,
    found,
    listed: await list(stage),
    kills,
    cut: stage.caller.cut,
    log: worker.output(),
  };
}

function idsOf({ ledger }: Stage, told: Told): string[] {
  const runs = told.runs.filter((run) => ledger.entryOf(run) !== null).map(({ id }) => id);
  const named = [...ledger.entries.values()].flatMap(({ id }) => (id === null ? [] : [id]));
  return [...new Set([...runs, ...named])];
}

async function find({ caller, api }: Stage, id: string): Promise<Found | null> {
  const text = await caller.read(`/results/${id}`);
  if (text === null) return null;
  const record = ResponseRecord.parse(JSON.parse(text));
  const files = new Map<string, string | null>();
  for (const { id: file, url } of record.files) {
    if (url !== null) files.set(file, await caller.read(url));
  }
  const body = record.response === null ? null : await caller.read(`/results/${id}/response`);
  const whole = record.response === null ? null : await wholeOf(api, id);
  return { record, text, body, files, whole };
}

async function list({ caller }: Stage): Promise<string[]> {
  const ids: string[] = [];
  for (let query: string | null = "?limit=100"; query !== null;) {
    const page = Page.parse(JSON.parse((await caller.read(`/results${query}`)) ?? ""));
    ids.push(...page.results.map(({ id }) => id));
    query = page.cursor === null ? null : `?limit=100&cursor=${encodeURIComponent(page.cursor)}`;
  }
  return ids;
}
