// (3) Whole responses a second, from trigger to stored, beside Workflows that do nothing.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { printing } from "../emulator-client.ts";
import type { Bench, Line } from "../measurement.ts";
import { instanceOf } from "../local-explorer.ts";
import { inFlight, percentile, timed } from "../load-generator.ts";
import type { Served } from "../server-processes.ts";

/** Triggers at once. */
const WIDTH = 16;

export async function saturate(bench: Bench): Promise<Line[]> {
  const rounds = bench.quick ? 1 : 2;
  const count = bench.quick ? 12 : 64;
  const found = { calls: none(), plain: none(), empty: none(), same: none() };
  await bench.api.set({ webhookUrl: `${bench.recorder.url}/webhook` });
  for (let round = 0; round < rounds; round += 1) {
    found.calls.push(await recorded(bench, count, printing));
    found.plain.push(await recorded(bench, count, () => ({ input: "hello" })));
    found.empty.push(await finished(bench.floors, count, "empty"));
    found.same.push(await finished(bench.floors, count, "same"));
  }
  await bench.api.set({ webhookUrl: null });
  const put = await writes(bench);
  return [
    line("responses with a call, beside the empty Workflow", found.calls, found.empty),
    line("responses without calls, beside the empty Workflow", found.plain, found.empty),
    line("the same, beside a Workflow with as many steps and writes", found.plain, found.same),
    { part: 3, what: "one KV put, alone", unit: "ms", values: { floor: put } },
  ];
}

function none(): number[] {
  return [];
}

function line(what: string, mine: number[], floor: number[]): Line {
  const values = { recorder: percentile(mine, 50), floor: percentile(floor, 50) };
  return { part: 3, what, unit: "/s", values, more: true };
}

/**
 * Responses a second, from the first trigger to the last record.
 * @param count How many, never more than 16 triggers at once.
 * @param request The request of each.
 */
export async function recorded(
  { recorder }: Pick<Bench, "recorder">,
  count: number,
  request: (n: number) => object,
): Promise<number> {
  const began = performance.now();
  const ids = await inFlight(WIDTH, count, (n) => recorder.trigger(request(n)));
  for (;;) {
    const done = await recorder.recorded(count);
    if (ids.every((id) => done.has(id))) break;
    await sleep(50);
  }
  const seconds = (performance.now() - began) / 1000;
  await recorder.settled(ids);
  return count / seconds;
}

async function finished(floors: Served, count: number, workflow: string): Promise<number> {
  const began = performance.now();
  const ids = await inFlight(WIDTH, count, async () => {
    const id = randomUUID();
    assert.equal((await fetch(`${floors.url}/${workflow}/${id}`)).status, 200);
    return id;
  });
  await inFlight(WIDTH, count, (n) => complete(floors, workflow, ids[n] ?? ""));
  return count / ((performance.now() - began) / 1000);
}

async function complete(floors: Served, workflow: string, id: string): Promise<void> {
  while ((await instanceOf(floors, workflow, id)).status !== "complete") await sleep(50);
}

async function writes({ floors, quick }: Bench): Promise<number> {
  const { samples } = await timed(1, quick ? 20 : 60, async () => {
    assert.equal((await fetch(`${floors.url}/put/${randomUUID()}`)).status, 200);
  });
  return percentile(samples, 50);
}
