// npm run bench: measures this Worker, what people would otherwise write, and the platform alone, in one run on one machine.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { RAISED, writeConfig } from "../test/support/config.ts";
import { EmulatorClient } from "./emulator-client.ts";
import { toTableHead, toTableRows } from "./markdown-table.ts";
import type { BenchContext, Measurement } from "./measurement.ts";
import { measureBundleAndStartup } from "./parts/bundle-and-startup.ts";
import { measureCostPerResponse } from "./parts/cost-per-response.ts";
import { measureCpuPerRequest } from "./parts/cpu-per-request.ts";
import { measureOutputSizes } from "./parts/output-size.ts";
import { measureStoredRecords } from "./parts/stored-records.ts";
import { measureThroughput } from "./parts/throughput.ts";
import { measureTimeToReadable } from "./parts/time-to-readable.ts";
import { measureTriggerLatency } from "./parts/trigger-latency.ts";
import { measureWebhookLatency } from "./parts/webhook-latency.ts";
import { RecorderClient } from "./recorder-client.ts";
import { startEmulatorProcess, startWorker } from "./server-processes.ts";

// Several processes run wrangler, which is many megabytes of JavaScript. https://nodejs.org/api/module.html#module-compile-cache
process.env["NODE_COMPILE_CACHE"] ??= resolve("node_modules/.cache/compile");

const USAGE = `npm run bench [-- OPTIONS]

  --quick       fewer repetitions and sizes, in under a minute
  --json        print the figures as JSON
  --only PARTS  measure these parts only, as in --only 1,4
                1 webhook latency, 2 time to readable, 3 throughput, 4 cost per response,
                5 output sizes, 6 bundle and start-up, 7 list and search, 8 the id of a run,
                9 CPU per request
  --help        print this text`;

const PARTS: Record<string, (context: BenchContext) => Promise<Measurement[]>> = {
  1: measureWebhookLatency,
  2: measureTimeToReadable,
  3: measureThroughput,
  4: measureCostPerResponse,
  5: measureOutputSizes,
  6: measureBundleAndStartup,
  7: measureStoredRecords,
  8: measureTriggerLatency,
  9: measureCpuPerRequest,
};

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: Object.keys(PARTS).join(",") },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(USAGE);
else await main();
process.exit();

async function main(): Promise<void> {
  const startedAt = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const measurements: Measurement[] = [];
  const { context, close } = await startServers(folder);
  if (!values.json) console.log(toTableHead());
  for (const part of values.only.split(",")) {
    const measure = PARTS[part];
    if (measure === undefined) throw new Error(`--only names a part that doesn't exist: ${part}`);
    console.error(`${formatElapsed(startedAt)}  part ${part}`);
    const measured = await measure(context);
    measurements.push(...measured);
    if (!values.json) console.log(toTableRows(measured));
  }
  await close();
  printSummary(measurements, startedAt);
}

async function startServers(
  folder: string,
): Promise<{ context: BenchContext; close: () => Promise<void> }> {
  const emulator = await startEmulatorProcess();
  const start = (config: string, name: string) =>
    startWorker({ config, state: join(folder, name), emulatorUrl: emulator.url });
  const [recorder, guide, platform] = await Promise.all([
    start(writeConfig(folder, { raised: true }), "recorder"),
    start("bench/alternatives/guide-handler/wrangler.toml", "guide"),
    start("bench/platform-baseline/wrangler.toml", "platform"),
  ]);
  const context = {
    emulator: new EmulatorClient(emulator.url),
    recorder: new RecorderClient(recorder),
    guide,
    platform,
    folder,
    isQuick: values.quick,
  };
  const close = async () => {
    const servers = [recorder, guide, platform, emulator];
    await Promise.all(servers.map((server) => server.close()));
  };
  return { context, close };
}

function printSummary(measurements: Measurement[], startedAt: number): void {
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}`;
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");
  const date = new Date().toISOString().slice(0, 10);
  if (values.json) {
    return console.log(JSON.stringify({ date, machine, load, measurements }, null, 2));
  }
  console.log(`\n${date}, ${machine}, Node ${process.version}, load ${load} at the end.`);
  console.log(`${formatElapsed(startedAt)}. For the benchmark ${RAISED}.`);
}

function formatElapsed(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
}
