// Part 6: the size of what is uploaded to Cloudflare, and the time that it takes to start.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { measureBundleKib } from "../../test/support/bundle-size.ts";
import { startChild } from "../../test/support/child.ts";
import type { BenchContext, Measurement } from "../measurement.ts";

const WRANGLER = [process.execPath, "node_modules/wrangler/bin/wrangler.js"];
const AIM_STARTUP_MS = 50;
const PROFILES = 3;

const CONFIGS = {
  recorder: "wrangler.toml",
  guide: "bench/alternatives/guide-handler/wrangler.toml",
  platform: "bench/platform-baseline/wrangler.toml",
} as const;
type SubjectName = keyof typeof CONFIGS;
const SUBJECTS: SubjectName[] = ["recorder", "guide", "platform"];
const QUICK_SUBJECTS: SubjectName[] = ["recorder"];

/** Functions of a profile in which the Worker's own code doesn't run. */
const IDLE_FUNCTIONS = new Set(["(idle)", "(program)", "(root)"]);

// A profile as V8 writes it: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
const CpuProfile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});
type CpuProfile = z.infer<typeof CpuProfile>;

export async function measureBundleAndStartup(context: BenchContext): Promise<Measurement[]> {
  const subjects = context.isQuick ? QUICK_SUBJECTS : SUBJECTS;
  const profiles = context.isQuick ? 1 : PROFILES;
  const bundleKib: Measurement["values"] = {};
  for (const subject of subjects) bundleKib[subject] = await measureBundleKib(CONFIGS[subject]);
  const startupMs: Measurement["values"] = {};
  for (const subject of subjects)
    startupMs[subject] = await measureStartupMs(context, subject, profiles);
  const met = (startupMs.recorder ?? Number.NaN) <= AIM_STARTUP_MS;
  return [
    { part: 6, name: "bundle, minified and gzipped", unit: "KiB", values: bundleKib },
    {
      part: 6,
      name: "start-up",
      unit: "ms",
      values: startupMs,
      aim: { text: `under ${AIM_STARTUP_MS} ms`, met },
    },
  ];
}

/** Gives the shortest start-up of several, because other work of the machine can only add to it. */
async function measureStartupMs(
  { folder }: BenchContext,
  subject: SubjectName,
  profiles: number,
): Promise<number> {
  const samplesMs: number[] = [];
  for (let n = 0; n < profiles; n += 1) {
    const outfile = join(folder, `${subject}.cpuprofile`);
    // `wrangler check startup` doesn't pass its own --config on to the build.
    const config = `--args=--config=${CONFIGS[subject]}`;
    const child = startChild([...WRANGLER, "check", "startup", "--outfile", outfile, config]);
    assert.equal(await child.waitForExit(), 0, child.output());
    samplesMs.push(sumBusyMs(CpuProfile.parse(JSON.parse(readFileSync(outfile, "utf8")))));
  }
  return Math.min(...samplesMs);
}

function sumBusyMs({ nodes, samples, timeDeltas }: CpuProfile): number {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  const isBusy = (sample: number) => !IDLE_FUNCTIONS.has(names.get(sample) ?? "");
  const busyMicroseconds = timeDeltas.filter((_, n) => isBusy(samples[n] ?? -1));
  return busyMicroseconds.reduce((sum, delta) => sum + delta, 0) / 1000;
}
