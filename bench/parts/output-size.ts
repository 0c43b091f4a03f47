// Part 5: how times, rates, costs and memory grow with what a response printed.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeConfig } from "../../test/support/config.ts";
import type { EmulatorClient } from "../emulator-client.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { RecorderClient } from "../recorder-client.ts";
import { createPrintBytesRequest } from "../requests.ts";
import { startWorker } from "../server-processes.ts";
import { findWorkerPid } from "../worker-pid.ts";
import { measureAverageCosts, toGrowthMeasurements } from "./cost-per-response.ts";
import { measureRecordsPerSecond } from "./throughput.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const MAX_OUTPUT_BYTES = 20 * MIB;
const OUTPUT_BYTES = [KIB, 64 * KIB, MIB, 8 * MIB, MAX_OUTPUT_BYTES];
const QUICK_OUTPUT_BYTES = [KIB, MIB];
/** From much to little. An isolate's memory holds the response's bytes as well. */
const HEAP_LIMITS_MB = [64, 32];
const ISOLATE_LIMIT_MB = 128;
/** A run under a heap limit has failed when it takes longer. */
const LIMITED_RUN_TIMEOUT_MS = 25_000;

export async function measureOutputSizes(context: BenchContext): Promise<Measurement[]> {
  await context.emulator.clearRequests();
  const samples: Sample[] = [];
  for (const bytes of context.isQuick ? QUICK_OUTPUT_BYTES : OUTPUT_BYTES)
    samples.push(await measureOutputSize(context, bytes));
  const costs = await measureAverageCosts(
    context,
    samples.map(({ ids }) => ids),
  );
  const measurements = samples.flatMap(({ size, timed }, index) => {
    const cost = costs[index];
    assert.ok(cost !== undefined && Number.isInteger(cost.apiRequests), "every run costs the same");
    return [...timed, ...toGrowthMeasurements(size, cost)];
  });
  if (!context.isQuick) measurements.push(await measureSmallestHeap(context));
  return measurements;
}

/** What was measured of runs with one size of outputs, and the ids of some of them. */
type Sample = { size: string; timed: Measurement[]; ids: string[] };

async function measureOutputSize(context: BenchContext, bytes: number): Promise<Sample> {
  const { emulator, recorder, isQuick } = context;
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  const workerPid = findWorkerPid(recorder.server.pid());
  const memoryBeforeMib = readMemoryMib(workerPid, "VmRSS");
  resetPeakMemory(workerPid);
  const readableMs: number[] = [];
  const getMs: number[] = [];
  const ids: string[] = [];
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    const id = await recorder.trigger(createPrintBytesRequest(bytes, 1));
    const readableAt = await recorder.waitUntilReadable(id);
    readableMs.push(readableAt - (await emulator.waitForEnd(id)));
    await recorder.waitUntilSettled([id]);
    ids.push(id);
    const startedAt = performance.now();
    const response = JSON.stringify(await emulator.retrieveResponse(id));
    getMs.push(performance.now() - startedAt);
    assert.ok(response.length >= bytes);
    assert.equal(JSON.stringify(await recorder.fetchResponse(id)), response);
  }
  const growthMib = readMemoryMib(workerPid, "VmHWM") - memoryBeforeMib;
  const count = toRunCount(bytes);
  const perSecond = await measureRecordsPerSecond({ recorder }, count, () =>
    createPrintBytesRequest(bytes),
  );
  await emulator.changeSettings({ webhookUrl: null });
  const size = `${bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`} of outputs`;
  const timed = [
    {
      part: 5,
      name: `${size}: end → readable, compared with the GET alone`,
      unit: "ms",
      values: { recorder: Math.min(...readableMs), platform: Math.min(...getMs) },
    },
    {
      part: 5,
      name: `${size}: growth of the process`,
      unit: "MiB",
      values: { recorder: growthMib },
    },
    {
      part: 5,
      name: `${size}: responses, ${count} at once`,
      unit: "/s",
      values: { recorder: perSecond },
    },
  ];
  return { size, timed, ids };
}

// Fewer of the large ones: as many as of the small ones would take minutes.
function toRunCount(bytes: number): number {
  return bytes >= 8 * MIB ? 2 : 16;
}

/** Reads a figure of `/proc/PID/status`: VmRSS is the memory now, VmHWM its peak. */
function readMemoryMib(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / KIB;
}

// https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
function resetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

async function measureSmallestHeap(context: BenchContext): Promise<Measurement> {
  let smallestMb = Number.NaN;
  for (const heapMb of HEAP_LIMITS_MB) {
    if (!(await recordsWithinHeap(context, heapMb))) break;
    smallestMb = heapMb;
  }
  const totalMb = smallestMb + MAX_OUTPUT_BYTES / MIB;
  return {
    part: 5,
    name: "20 MiB of outputs: smallest sufficient V8 heap, and the outputs' bytes",
    unit: "MiB",
    values: { recorder: totalMb },
    aim: { text: `within ${ISOLATE_LIMIT_MB} MB`, met: totalMb <= ISOLATE_LIMIT_MB },
  };
}

// Each limit gets a new Worker: V8 ends the process when its heap is too small.
async function recordsWithinHeap(
  { emulator, folder }: BenchContext,
  maxHeapMb: number,
): Promise<boolean> {
  const server = await startWorker({
    config: writeConfig(folder, { raised: true }),
    state: join(folder, `heap${maxHeapMb}`),
    emulatorUrl: emulator.url,
    maxHeapMb,
  });
  try {
    const recorder = new RecorderClient(server);
    await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
    const isRecorded = recordsWholeResponse(emulator, recorder).catch(() => false);
    const timeout = sleep(LIMITED_RUN_TIMEOUT_MS, false, { ref: false });
    return await Promise.race([isRecorded, timeout]);
  } finally {
    await emulator.changeSettings({ webhookUrl: null });
    await server.close();
  }
}

async function recordsWholeResponse(
  emulator: EmulatorClient,
  recorder: RecorderClient,
): Promise<boolean> {
  const id = await recorder.trigger(createPrintBytesRequest(MAX_OUTPUT_BYTES, 1));
  await recorder.waitUntilReadable(id);
  const recorded = JSON.stringify(await recorder.fetchResponse(id));
  return recorded === JSON.stringify(await emulator.retrieveResponse(id));
}
