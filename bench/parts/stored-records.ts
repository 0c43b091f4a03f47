// Parts 5 and 7: how times, rates and costs grow with the number of listed runs, and how soon they are listed, found and read.
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { writeConfig } from "../../test/support/config.ts";
import { percentile, runConcurrently, timeConcurrently } from "../load-generator.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { RecorderClient } from "../recorder-client.ts";
import { createPrintRequest } from "../requests.ts";
import { startWorker } from "../server-processes.ts";
import {
  measureAverageCosts,
  toGrowthMeasurements,
  type AverageCost,
} from "./cost-per-response.ts";
import { measureListPages } from "./list-pages.ts";
import { measureRecordsPerSecond } from "./throughput.ts";

const Seeded = z.object({ seeded: z.literal(true) });

const STORED_COUNTS = [100, 10_000, 100_000];
const QUICK_STORED_COUNTS = [100];
/** Runs that one request lists; 100,000 would take a minute. */
const SEEDED_AT_ONCE = 5_000;
const PAGE_SIZE = 100;
/** With the most runs, milliseconds at p50. */
const AIM_LIST_MS = 10;
const AIM_SEARCH_MS = 20;
/** A word that one run in a thousand has, and one that all others have. */
const SEARCHES = { seldom: "&q=seldom", usual: "&q=usual", filtered: "&q=usual&verdict=captured" };
/** The part of the made-up runs that are captured. */
const CAPTURED_SHARE = 0.95;
const THROUGHPUT_RUNS = 16;
const PAGE_REPETITIONS = 20;

type Sample = {
  stored: number;
  listMs: number[];
  seldomMs: number[];
  usualMs: number[];
  filteredMs: number[];
  getMs: number[];
  /** Requests that the platform's Worker answers with 404. */
  emptyMs: number[];
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
    await seedRuns(recorder, samples.at(-1)?.stored ?? 0, stored);
    samples.push(await measureWithStored({ ...context, recorder }, original, stored));
  }
  const pages = isQuick ? [] : await measureListPages(recorder, PAGE_REPETITIONS);
  await server.close();
  await emulator.changeSettings({ webhookUrl: null });
  return [...toMeasurements(samples), ...pages];
}

/** Lists made-up runs, numbered from `from` to before `to`. */
async function seedRuns(recorder: RecorderClient, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += SEEDED_AT_ONCE) {
    const path = `/seed/${first}/${Math.min(first + SEEDED_AT_ONCE, to)}`;
    const answer = await recorder.request(path, { method: "POST" });
    Seeded.parse(await answer.json());
  }
}

async function measureWithStored(
  context: BenchContext,
  original: string,
  stored: number,
): Promise<Sample> {
  const { emulator, recorder, platform, isQuick } = context;
  const repetitions = isQuick ? 10 : 30;
  const timeList = async (query: string, rows: number) => {
    const { samplesMs } = await timeConcurrently(1, repetitions, async () => {
      assert.ok((await recorder.countListed(query)) >= rows, "the list has what is stored");
    });
    return samplesMs;
  };
  const listMs = await timeList("", Math.min(stored, PAGE_SIZE));
  const seldomMs = await timeList(SEARCHES.seldom, 1);
  const usualMs = await timeList(SEARCHES.usual, PAGE_SIZE - 1);
  const captured = Math.min(PAGE_SIZE, Math.floor(stored * CAPTURED_SHARE));
  const filteredMs = await timeList(SEARCHES.filtered, captured);
  const get = await timeConcurrently(1, repetitions, async () => {
    assert.equal(await recorder.fetchVerdict(original), "captured", "a record is read");
  });
  const empty = await timeConcurrently(1, repetitions, async () => {
    assert.equal((await fetch(platform.url)).status, 404);
  });
  await emulator.clearRequests();
  const ids = await runConcurrently(4, isQuick ? 4 : 8, (n) =>
    recorder.trigger(createPrintRequest(n, isQuick ? 1 : 2)),
  );
  const readableMs = await runConcurrently(ids.length, ids.length, async (n) => {
    const readableAt = await recorder.waitUntilReadable(ids[n] ?? "");
    return readableAt - (await emulator.waitForEnd(ids[n] ?? ""));
  });
  await recorder.waitUntilSettled(ids);
  const [cost] = await measureAverageCosts(context, [ids]);
  assert.ok(cost !== undefined, "the runs have their cost");
  const perSecond = await measureRecordsPerSecond(context, THROUGHPUT_RUNS, createPrintRequest);
  const lists = { listMs, seldomMs, usualMs, filteredMs };
  const times = { ...lists, getMs: get.samplesMs, emptyMs: empty.samplesMs, readableMs };
  return { stored, ...times, cost, perSecond };
}

function toMeasurements(samples: Sample[]): Measurement[] {
  const most = STORED_COUNTS.at(-1);
  return samples.flatMap(({ stored, cost, perSecond, ...times }) => {
    const circumstances = `${stored} runs listed`;
    const toMeasurement = (part: number, name: string, unit: string, recorder: number) => ({
      part,
      name: `${circumstances}: ${name}`,
      unit,
      values: { recorder },
    });
    const toTime = (name: string, samplesMs: number[], percent: number, aimMs?: number) => {
      const value = percentile(samplesMs, percent);
      const hasAim = aimMs !== undefined && stored === most;
      const aim = hasAim ? { aim: { text: `at most ${aimMs} ms`, met: value <= aimMs } } : {};
      const label = percent === 0 ? `${name}, shortest` : `${name}, p${percent}`;
      const values = { recorder: value, platform: percentile(times.emptyMs, percent) };
      return { ...toMeasurement(7, label, "ms", value), values, ...aim };
    };
    return [
      toTime("the list's first 100", times.listMs, 0),
      toTime("the list's first 100", times.listMs, 50, AIM_LIST_MS),
      toTime("a search for a word that one in 1,000 has", times.seldomMs, 0),
      toTime("a search for a word that one in 1,000 has", times.seldomMs, 50, AIM_SEARCH_MS),
      toTime("a search for a word that all have", times.usualMs, 0),
      toTime("a search for a word that all have", times.usualMs, 50, AIM_SEARCH_MS),
      toTime("the same, by verdict", times.filteredMs, 50, AIM_SEARCH_MS),
      toTime("one result", times.getMs, 50),
      toMeasurement(5, "end → readable, p50", "ms", percentile(times.readableMs, 50)),
      toMeasurement(5, `responses with a call, ${THROUGHPUT_RUNS} at once`, "/s", perSecond),
      ...toGrowthMeasurements(circumstances, cost),
    ];
  });
}
