// Part 2: from the end of a response until its result can be read.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { pollUntil } from "../../scripts/lib/retry.ts";
import { runByPolling } from "../alternatives/polling-client/index.ts";
import { percentile, runConcurrently } from "../load-generator.ts";
import type { BenchContext, Measurement, Subject } from "../measurement.ts";
import { createPrintRequest, type PrintRequest } from "../requests.ts";
import { API_KEY } from "../server-processes.ts";

/** The latency of the emulated API. It is subtracted from each sample, once. */
const API_LATENCY_MS = 50;
/** Beyond the API's own latency. */
const AIM_MS = 50;

// A run lasts this long, and longer by so much for each other run in flight: all are triggered before the first ends.
const MIN_RUN_SECONDS = 1;
const EXTRA_RUN_SECONDS = 0.08;

const POLL_INTERVAL_MS = 100;
const READ_CONCURRENCY = 4;

/** So many runs in flight, whose ends are spread over so many seconds. */
type Load = { inFlight: number; spreadSeconds: number; rounds: number };
const FULL_LOADS: Load[] = [
  { inFlight: 1, spreadSeconds: 0, rounds: 8 },
  { inFlight: 10, spreadSeconds: 1, rounds: 2 },
  { inFlight: 100, spreadSeconds: 8, rounds: 1 },
];
const QUICK_LOADS: Load[] = [{ inFlight: 5, spreadSeconds: 0.5, rounds: 1 }];

/** Runs requests at once; gives the milliseconds from the end of each until its result could be read. */
type Batch = (context: BenchContext, requests: PrintRequest[]) => Promise<number[]>;

export async function measureTimeToReadable(context: BenchContext): Promise<Measurement[]> {
  const { emulator, isQuick } = context;
  await emulator.changeSettings({ latency: API_LATENCY_MS });
  const measurements: Measurement[] = [];
  for (const load of isQuick ? QUICK_LOADS : FULL_LOADS)
    measurements.push(...(await measureLoad(context, load)));
  await emulator.changeSettings({ latency: 0, webhookUrl: null });
  return measurements;
}

async function measureLoad(context: BenchContext, load: Load): Promise<Measurement[]> {
  const batches: [Subject, Batch][] = [
    ["recorder", runByRecorder],
    ["guide", runByGuide],
    ["poller", runByPoller],
  ];
  const samplesMs: Partial<Record<Subject, number[]>> = {};
  for (let round = 0; round < load.rounds; round += 1) {
    for (const [subject, runBatch] of batches) {
      const times = await runBatch(context, createRequests(load));
      (samplesMs[subject] ??= []).push(...times.map((time) => time - API_LATENCY_MS));
    }
  }
  return toMeasurements(load.inFlight, samplesMs);
}

function createRequests({ inFlight, spreadSeconds }: Load): PrintRequest[] {
  const minSeconds = MIN_RUN_SECONDS + EXTRA_RUN_SECONDS * inFlight;
  return Array.from({ length: inFlight }, (_, n) =>
    createPrintRequest(n, minSeconds + spreadSeconds * (n / inFlight) + Math.random() * 0.1),
  );
}

async function runByRecorder(
  { emulator, recorder }: BenchContext,
  requests: PrintRequest[],
): Promise<number[]> {
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  return runConcurrently(requests.length, requests.length, async (n) => {
    const id = await recorder.trigger(requests[n] ?? {});
    const readableAt = await recorder.waitUntilReadable(id);
    assert.deepEqual(await recorder.fetchResponse(id), await emulator.retrieveResponse(id));
    return readableAt - (await emulator.waitForEnd(id));
  });
}

// The guide's handler answers the webhook after it has stored the response.
async function runByGuide(
  { emulator, guide }: BenchContext,
  requests: PrintRequest[],
): Promise<number[]> {
  await emulator.changeSettings({ webhookUrl: `${guide.url}/webhook` });
  const ids = await runConcurrently(requests.length, requests.length, (n) =>
    emulator.createResponse(requests[n] ?? {}),
  );
  const endedAt = await runConcurrently(READ_CONCURRENCY, ids.length, (n) =>
    emulator.waitForEnd(ids[n] ?? ""),
  );
  const readAccepted = async () => {
    const accepted = await emulator.listAcceptedWebhooks();
    return ids.every((id) => accepted.has(id)) ? accepted : null;
  };
  const acceptedAt = await pollUntil(readAccepted, { intervalMs: POLL_INTERVAL_MS });
  for (const id of ids) {
    const stored: unknown = await (await fetch(`${guide.url}/results/${id}`)).json();
    assert.partialDeepStrictEqual(stored, await emulator.retrieveResponse(id));
  }
  return ids.map((id, n) => (acceptedAt.get(id) ?? Number.NaN) - (endedAt[n] ?? 0));
}

async function runByPoller(
  { emulator }: BenchContext,
  requests: PrintRequest[],
): Promise<number[]> {
  await emulator.changeSettings({ webhookUrl: null });
  const baseURL = `${emulator.url}/v1`;
  const client = new OpenAI({ apiKey: API_KEY, baseURL, webhookSecret: null });
  return runConcurrently(requests.length, requests.length, async (n) => {
    const response = await runByPolling(client, requests[n] ?? createPrintRequest(n));
    const readableAt = Date.now();
    assert.partialDeepStrictEqual(response, await emulator.retrieveResponse(response.id));
    return readableAt - (await emulator.waitForEnd(response.id));
  });
}

function toMeasurements(
  inFlight: number,
  samplesMs: Partial<Record<Subject, number[]>>,
): Measurement[] {
  const toMeasurement = (percent: number): Measurement => ({
    part: 2,
    name: `end → readable, minus the API's ${API_LATENCY_MS} ms, ${inFlight} in flight: p${percent}`,
    unit: "ms",
    values: Object.fromEntries(
      Object.entries(samplesMs).map(([subject, all]) => [subject, percentile(all, percent)]),
    ),
  });
  const p50 = toMeasurement(50);
  const met = (p50.values.recorder ?? Number.NaN) <= AIM_MS;
  return [{ ...p50, aim: { text: `at most ${AIM_MS} ms`, met } }, toMeasurement(99)];
}
