// (2) From a response's end to its readable result.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import { printing } from "../emulator-client.ts";
import type { Bench, Line, Subject } from "../measurement.ts";
import { inFlight, percentile } from "../load-generator.ts";
import { poll } from "../alternatives/polling-client/index.ts";
import { API_KEY } from "../server-processes.ts";

/** Milliseconds that the API takes for an answer; one answer is taken off each time. */
const LATENCY = 50;
/** Milliseconds over the API's own. */
const AIM = 100;

/** Seconds for which a run goes on at the least, and longer by so many for each in flight: all are triggered before the first ends. */
const SHORTEST = 1;
const LONGER = 0.08;

/** How many in flight, and how many seconds their ends are apart. */
const SIZES = [
  { many: 1, spread: 0, rounds: 8 },
  { many: 10, spread: 1, rounds: 2 },
  { many: 100, spread: 8, rounds: 1 },
];

const QUICK = [{ many: 5, spread: 0.5, rounds: 1 }];

type Batch = (requests: ReturnType<typeof printing>[]) => Promise<number[]>;

export async function ready(bench: Bench): Promise<Line[]> {
  const { api, quick } = bench;
  await api.set({ latency: LATENCY });
  const lines: Line[] = [];
  for (const { many, spread, rounds } of quick ? QUICK : SIZES) {
    lines.push(...(await inBatches(bench, many, spread, rounds)));
  }
  await api.set({ latency: 0, webhookUrl: null });
  return lines;
}

async function inBatches(
  bench: Bench,
  many: number,
  spread: number,
  rounds: number,
): Promise<Line[]> {
  const batches: [Subject, Batch][] = [
    ["recorder", (requests) => byRecorder(bench, requests)],
    ["guide", (requests) => byGuide(bench, requests)],
    ["poller", (requests) => byPoller(bench, requests)],
  ];
  const found: Partial<Record<Subject, number[]>> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, batch] of batches) {
      const requests = Array.from({ length: many }, (_, n) =>
        printing(n, SHORTEST + LONGER * many + spread * (n / many) + Math.random() * 0.1),
      );
      const times = await batch(requests);
      (found[name] ??= []).push(...times.map((time) => time - LATENCY));
    }
  }
  return linesOf(many, found);
}

async function byRecorder({ api, recorder }: Bench, requests: object[]): Promise<number[]> {
  await api.set({ webhookUrl: `${recorder.url}/webhook` });
  return inFlight(requests.length, requests.length, async (n) => {
    const id = await recorder.trigger(requests[n] ?? {});
    const at = await recorder.readable(id);
    assert.deepEqual(await recorder.response(id), await api.response(id));
    return at - (await api.ended(id));
  });
}

// Its answer to the webhook says that it is stored.
async function byGuide({ api, guide }: Bench, requests: object[]): Promise<number[]> {
  await api.set({ webhookUrl: `${guide.url}/webhook` });
  const ids = await inFlight(requests.length, requests.length, (n) =>
    api.create(requests[n] ?? {}),
  );
  const ends = await inFlight(4, ids.length, (n) => api.ended(ids[n] ?? ""));
  let answered = await api.answered();
  while (ids.some((id) => !answered.has(id))) {
    await sleep(100);
    answered = await api.answered();
  }
  for (const id of ids) {
    const stored: unknown = await (await fetch(`${guide.url}/results/${id}`)).json();
    assert.partialDeepStrictEqual(stored, await api.response(id));
  }
  return ids.map((id, n) => (answered.get(id) ?? Number.NaN) - (ends[n] ?? 0));
}

async function byPoller(
  { api }: Bench,
  requests: ReturnType<typeof printing>[],
): Promise<number[]> {
  await api.set({ webhookUrl: null });
  const client = new OpenAI({ apiKey: API_KEY, baseURL: `${api.url}/v1`, webhookSecret: null });
  return inFlight(requests.length, requests.length, async (n) => {
    const response = await poll(client, requests[n] ?? printing(n));
    const at = Date.now();
    assert.partialDeepStrictEqual(response, await api.response(response.id));
    return at - (await api.ended(response.id));
  });
}

function linesOf(many: number, found: Partial<Record<Subject, number[]>>): Line[] {
  const line = (percent: number): Line => ({
    part: 2,
    what: `end → readable, over the API's ${LATENCY} ms, ${many} in flight: p${percent}`,
    unit: "ms",
    values: Object.fromEntries(
      Object.entries(found).map(([name, samples]) => [name, percentile(samples, percent)]),
    ),
  });
  const p50 = line(50);
  const met = (p50.values.recorder ?? Number.NaN) <= AIM;
  return [{ ...p50, aim: { text: `at most ${AIM} ms`, met } }, line(99)];
}
