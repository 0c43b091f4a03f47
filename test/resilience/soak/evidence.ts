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
  /** The Connections that were opened. */
  connections: readonly OpenedConnection[];
  /** What was still stored of deleted runs: ids, keys of KV, and names of Connections. */
  left: ReadonlyMap<string, string[]>;
  /** When workerd was killed, in milliseconds since 1970. */
  kills: readonly number[];
  /** How many triggers, webhooks and refetches were cut off. */
  cutOff: number;
  log: string;
};

/** A Connection, as the soak's Worker logs it. */
const OpenedConnection = z.object({
  event: z.literal("soak_connection"),
  connection: z.string(),
  kind: z.enum(["held", "followed", "control"]),
  /** Of a control: the id of its run. */
  run: z.string().nullable(),
  /** Of a run: the number of its plan. */
  number: z.string().nullable(),
});
export type OpenedConnection = z.infer<typeof OpenedConnection>;

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
  const connections = parseConnections(worker.output());
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
    connections,
    left: await findWhatIsLeft(context, connections, endsAt),
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
  const { deleted } = acknowledgements;
  return [...new Set([...planned, ...named])].filter((id) => !deleted.has(id));
}

function parseConnections(log: string): OpenedConnection[] {
  const lines = log.split("\n").filter((line) => line.startsWith('{"event":"soak_connection"'));
  return lines.map((line) => OpenedConnection.parse(JSON.parse(line)));
}

/** The Connections of a run, and of its control. */
export function listConnections(
  connections: readonly OpenedConnection[],
  id: string,
  number: number,
): OpenedConnection[] {
  return connections.filter((one) => one.run === id || one.number === String(number));
}

async function findWhatIsLeft(
  context: SoakContext,
  connections: readonly OpenedConnection[],
  endsAt: number,
): Promise<Map<string, string[]>> {
  const left = new Map<string, string[]>();
  const deleted = [...context.acknowledgements.entries.values()].filter((one) => one.isDeleted);
  await forEachConcurrently(deleted, 8, async ({ id, plan }) => {
    if (id === null) return;
    const names = listConnections(connections, id, plan.number).map((one) => one.connection);
    const paths = [
      `/results/${id}`,
      `/soak/kv?key=record:${id}`,
      ...names.map((name) => `/soak/connection?name=${name}`),
    ];
    left.set(id, await waitUntilGone(context.client, paths, endsAt));
  });
  return left;
}

// What was being written is erased a second time; a Connection that could not be reached is removed later.
async function waitUntilGone(
  client: WorkerClient,
  paths: string[],
  endsAt: number,
): Promise<string[]> {
  for (;;) {
    const texts = await Promise.all(paths.map((path) => client.read(path)));
    const left = paths.filter((_, index) => texts[index] !== null);
    if (left.length === 0 || Date.now() > endsAt) return left;
    await sleep(POLL_SECONDS * 1000);
  }
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
