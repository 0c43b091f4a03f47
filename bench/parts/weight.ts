// (6) What Cloudflare is sent, and what it takes to start it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Bench, Line } from "../bench.ts";
import { percentile } from "../load.ts";
import { startChild } from "../../test/support/child.ts";

const WRANGLER = [process.execPath, "node_modules/wrangler/bin/wrangler.js"];
/** Milliseconds. */
const AIM = 50;

const CONFIGS = {
  recorder: "wrangler.toml",
  guide: "bench/rivals/guide/wrangler.toml",
  floor: "bench/floors/wrangler.toml",
} as const;
type Name = keyof typeof CONFIGS;
const NAMES: Name[] = ["recorder", "guide", "floor"];

const Profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export async function weigh(bench: Bench): Promise<Line[]> {
  const names = bench.quick ? NAMES.slice(0, 1) : NAMES;
  const sizes: Partial<Record<Name, number>> = {};
  for (const name of names) sizes[name] = await size(bench, name);
  const values: Partial<Record<Name, number>> = {};
  for (const name of names) values[name] = await start(bench, name, bench.quick ? 1 : 3);
  const met = (values.recorder ?? Number.NaN) <= AIM;
  return [
    { part: 6, what: "bundle, minified and gzipped", unit: "KiB", values: sizes },
    { part: 6, what: "start-up", unit: "ms", values, aim: { text: `under ${AIM} ms`, met } },
  ];
}

async function size({ folder }: Bench, name: Name): Promise<number> {
  const args = ["deploy", "--dry-run", "--outdir", join(folder, name), "--config", CONFIGS[name]];
  const child = startChild([...WRANGLER, ...args]);
  const [, gzipped] = await child.waitForOutput(/Total Upload: .* gzip: ([\d.]+) KiB/);
  assert.equal(await child.waitForExit(), 0);
  return Number(gzipped);
}

/** The least of several: what else the machine does can only add to it. */
async function start({ folder }: Bench, name: Name, times: number): Promise<number> {
  const found: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const outfile = join(folder, `${name}.cpuprofile`);
    // The command's own --config doesn't reach the build.
    const args = ["check", "startup", "--outfile", outfile, `--args=--config=${CONFIGS[name]}`];
    const child = startChild([...WRANGLER, ...args]);
    assert.equal(await child.waitForExit(), 0, child.output());
    found.push(busy(Profile.parse(JSON.parse(readFileSync(outfile, "utf8")))));
  }
  return percentile(found, 0.001);
}

// Outside of any function: the engine waits or does what is not the Worker's.
function busy({ nodes, samples, timeDeltas }: z.infer<typeof Profile>): number {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const idle = new Set(["(idle)", "(program)", "(root)"]);
  const counted = timeDeltas.filter((_, n) => !idle.has(names.get(samples[n] ?? -1) ?? ""));
  return counted.reduce((sum, delta) => sum + delta, 0) / 1000;
}
