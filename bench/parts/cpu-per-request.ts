// Part 9: the processor time of a request to each page and route.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { deliverWebhook } from "../deliver-webhook.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import type { RecorderClient } from "../recorder-client.ts";
import { createPrintRequest } from "../requests.ts";
import { findWorkerPid } from "../worker-pid.ts";

const REQUESTS = 200;
const QUICK_REQUESTS = 20;
/** The list has as many. */
const STORED_RUNS = 30;
/** As Linux counts it, on every machine in use. https://man7.org/linux/man-pages/man7/time.7.html */
const TICK_MS = 10;
/** The fields of `/proc/PID/stat` after the name: the ticks in the program and in the kernel. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const [UTIME, STIME] = [11, 12];

const HTML = { accept: "text/html" };

/** Sends one request; its answer must be good. */
type Send = () => Promise<void>;

export async function measureCpuPerRequest(context: BenchContext): Promise<Measurement[]> {
  const { recorder, platform, isQuick } = context;
  const count = isQuick ? QUICK_REQUESTS : REQUESTS;
  const ids: string[] = [];
  for (let n = 0; n < STORED_RUNS; n += 1) ids.push(await recorder.trigger(createPrintRequest(n)));
  await recorder.waitUntilSettled(ids);
  const platformPid = findWorkerPid(platform.pid());
  const sendEmpty = async () => void (await (await fetch(platform.url)).arrayBuffer());
  const empty = await measureCpuMs(platformPid, count, sendEmpty);
  const pid = findWorkerPid(recorder.server.pid());
  const measurements: Measurement[] = [];
  for (const [name, send] of Object.entries(createRequests(recorder, ids[0] ?? ""))) {
    const cpuMs = await measureCpuMs(pid, count, send);
    const values = { recorder: cpuMs, platform: empty };
    measurements.push({ part: 9, name, unit: "ms of CPU", values });
  }
  return measurements;
}

function createRequests(recorder: RecorderClient, id: string): Record<string, Send> {
  const get =
    (path: string, headers = {}) =>
    async () => {
      const answer = await recorder.request(path, { headers });
      assert.ok(answer.ok, `GET ${path} answered ${answer.status}`);
      await answer.arrayBuffer();
    };
  return {
    "GET /health": get("/health"),
    "GET /openapi.json": get("/openapi.json"),
    "GET /login, page": get("/login", HTML),
    "GET /trigger, page": get("/trigger", HTML),
    "GET /stats, page": get("/stats", HTML),
    "GET /results, page": get("/results", HTML),
    "GET /results": get("/results"),
    "GET /results?q=": get("/results?q=number"),
    "GET /results/:id, page": get(`/results/${id}`, HTML),
    "GET /results/:id": get(`/results/${id}`),
    "GET /results/:id/outputs": get(`/results/${id}/outputs`),
    "GET /v1/responses/:id": get(`/v1/responses/${id}`),
    "POST /webhook": () => deliverWebhook(`${recorder.url}/webhook`, id),
    "POST /trigger": async () => void (await recorder.trigger(createPrintRequest(0))),
  };
}

/** Measures the processor time of the whole process, KV and objects included, for each request. The first ones only warm up. */
async function measureCpuMs(pid: number, count: number, send: Send): Promise<number> {
  for (let n = 0; n < count / 10; n += 1) await send();
  const before = readCpuMs(pid);
  for (let n = 0; n < count; n += 1) await send();
  return (readCpuMs(pid) - before) / count;
}

function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  return (Number(fields[UTIME]) + Number(fields[STIME])) * TICK_MS;
}
