// What is compared after a soak: what the emulator did, and what the Worker stored.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ResponseRecord, StoredRecord } from "../../../src/record/schema.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import type { SoakContext } from "./runner.ts";
import type { RelayedDelivery } from "./webhook-relay.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";
import type { ActualRun, LoggedRequest } from "../../support/emulator-client.ts";
import type { WorkerClient } from "./worker-client.ts";
import { forEachConcurrently } from "./concurrency.ts";

/** What KV has of a response: its record, and after it the response's bytes. */
export type KvCopy = { record: StoredRecord; body: string };

/** A record, its text as it was sent, and the files that it lists. */
export type StoredResponse = {
  record: ResponseRecord;
  text: string;
  /** The response object as `/response` gives it. */
  responseText: string | null;
  files: Map<string, string | null>;
  /** The response object as the emulator has it, with all outputs. */
  fullResponse: unknown;
  /** Null when KV has none. */
  kvCopy: KvCopy | null;
};

export type Evidence = {
  emulator: { runs: ActualRun[]; requests: LoggedRequest[] };
  acknowledgements: Acknowledgements;
  deliveries: readonly RelayedDelivery[];
  stored: ReadonlyMap<string, StoredResponse>;
  /** The ids in the list, with duplicates. */
  listed: readonly string[];
  /** When the records were read, in milliseconds since 1970. */
  gatheredAt: number;
  /** When workerd was killed, in milliseconds since 1970. */
  kills: readonly number[];
  /** How many triggers, webhooks and refetches were cut off. */
  cutOff: number;
  log: string;
};

const Page = z.object({
  results: z.array(z.object({ id: z.string() })),
  cursor: z.string().nullable(),
});

/** A Recorder that died copies its record to KV, and lists it, at its next alarm: half a minute later, and once more if it dies again. */
const COPY_TIMEOUT_SECONDS = 120;
const POLL_SECONDS = 1;

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
  const endsAt = Date.now() + COPY_TIMEOUT_SECONDS * 1000;
  await forEachConcurrently(toIds(context, runs), 8, async (id) => {
    const response = await readStoredResponse(context, id, endsAt);
    if (response !== null) stored.set(id, response);
  });
  return {
    emulator: { runs, requests },
    acknowledgements: context.acknowledgements,
    deliveries: context.relay.deliveries,
    stored,
    listed: await listIdsUntilAllAreListed(context, stored, endsAt),
    gatheredAt: Date.now(),
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
  endsAt: number,
): Promise<StoredResponse | null> {
  const text = await client.read(`/results/${id}`);
  if (text === null) return null;
  const record = ResponseRecord.parse(JSON.parse(text));
  const files = new Map<string, string | null>();
  for (const { id: file, url } of record.files) {
    if (url !== null) files.set(file, await client.read(url));
  }
  const kvCopy = await readKvCopy(client, record, endsAt);
  if (record.response === null) {
    return { record, text, responseText: null, files, fullResponse: null, kvCopy };
  }
  const responseText = await client.read(`/results/${id}/response`);
  const { response: fullResponse } = await emulator.getRun(id);
  return { record, text, responseText, files, fullResponse, kvCopy };
}

/** Reads a settled record in KV once it is settled there too. */
async function readKvCopy(
  client: WorkerClient,
  { id, settled_at: settledAt }: ResponseRecord,
  endsAt: number,
): Promise<KvCopy | null> {
  for (;;) {
    const value = await client.read(`/soak/kv?key=record:${id}`);
    const copy = value === null ? null : parseKvValue(value);
    const isDone = settledAt === null || (copy?.record.settled_at ?? null) !== null;
    if (isDone || Date.now() > endsAt) return copy;
    await sleep(POLL_SECONDS * 1000);
  }
}

function parseKvValue(value: string): KvCopy {
  const lineEnd = value.indexOf("\n");
  const record = StoredRecord.parse(JSON.parse(value.slice(0, lineEnd)));
  return { record, body: value.slice(lineEnd + 1) };
}

async function listIdsUntilAllAreListed(
  context: SoakContext,
  stored: ReadonlyMap<string, StoredResponse>,
  endsAt: number,
): Promise<string[]> {
  const expected = [...stored].filter(([, { record }]) => record.created_at !== null);
  for (;;) {
    const ids = await listIds(context);
    const listed = new Set(ids);
    if (expected.every(([id]) => listed.has(id)) || Date.now() > endsAt) return ids;
    await sleep(POLL_SECONDS * 1000);
  }
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
