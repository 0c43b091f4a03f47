// What is compared after a soak: what the emulator did, and what the Worker stored.
import { z } from "zod";
import { ResponseRecord } from "../../../src/record/schema.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import type { SoakContext } from "./runner.ts";
import type { RelayedDelivery } from "./webhook-relay.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";
import type { ActualRun, LoggedRequest } from "../../support/emulator-client.ts";
import { forEachConcurrently } from "./concurrency.ts";

/** A record, its text as it was sent, and the files that it lists. */
export type StoredResponse = {
  record: ResponseRecord;
  text: string;
  /** The response object as `/response` gives it. */
  responseText: string | null;
  files: Map<string, string | null>;
  /** The response object as the emulator has it, with all outputs. */
  fullResponse: unknown;
};

export type Evidence = {
  emulator: { runs: ActualRun[]; requests: LoggedRequest[] };
  acknowledgements: Acknowledgements;
  deliveries: readonly RelayedDelivery[];
  stored: ReadonlyMap<string, StoredResponse>;
  /** The ids in the list, with duplicates. */
  listed: readonly string[];
  /** When workerd was killed, in milliseconds. */
  kills: readonly number[];
  /** How many triggers, webhooks and refetches were cut off. */
  cutOff: number;
  log: string;
};

const Page = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** Gathers the evidence while emulator and Worker still run. */
export async function gatherEvidence(
  context: SoakContext,
  worker: WorkerProcess,
  kills: number[],
): Promise<Evidence> {
  const [runs, requests] = await Promise.all([
    context.emulator.listRuns(),
    context.emulator.listRequests(),
  ]);
  const stored = new Map<string, StoredResponse>();
  await forEachConcurrently(toIds(context, runs), 8, async (id) => {
    const response = await readStoredResponse(context, id);
    if (response !== null) stored.set(id, response);
  });
  return {
    emulator: { runs, requests },
    acknowledgements: context.acknowledgements,
    deliveries: context.relay.deliveries,
    stored,
    listed: await listIds(context),
    kills,
    cutOff: context.client.cutOff,
    log: worker.output(),
  };
}

/** The ids of planned runs, and those that triggers named. */
function toIds({ acknowledgements }: SoakContext, runs: ActualRun[]): string[] {
  const planned = runs
    .filter((run) => acknowledgements.findEntry(run) !== null)
    .map(({ id }) => id);
  const named = [...acknowledgements.entries.values()].flatMap(({ id }) =>
    id === null ? [] : [id],
  );
  return [...new Set([...planned, ...named])];
}

async function readStoredResponse(
  { client, emulator }: SoakContext,
  id: string,
): Promise<StoredResponse | null> {
  const text = await client.read(`/results/${id}`);
  if (text === null) return null;
  const record = ResponseRecord.parse(JSON.parse(text));
  const files = new Map<string, string | null>();
  for (const { id: file, url } of record.files) {
    if (url !== null) files.set(file, await client.read(url));
  }
  if (record.response === null) {
    return { record, text, responseText: null, files, fullResponse: null };
  }
  const responseText = await client.read(`/results/${id}/response`);
  const { response: fullResponse } = await emulator.getRun(id);
  return { record, text, responseText, files, fullResponse };
}

async function listIds({ client }: SoakContext): Promise<string[]> {
  const ids: string[] = [];
  for (let query: string | null = "?limit=100"; query !== null;) {
    const page = Page.parse(JSON.parse((await client.read(`/results${query}`)) ?? ""));
    ids.push(...page.results.map(({ id }) => id));
    query = page.cursor === null ? null : `?limit=100&cursor=${encodeURIComponent(page.cursor)}`;
  }
  return ids;
}
