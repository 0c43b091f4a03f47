// Part 1: how soon a webhook is answered, and how many a second.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { deliverWebhook } from "../deliver-webhook.ts";
import { percentile, runConcurrently, timeConcurrently } from "../load-generator.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { createPrintRequest } from "../requests.ts";

// `rowWriter` verifies the signature and has an object store a row: the least that a durable answer needs.
const SUBJECTS = ["recorder", "guide", "platform", "rowWriter"] as const;
type SubjectName = (typeof SUBJECTS)[number];

/** In each round some webhooks arrive one after another, and others at once, as when many runs end together. */
type Load = { sequential: number; atOnce: number; rounds: number };
const FULL_LOAD: Load = { sequential: 12, atOnce: 24, rounds: 2 };
const QUICK_LOAD: Load = { sequential: 5, atOnce: 12, rounds: 1 };
const WARM_UP_WEBHOOKS = 4;
const SETUP_CONCURRENCY = 8;

const LATENCIES_MS = [0, 50, 300];
/** The aim is for this latency of the API. */
const AIM_LATENCY_MS = 300;
/** How many times as fast as the guide's handler this Worker should answer. */
const AIM_SPEEDUP = 15;
/** Where the API takes no time, how many times as long as the guide's handler this Worker may take. */
const AIM_SLOWDOWN = 1.1;

/** Long enough that the work which a webhook causes is over before the next one. */
const GAP_MS = 150;

type Samples = Record<SubjectName, { samplesMs: number[]; perSecond: number }>;

export async function measureWebhookLatency(context: BenchContext): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const latencyMs of context.isQuick ? [AIM_LATENCY_MS] : LATENCIES_MS)
    measurements.push(...(await measureAtLatency(context, latencyMs)));
  return measurements;
}

async function measureAtLatency(context: BenchContext, latencyMs: number): Promise<Measurement[]> {
  const { emulator, isQuick } = context;
  const load = isQuick ? QUICK_LOAD : FULL_LOAD;
  const count = WARM_UP_WEBHOOKS + load.rounds * (load.sequential + load.atOnce);
  await emulator.changeSettings({ webhookUrl: null, latency: 0 });
  const ids = await startRuns(context, count);
  await emulator.changeSettings({ latency: latencyMs });
  const samples = await deliverInTurns(context, ids, load);
  await emulator.changeSettings({ latency: 0 });
  await assertRecorded(context, ids);
  return toMeasurements(latencyMs, load.atOnce, samples);
}

type RunIds = { recorder: string[]; guide: string[] };

// The recorder's runs wait for their webhook. The guide's handler knows no run before its webhook.
async function startRuns({ emulator, recorder }: BenchContext, count: number): Promise<RunIds> {
  const start = (task: (n: number) => Promise<string>) =>
    runConcurrently(SETUP_CONCURRENCY, count, task);
  const ids = {
    recorder: await start((n) => recorder.trigger(createPrintRequest(n))),
    guide: await start((n) => emulator.createResponse(createPrintRequest(n))),
  };
  for (const id of [...ids.recorder, ...ids.guide]) await emulator.waitForEnd(id);
  return ids;
}

// The subjects take turns, so that other work of the machine slows all of them alike.
async function deliverInTurns(
  { recorder, guide, platform }: BenchContext,
  ids: RunIds,
  { sequential, atOnce, rounds }: Load,
): Promise<Samples> {
  const remaining: Record<SubjectName, string[]> = {
    recorder: [...ids.recorder],
    guide: [...ids.guide],
    platform: [...ids.guide],
    rowWriter: [...ids.guide],
  };
  const urls: Record<SubjectName, (id: string) => string> = {
    recorder: () => `${recorder.url}/webhook`,
    guide: () => `${guide.url}/webhook`,
    platform: () => `${platform.url}/webhook`,
    rowWriter: (id) => `${platform.url}/store-webhook/${id}`,
  };
  const deliverNext = (subject: SubjectName) => {
    const id = remaining[subject].pop() ?? "";
    return deliverWebhook(urls[subject](id), id);
  };
  const samples: Samples = {
    recorder: { samplesMs: [], perSecond: 0 },
    guide: { samplesMs: [], perSecond: 0 },
    platform: { samplesMs: [], perSecond: 0 },
    rowWriter: { samplesMs: [], perSecond: 0 },
  };
  for (const subject of SUBJECTS)
    await runConcurrently(1, WARM_UP_WEBHOOKS, () => deliverNext(subject));
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of SUBJECTS) {
      const samplesMs = await timeWithGaps(sequential, () => deliverNext(subject));
      const { seconds } = await timeConcurrently(atOnce, atOnce, () => deliverNext(subject));
      samples[subject].samplesMs.push(...samplesMs);
      samples[subject].perSecond += atOnce / seconds / rounds;
    }
  }
  return samples;
}

async function timeWithGaps(count: number, task: () => Promise<void>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const { samplesMs } = await timeConcurrently(1, 1, task);
    all.push(...samplesMs);
    await sleep(GAP_MS);
  }
  return all;
}

/** Asserts that every acknowledged response is recorded as the API has it. */
async function assertRecorded(context: BenchContext, ids: RunIds): Promise<void> {
  const { emulator, recorder, guide } = context;
  await recorder.waitUntilSettled(ids.recorder);
  await runConcurrently(SETUP_CONCURRENCY, ids.recorder.length, async (n) => {
    const id = ids.recorder[n] ?? "";
    assert.deepEqual(await recorder.fetchResponse(id), await emulator.retrieveResponse(id));
  });
  await runConcurrently(SETUP_CONCURRENCY, ids.guide.length, async (n) => {
    const id = ids.guide[n] ?? "";
    const stored: unknown = await (await fetch(`${guide.url}/results/${id}`)).json();
    assert.partialDeepStrictEqual(stored, await emulator.retrieveResponse(id));
  });
}

function toMeasurements(latencyMs: number, atOnce: number, samples: Samples): Measurement[] {
  const toMeasurement = (
    name: string,
    unit: string,
    getValue: (subject: SubjectName) => number,
  ): Measurement => ({
    part: 1,
    name: `webhook answered, API ${latencyMs} ms: ${name}`,
    unit,
    values: {
      recorder: getValue("recorder"),
      guide: getValue("guide"),
      platform: getValue("platform"),
    },
  });
  const p50 = (subject: SubjectName) => percentile(samples[subject].samplesMs, 50);
  const p99 = (subject: SubjectName) => percentile(samples[subject].samplesMs, 99);
  const aim = toAim(latencyMs, p50("guide") / p50("recorder"));
  return [
    { ...toMeasurement("p50", "ms", p50), ...(aim === null ? {} : { aim }) },
    ...(latencyMs === AIM_LATENCY_MS ? [compareWithRowWriter(p50)] : []),
    toMeasurement("p99", "ms", p99),
    {
      ...toMeasurement(`${atOnce} at once`, "/s", (subject) => samples[subject].perSecond),
      higherIsBetter: true,
    },
  ];
}

function toAim(latencyMs: number, speedup: number): NonNullable<Measurement["aim"]> | null {
  if (latencyMs === 0) {
    const text = `at most ${AIM_SLOWDOWN} times the guide's time`;
    return { text, met: speedup >= 1 / AIM_SLOWDOWN };
  }
  if (latencyMs !== AIM_LATENCY_MS) return null;
  return { text: `${AIM_SPEEDUP} times the guide's speed`, met: speedup >= AIM_SPEEDUP };
}

function compareWithRowWriter(p50: (subject: SubjectName) => number): Measurement {
  const values = { recorder: p50("recorder"), platform: p50("rowWriter") };
  const name = `webhook answered, API ${AIM_LATENCY_MS} ms: p50, compared with a Worker that verifies and stores a row`;
  return { part: 1, name, unit: "ms", values };
}
