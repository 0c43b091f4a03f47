// Part 4: what one response takes: requests to OpenAI, KV operations, and Cloudflare's price of a million responses.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { z } from "zod";
import { runByPolling } from "../alternatives/polling-client/index.ts";
import { deliverWebhook } from "../deliver-webhook.ts";
import { listKeys } from "../local-explorer.ts";
import type { BenchContext, Measurement, Subject } from "../measurement.ts";
import { createPrintRequest } from "../requests.ts";
import { API_KEY } from "../server-processes.ts";

/** Dollars a million operations beyond what is included: docs/operations.md. CPU time, storage, and the duration of objects cost more on top. */
const PRICES = { workerRequest: 0.3, kvWrite: 5, kvRead: 0.5, objectRequest: 0.15, rowWritten: 1 };
/** What the objects of a response take, its expiry included: test/integration/costs.test.ts counts it. One read is a request more. */
const BACKGROUND_COSTS = { objectRequests: 8, rowsWritten: 16 };
/** The same of a held run of a second, whose Connection stores its events. */
const HELD_COSTS = { objectRequests: 14, rowsWritten: 44 };
const NO_OBJECT_COSTS = { objectRequests: 0, rowsWritten: 0 };

/** The Recorder asks for an empty list of files once more, 5 s after the first time. */
const LAST_REQUEST_MS = 7_000;

const KvOperation = z.object({ event: z.literal("kv"), operation: z.string() });

type Cost = {
  apiRequests: number;
  kvWrites?: number;
  kvReads?: number;
  dollars?: number;
};
/** What runs took until they were settled, on average. */
export type AverageCost = { apiRequests: number; kvWrites: number };

const COST_TITLES = {
  apiRequests: "requests to OpenAI",
  kvWrites: "KV writes",
  kvReads: "KV reads, read once",
  dollars: "Cloudflare's price of a million",
} as const;

const COST_NAMES: (keyof Cost)[] = ["apiRequests", "kvWrites", "kvReads", "dollars"];

type MaxCost = Partial<Record<keyof Cost, number>>;
const AIMS: MaxCost = { kvWrites: 1 };

export async function measureCostPerResponse(context: BenchContext): Promise<Measurement[]> {
  const withoutCalls = { model: "gpt-5.2", input: "emulator: run 0.5 seconds" };
  const withCall = createPrintRequest(1, 0.5);
  const { emulator, recorder } = context;
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  const runs = [
    await runAndRead(context, withoutCalls),
    await runAndRead(context, withCall),
    await runAndRead(context, { ...withCall, hold: true }),
  ];
  const [plain, called, held] = await measureRecorder(context, runs);
  const costs = {
    withoutCalls: { recorder: plain },
    withCall: {
      recorder: called,
      guide: await measureGuide(context),
      poller: await measurePoller(context),
    },
    held: { recorder: held },
  };
  await emulator.changeSettings({ webhookUrl: null });
  return [
    ...toMeasurements("without calls", costs.withoutCalls, { ...AIMS, apiRequests: 2 }),
    ...toMeasurements("with a call", costs.withCall, AIMS),
    ...toMeasurements("held", costs.held, AIMS),
  ];
}

/** A settled run whose result was read once. */
type ReadRun = { id: string; isHeld: boolean; kvReads: number };

async function runAndRead({ recorder }: BenchContext, request: object): Promise<ReadRun> {
  const id = await recorder.trigger(request);
  await recorder.waitUntilSettled([id]);
  const countOperations = () => parseKvOperations(recorder.server.output(), [id]).length;
  const countBefore = countOperations();
  await recorder.fetchVerdict(id);
  return { id, isHeld: "hold" in request, kvReads: countOperations() - countBefore };
}

async function measureRecorder(context: BenchContext, runs: ReadRun[]): Promise<Cost[]> {
  const costs = await measureAverageCosts(
    context,
    runs.map(({ id }) => [id]),
  );
  return runs.map(({ isHeld, kvReads }, index) => {
    const cost = costs[index];
    assert.ok(cost !== undefined, "each run has its cost");
    // The trigger, the read, and the webhook, which a held run does not have.
    const workerRequests = isHeld ? 2 : 3;
    const objectCosts = isHeld ? HELD_COSTS : BACKGROUND_COSTS;
    const { kvWrites } = cost;
    const dollars = toDollarsPerMillion({ workerRequests, kvWrites, kvReads, ...objectCosts });
    return { ...cost, kvReads, dollars };
  });
}

/**
 * Measures what settled runs took, on average.
 * @param groups The ids of the runs of each average.
 */
export async function measureAverageCosts(
  { emulator, recorder }: Pick<BenchContext, "emulator" | "recorder">,
  groups: string[][],
): Promise<AverageCost[]> {
  await sleep(LAST_REQUEST_MS);
  const costs: AverageCost[] = [];
  for (const ids of groups) {
    const names = await Promise.all(ids.map((id) => recorder.listNames(id)));
    const apiRequests = await emulator.countRecorderRequests(names.flat());
    const operations = parseKvOperations(recorder.server.output(), ids);
    const kvWrites = operations.filter((operation) => operation === "put").length;
    costs.push({ apiRequests: apiRequests / ids.length, kvWrites: kvWrites / ids.length });
  }
  return costs;
}

async function measureGuide({ emulator, guide }: BenchContext): Promise<Cost> {
  await emulator.changeSettings({ webhookUrl: null });
  const id = await emulator.createResponse(createPrintRequest(1));
  await emulator.waitForEnd(id);
  await emulator.clearRequests();
  await deliverWebhook(`${guide.url}/webhook`, id);
  const keys = await listKeys(guide, "RESULTS");
  const kvWrites = keys.filter((key) => key.includes(id)).length;
  // The caller's create is one more request.
  const apiRequests = (await emulator.countRequests()) + 1;
  const dollars = toDollarsPerMillion({
    workerRequests: 2,
    kvWrites,
    kvReads: 1,
    ...NO_OBJECT_COSTS,
  });
  return { apiRequests, kvWrites, dollars };
}

async function measurePoller({ emulator }: BenchContext): Promise<Cost> {
  await emulator.changeSettings({ webhookUrl: null });
  await emulator.clearRequests();
  const baseURL = `${emulator.url}/v1`;
  const client = new OpenAI({ apiKey: API_KEY, baseURL, webhookSecret: null });
  assert.equal((await runByPolling(client, createPrintRequest(1, 3))).status, "completed");
  return { apiRequests: await emulator.countRequests() };
}

function toDollarsPerMillion(count: {
  workerRequests: number;
  kvWrites: number;
  kvReads: number;
  objectRequests: number;
  rowsWritten: number;
}): number {
  return (
    count.workerRequests * PRICES.workerRequest +
    count.kvWrites * PRICES.kvWrite +
    count.kvReads * PRICES.kvRead +
    count.objectRequests * PRICES.objectRequest +
    count.rowsWritten * PRICES.rowWritten
  );
}

/** Finds the KV operations of these responses in the Worker's log. */
function parseKvOperations(log: string, ids: string[]): string[] {
  const lines = log.split("\n").filter((line) => line.startsWith('{"event":"kv"'));
  const own = lines.filter((line) => ids.some((id) => line.includes(id)));
  return own.map((line) => KvOperation.parse(JSON.parse(line)).operation);
}

function toMeasurements(
  kind: string,
  costs: Partial<Record<Subject, Cost>>,
  aims: MaxCost,
): Measurement[] {
  return COST_NAMES.map((costName) => {
    const values = Object.entries(costs).flatMap(([subject, cost]) =>
      cost[costName] === undefined ? [] : [[subject, cost[costName]] as const],
    );
    return {
      part: 4,
      name: `a response ${kind}: ${COST_TITLES[costName]}`,
      unit: costName === "dollars" ? "$" : "",
      values: Object.fromEntries(values),
      ...toAim(costName, costs.recorder, aims),
    };
  });
}

function toAim(
  costName: keyof Cost,
  cost: Cost | undefined,
  aims: MaxCost,
): Pick<Measurement, "aim"> {
  const max = aims[costName];
  if (max === undefined) return {};
  return { aim: { text: `${max}`, met: (cost?.[costName] ?? Number.NaN) <= max } };
}

/**
 * Gives the measurements of part 5 that say whether a response costs the same under these circumstances.
 * @param circumstances How much is stored, or how much the response printed.
 */
export function toGrowthMeasurements(circumstances: string, cost: AverageCost): Measurement[] {
  return (["apiRequests", "kvWrites"] as const).map((costName) => ({
    part: 5,
    name: `${circumstances}: ${COST_TITLES[costName]}, a response`,
    unit: "",
    values: { recorder: cost[costName] },
    ...toAim(costName, cost, AIMS),
  }));
}
