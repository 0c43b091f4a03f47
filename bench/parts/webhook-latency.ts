// (1) How soon a webhook is answered, and how many a second.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { deliver, printing } from "../emulator-client.ts";
import type { Bench, Line } from "../measurement.ts";
import { inFlight, percentile, timed } from "../load-generator.ts";

// `waker` verifies the signature and wakes a Workflow that waits for it: the least that a durable answer needs.
const SUBJECTS = ["recorder", "guide", "floor", "waker"] as const;
type Name = (typeof SUBJECTS)[number];

/** How many come by and by, and how many at once, as when many runs end together; and how often all of that is done. */
const SIZE = { each: 12, crowd: 24, rounds: 2 };
const QUICK = { each: 5, crowd: 12, rounds: 1 };
type Size = typeof SIZE;
/** Milliseconds between those that come by and by: what one sets going is over before the next. */
const GAP = 150;
const WARM = 4;

/** Answers within the guide's time, divided by so much. */
const AIM = 10;

type Sampled = Record<Name, { samples: number[]; perSecond: number }>;

export async function acknowledge(bench: Bench): Promise<Line[]> {
  const lines: Line[] = [];
  for (const latency of bench.quick ? [300] : [0, 50, 300])
    lines.push(...(await atLatency(bench, latency)));
  return lines;
}

async function atLatency(bench: Bench, latency: number): Promise<Line[]> {
  const size = bench.quick ? QUICK : SIZE;
  await bench.api.set({ webhookUrl: null, latency: 0 });
  const ids = await prepare(bench, WARM + size.rounds * (size.each + size.crowd));
  await bench.api.set({ latency });
  const found = await measure(bench, ids, size);
  await bench.api.set({ latency: 0 });
  await check(bench, ids);
  return linesOf(latency, size.crowd, found);
}

type Ids = { recorder: string[]; guide: string[] };

// The recorder's own runs wait for their webhook; the guide's handler knows none before.
async function prepare({ api, recorder, floors }: Bench, count: number): Promise<Ids> {
  const ids = {
    recorder: await inFlight(8, count, (n) => recorder.trigger(printing(n))),
    guide: await inFlight(8, count, (n) => api.create(printing(n))),
  };
  await inFlight(8, count, (n) => fetch(`${floors.url}/begin/${ids.guide[n] ?? ""}`));
  for (const id of [...ids.recorder, ...ids.guide]) await api.ended(id);
  return ids;
}

// In turns, so that whatever else the machine does meets all alike.
async function measure(bench: Bench, ids: Ids, size: Size): Promise<Sampled> {
  const { each, crowd, rounds } = size;
  const { recorder, guide, floors } = bench;
  const left = {
    recorder: [...ids.recorder],
    guide: [...ids.guide],
    floor: [...ids.guide],
    waker: [...ids.guide],
  };
  const urls: Record<Name, (id: string) => string> = {
    recorder: () => `${recorder.url}/webhook`,
    guide: () => `${guide.url}/webhook`,
    floor: () => `${floors.url}/webhook`,
    waker: (id) => `${floors.url}/wake/${id}`,
  };
  const send = (name: Name) => {
    const id = left[name].pop() ?? "";
    return deliver(urls[name](id), id);
  };
  const found: Sampled = { recorder: none(), guide: none(), floor: none(), waker: none() };
  for (const name of SUBJECTS) await inFlight(1, WARM, () => send(name));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of SUBJECTS) {
      const samples = await calm(each, () => send(name));
      const { seconds } = await timed(crowd, crowd, () => send(name));
      found[name].samples.push(...samples);
      found[name].perSecond += crowd / seconds / rounds;
    }
  }
  return found;
}

function none(): Sampled[Name] {
  return { samples: [], perSecond: 0 };
}

async function calm(count: number, task: () => Promise<void>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const { samples } = await timed(1, 1, task);
    found.push(...samples);
    await sleep(GAP);
  }
  return found;
}

/** What was acknowledged is recorded, and as the API has it. */
async function check({ api, recorder, guide }: Bench, ids: Ids): Promise<void> {
  await recorder.settled(ids.recorder);
  await inFlight(8, ids.recorder.length, async (n) => {
    const id = ids.recorder[n] ?? "";
    assert.deepEqual(await recorder.response(id), await api.response(id));
  });
  await inFlight(8, ids.guide.length, async (n) => {
    const id = ids.guide[n] ?? "";
    const stored: unknown = await (await fetch(`${guide.url}/results/${id}`)).json();
    assert.partialDeepStrictEqual(stored, await api.response(id));
  });
}

function linesOf(latency: number, crowd: number, found: Sampled): Line[] {
  const line = (what: string, unit: string, of: (name: Name) => number): Line => ({
    part: 1,
    what: `webhook answered, API ${latency} ms: ${what}`,
    unit,
    values: { recorder: of("recorder"), guide: of("guide"), floor: of("floor") },
  });
  const p50 = (name: Name) => percentile(found[name].samples, 50);
  const met = p50("guide") / p50("recorder") >= AIM;
  const aim = { text: `${AIM} times the guide's speed`, met };
  return [
    { ...line("p50", "ms", p50), ...(latency === 300 ? { aim } : {}) },
    ...(latency === 300 ? [besideWaker(p50)] : []),
    line("p99", "ms", (name) => percentile(found[name].samples, 99)),
    { ...line(`${crowd} at once`, "/s", (name) => found[name].perSecond), more: true },
  ];
}

function besideWaker(p50: (name: Name) => number): Line {
  const values = { recorder: p50("recorder"), floor: p50("waker") };
  const what = "webhook answered, API 300 ms: p50, beside a Worker that verifies and wakes";
  return { part: 1, what, unit: "ms", values };
}
