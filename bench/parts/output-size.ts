// (5) How it grows with what a response printed, and the memory that it takes.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { printingBytes, type Api } from "../emulator-client.ts";
import type { Bench, Line } from "../measurement.ts";
import { writeConfig } from "../../test/support/config.ts";
import { Recorder } from "../recorder-client.ts";
import { serveWorker } from "../server-processes.ts";
import { growthOf, takenBy, type Taken } from "./cost-per-response.ts";
import { recorded } from "./throughput.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const LARGEST = 20 * MIB;
const SIZES = [KIB, 64 * KIB, MIB, 8 * MIB, LARGEST];
/** Megabytes of V8's heap, beside which the isolate's 128 also hold the response's bytes. */
const HEAPS = [64, 32];
/** Megabytes that an isolate may have. */
const ISOLATE = 128;
/** Milliseconds after which a run under a limit counts as failed. */
const PATIENCE = 25_000;

export async function swell(bench: Bench): Promise<Line[]> {
  const lines: Line[] = [];
  for (const bytes of bench.quick ? [KIB, MIB] : SIZES) lines.push(...(await ofSize(bench, bytes)));
  if (!bench.quick) lines.push(await heap(bench));
  return lines;
}

async function ofSize({ api, recorder, quick }: Bench, bytes: number): Promise<Line[]> {
  await api.set({ webhookUrl: `${recorder.url}/webhook` });
  const worker = workerOf(recorder.served.child.pid);
  const before = resident(worker, "VmRSS");
  writeFileSync(`/proc/${worker}/clear_refs`, "5");
  const times: number[] = [];
  const floors: number[] = [];
  const costs: Taken[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    await api.forget();
    const id = await recorder.trigger(printingBytes(bytes, 1));
    const at = await recorder.readable(id);
    times.push(at - (await api.ended(id)));
    await recorder.settled([id]);
    costs.push(await takenBy({ api, recorder }, [id]));
    const began = performance.now();
    const real = JSON.stringify(await api.response(id));
    floors.push(performance.now() - began);
    assert.ok(real.length >= bytes);
    assert.equal(JSON.stringify(await recorder.response(id)), real);
  }
  const peak = resident(worker, "VmHWM") - before;
  assert.equal(new Set(costs.map((one) => JSON.stringify(one))).size, 1, "all cost the same");
  const many = crowdOf(bytes);
  const perSecond = await recorded({ recorder }, many, () => printingBytes(bytes));
  await api.set({ webhookUrl: null });
  const what = `${bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`} of outputs`;
  const values = { recorder: Math.min(...times), floor: Math.min(...floors) };
  return [
    { part: 5, what: `${what}: end → readable, beside the GET alone`, unit: "ms", values },
    { part: 5, what: `${what}: the process grows by`, unit: "MiB", values: { recorder: peak } },
    {
      part: 5,
      what: `${what}: responses, ${many} at once`,
      unit: "/s",
      values: { recorder: perSecond },
    },
    ...costs.slice(0, 1).flatMap((taken) => growthOf(what, taken)),
  ];
}

// Of the larger ones fewer, or it would take minutes.
function crowdOf(bytes: number): number {
  return bytes >= 8 * MIB ? 2 : 16;
}

/** Wrangler runs two workerd in its process group, the second is the Worker. */
function workerOf(group: number): number {
  const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const found = all.filter((pid) => isWorkerd(pid, group)).map(Number);
  assert.equal(found.length, 2, "wrangler runs two workerd");
  return Math.max(...found);
}

function isWorkerd(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.includes("(workerd)") && stat.split(") ")[1]?.split(" ")[2] === String(group);
  } catch {
    return false;
  }
}

function resident(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / KIB;
}

async function heap(bench: Bench): Promise<Line> {
  let least = Number.NaN;
  for (const limit of HEAPS) {
    if (!(await fits(bench, limit))) break;
    least = limit;
  }
  const recorder = least + LARGEST / MIB;
  return {
    part: 5,
    what: "20 MiB of outputs: the least V8 heap that is enough, and its bytes",
    unit: "MiB",
    values: { recorder },
    aim: { text: `within ${ISOLATE} MB`, met: recorder <= ISOLATE },
  };
}

// A Worker of its own each time: V8 ends it where its heap is too small.
async function fits({ api, folder }: Bench, limit: number): Promise<boolean> {
  const config = writeConfig(folder, { raised: true });
  const served = await serveWorker(config, join(folder, `heap${limit}`), api.url, limit);
  try {
    const recorder = new Recorder(served);
    await api.set({ webhookUrl: `${recorder.url}/webhook` });
    const kept = whole(api, recorder).catch(() => false);
    return await Promise.race([kept, sleep(PATIENCE, false, { ref: false })]);
  } finally {
    await api.set({ webhookUrl: null });
    await served.close();
  }
}

async function whole(api: Api, recorder: Recorder): Promise<boolean> {
  const id = await recorder.trigger(printingBytes(LARGEST, 1));
  await recorder.readable(id);
  return JSON.stringify(await recorder.response(id)) === JSON.stringify(await api.response(id));
}
