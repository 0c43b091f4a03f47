// Part 8: from a trigger until its caller has the run's id.
import { percentile } from "../load-generator.ts";
import type { BenchContext, Measurement } from "../measurement.ts";
import { createPrintRequest } from "../requests.ts";

const ROUNDS = 30;
const QUICK_ROUNDS = 5;
/** A held run's id comes with the first event of its stream. */
const KINDS = { background: {}, followed: { stream: true }, held: { hold: true } };

export async function measureTriggerLatency(context: BenchContext): Promise<Measurement[]> {
  const { emulator, recorder, isQuick } = context;
  await emulator.changeSettings({ webhookUrl: `${recorder.url}/webhook` });
  const samplesMs = new Map<string, number[]>();
  for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round += 1) {
    for (const [kind, flags] of Object.entries(KINDS)) {
      const ms = await measureTrigger(context, { ...createPrintRequest(round, 0.1), ...flags });
      samplesMs.set(kind, [...(samplesMs.get(kind) ?? []), ms]);
    }
  }
  await emulator.changeSettings({ webhookUrl: null });
  return [...samplesMs].flatMap(([kind, all]) =>
    [50, 99].map((percent) => ({
      part: 8,
      name: `the id of a ${kind} run: p${percent}`,
      unit: "ms",
      values: { recorder: percentile(all, percent) },
    })),
  );
}

// The next trigger waits until this run is settled, so that nothing else runs.
async function measureTrigger({ recorder }: BenchContext, request: object): Promise<number> {
  const startedAt = performance.now();
  const id = await recorder.trigger(request);
  const ms = performance.now() - startedAt;
  await recorder.waitUntilSettled([id]);
  return ms;
}
