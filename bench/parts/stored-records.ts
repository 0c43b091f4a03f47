// Parts 5 and 7: how times, rates and costs grow with the number of stored records, and how soon a record is read.
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { writeConfig } from "../../test/support/config.ts";
import { percentile, runConcurrently, timeConcurrently } from "../load-generator.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { RecorderClient } from "../recorder-client.ts";
import { createPrintRequest } from "../requests.ts";
import { startWorker } from "../server-processes.ts";
import { measureAverageCost, toGrowthMeasurements, type AverageCost } from "./cost-per-response.ts";
import { measureRecordsPerSecond } from "./throughput.ts";

const Seeded = z.object({ seeded: z.literal(true) });

const STORED_COUNTS = [10, 100, 1_000, 10_000];
const QUICK_STORED_COUNTS = [10];
const PAGE_SIZE = 100;
/** The list may take so many times as long with the most records as with 100. */
const MAX_LIST_SLOWDOWN = 1.5;
const THROUGHPUT_RUNS = 16;

type Sample = {
  stored: number;
  listMs: number[];
  getMs: number[];
  readableMs: number[];
  cost: AverageCost;
  perSecond: number;
};

export async function measureStoredRecords(context: BenchContext): Promise<Measurement[]> {
  const { emulator, folder, isQuick } = context;
  const server = await startWorker({
    config: writeConfig(folder, { main: "bench/seeded-recorder/index.ts", raised: true }),
    state: join(folder, "seeded"),
    emulatorUrl: emulator.url,
  });
  const recorder = new RecorderClient(server);
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  const original = await recorder.trigger(createPrintRequest(1));
  await recorder.waitUntilSettled([original]);
  const samples: Sample[] = [];
  for (const stored of isQuick ? QUICK_STORED_COUNTS : STORED_COUNTS) {
    await seedCopies(recorder, original, samples.at(-1)?.stored ?? 0, stored);
    samples.push(await measureWithStored({ ...context, recorder }, original, stored));
  }
  await server.close();
  await emulator.changeSettings({ webhookUrl: null });
  return toMeasurements(samples);
}

/** Stores copies of a record, numbered from `from` to before `to`. */
async function seedCopies(
  recorder: RecorderClient,
  id: string,
  from: number,
  to: number,
): Promise<void> {
  const answer = await recorder.request(`/seed/${id}/${from}/${to}`, { method: "POST" });
  Seeded.parse(await answer.json());
}

async function measureWithStored(
  context: BenchContext,
  original: string,
  stored: number,
): Promise<Sample> {
  const { emulator, recorder, isQuick } = context;
  const repetitions = isQuick ? 10 : 30;
  const list = await timeConcurrently(1, repetitions, async () => {
    const page = await recorder.listRecorded(PAGE_SIZE);
    assert.ok(page.size >= Math.min(stored, PAGE_SIZE), "the list has what is stored");
  });
  const copy = `resp_copy${String(stored - 1).padStart(6, "0")}`;
  const get = await timeConcurrently(1, repetitions, async () => {
    assert.equal(await recorder.fetchVerdict(copy), "captured", "a record is read");
  });
  const copied = JSON.stringify(await recorder.fetchResponse(copy)).replaceAll(copy, original);
  assert.equal(copied, JSON.stringify(await emulator.retrieveResponse(original)));
  await emulator.clearRequests();
  const ids = await runConcurrently(4, isQuick ? 4 : 8, (n) =>
    recorder.trigger(createPrintRequest(n, isQuick ? 1 : 2)),
  );
  const readableMs = await runConcurrently(ids.length, ids.length, async (n) => {
    const readableAt = await recorder.waitUntilReadable(ids[n] ?? "");
    return readableAt - (await emulator.waitForEnd(ids[n] ?? ""));
  });
  await recorder.waitUntilSettled(ids);
  const cost = await measureAverageCost(context, ids);
  const perSecond = await measureRecordsPerSecond(context, THROUGHPUT_RUNS, createPrintRequest);
  return { stored, listMs: list.samplesMs, getMs: get.samplesMs, readableMs, cost, perSecond };
}

function toMeasurements(samples: Sample[]): Measurement[] {
  const most = samples.at(-1)?.stored;
  const listMsWith100 = percentile(samples[1]?.listMs ?? [], 50);
  return samples.flatMap(({ stored, listMs, getMs, readableMs, cost, perSecond }) => {
    const circumstances = `${stored} records stored`;
    const toMeasurement = (part: number, name: string, unit: string, recorder: number) => ({
      part,
      name: `${circumstances}: ${name}`,
      unit,
      values: { recorder },
    });
    const listP50 = percentile(listMs, 50);
    const met = listP50 / listMsWith100 <= MAX_LIST_SLOWDOWN;
    const hasAim = stored === most && stored > 100;
    const aim = hasAim ? { aim: { text: "flat from 100 to 10,000", met } } : {};
    return [
      { ...toMeasurement(7, "the list's first 100, p50", "ms", listP50), ...aim },
      toMeasurement(7, "the list's first 100, p99", "ms", percentile(listMs, 99)),
      toMeasurement(7, "one result, p50", "ms", percentile(getMs, 50)),
      toMeasurement(7, "one result, p99", "ms", percentile(getMs, 99)),
      toMeasurement(5, "end → readable, p50", "ms", percentile(readableMs, 50)),
      toMeasurement(5, `responses with a call, ${THROUGHPUT_RUNS} at once`, "/s", perSecond),
      ...toGrowthMeasurements(circumstances, cost),
    ];
  });
}
