// npm run bench: what this Worker does, what people would otherwise write, and what the platform itself can do, in one run on one machine.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Api } from "./emulator-client.ts";
import type { Bench, Line } from "./measurement.ts";
import { RAISED, writeConfig } from "../test/support/config.ts";
import { acknowledge } from "./parts/webhook-latency.ts";
import { costs } from "./parts/cost-per-response.ts";
import { grow } from "./parts/stored-records.ts";
import { ready } from "./parts/time-to-readable.ts";
import { saturate } from "./parts/throughput.ts";
import { swell } from "./parts/output-size.ts";
import { weigh } from "./parts/bundle-and-startup.ts";
import { Recorder } from "./recorder-client.ts";
import { serveApi, serveWorker, type Served } from "./server-processes.ts";
import { head, rows } from "./markdown-table.ts";

// Several processes run wrangler, which is many megabytes of JavaScript. https://nodejs.org/api/module.html#module-compile-cache
process.env["NODE_COMPILE_CACHE"] ??= resolve("node_modules/.cache/compile");

const USAGE = `npm run bench [-- OPTIONS]

  --quick       fewer of everything, in under a minute
  --json        the figures as JSON
  --only PARTS  some parts alone, as in --only 1,4
  --help        this text`;

const PARTS: Record<string, (bench: Bench) => Promise<Line[]>> = {
  1: acknowledge,
  2: ready,
  3: saturate,
  4: costs,
  5: swell,
  6: weigh,
  7: grow,
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
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const lines: Line[] = [];
  const { bench, close } = await begin(folder);
  if (!values.json) console.log(head());
  for (const part of values.only.split(",")) {
    const measure = PARTS[part];
    if (measure === undefined) throw new Error(`there is no part ${part}`);
    console.error(`${seconds(began)}  part ${part}`);
    const measured = await measure(bench);
    lines.push(...measured);
    if (!values.json) console.log(rows(measured));
  }
  await close();
  show(lines, began);
}

async function begin(folder: string): Promise<{ bench: Bench; close: () => Promise<void> }> {
  const emulator = await serveApi();
  const start = (config: string, state: string) =>
    serveWorker(config, join(folder, state), emulator.url);
  const [recorder, guide, floors] = await Promise.all([
    start(writeConfig(folder, { raised: true }), "recorder"),
    start("bench/alternatives/guide-handler/wrangler.toml", "guide"),
    start("bench/platform-baseline/wrangler.toml", "floors"),
  ]);
  const api = new Api(emulator.url);
  const { quick } = values;
  const bench = { api, recorder: new Recorder(recorder), guide, floors, folder, quick };
  const all: Served[] = [recorder, guide, floors, emulator];
  const close = async () => {
    await Promise.all(all.map((served) => served.close()));
  };
  return { bench, close };
}

function show(lines: Line[], began: number): void {
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model ?? "an unknown processor"}`;
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");
  const date = new Date().toISOString().slice(0, 10);
  if (values.json) return console.log(JSON.stringify({ date, machine, load, lines }, null, 2));
  console.log(`\n${date}, ${machine}, Node ${process.version}, load ${load} at the end.`);
  console.log(`${seconds(began)}. For the bench ${RAISED}.`);
}

function seconds(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(0)} s`;
}
