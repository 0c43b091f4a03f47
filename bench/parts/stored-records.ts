// (5) How it grows with what is stored, and (7) how soon it is read.
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { printing } from "../emulator-client.ts";
import type { Bench, Line } from "../measurement.ts";
import { writeConfig } from "../../test/support/config.ts";
import { inFlight, percentile, timed } from "../load-generator.ts";
import { Recorder } from "../recorder-client.ts";
import { serveWorker } from "../server-processes.ts";
import { growthOf, takenBy, type Taken } from "./cost-per-response.ts";
import { recorded } from "./throughput.ts";

const Filled = z.object({ filled: z.literal(true) });

/** How many times the list may take at the most, compared with the smallest store. */
const FLAT = 1.5;

type Reading = {
  stored: number;
  list: number[];
  get: number[];
  ready: number[];
  taken: Taken;
  perSecond: number;
};

export async function grow(bench: Bench): Promise<Line[]> {
  const { api, folder, quick } = bench;
  const config = writeConfig(folder, { main: "bench/seeded-recorder/index.ts", raised: true });
  const served = await serveWorker(config, join(folder, "grown"), api.url);
  const recorder = new Recorder(served);
  await api.set({ webhookUrl: `${recorder.url}/webhook` });
  const first = await recorder.trigger(printing(1));
  await recorder.settled([first]);
  const found: Reading[] = [];
  for (const stored of quick ? [10] : [10, 100, 1_000, 10_000]) {
    await fill(recorder, first, found.at(-1)?.stored ?? 0, stored);
    found.push(await read(bench, recorder, first, stored));
  }
  await served.close();
  await api.set({ webhookUrl: null });
  return linesOf(found);
}

async function fill(recorder: Recorder, id: string, from: number, to: number): Promise<void> {
  const answer = await recorder.ask(`/fill/${id}/${from}/${to}`, { method: "POST" });
  Filled.parse(await answer.json());
}

async function read(
  { api, quick }: Bench,
  recorder: Recorder,
  id: string,
  stored: number,
): Promise<Reading> {
  const times = quick ? 10 : 30;
  const list = await timed(1, times, async () => {
    const page = await recorder.recorded(100);
    assert.ok(page.size >= Math.min(stored, 100), "the list has what is stored");
  });
  const copy = `resp_copy${String(stored - 1).padStart(6, "0")}`;
  const get = await timed(1, times, async () => {
    assert.equal(await recorder.verdict(copy), "captured", "a record is read");
  });
  const whole = JSON.stringify(await recorder.response(copy));
  assert.equal(whole.replaceAll(copy, id), JSON.stringify(await api.response(id)));
  await api.forget();
  const ids = await inFlight(4, quick ? 4 : 8, (n) => recorder.trigger(printing(n, quick ? 1 : 2)));
  const ready = await inFlight(ids.length, ids.length, async (n) => {
    const at = await recorder.readable(ids[n] ?? "");
    return at - (await api.ended(ids[n] ?? ""));
  });
  await recorder.settled(ids);
  const taken = await takenBy({ api, recorder }, ids);
  const perSecond = await recorded({ recorder }, 16, printing);
  return { stored, list: list.samples, get: get.samples, ready, taken, perSecond };
}

function linesOf(found: Reading[]): Line[] {
  const most = found.at(-1)?.stored;
  const least = percentile(found[1]?.list ?? [], 50);
  return found.flatMap(({ stored, list, get, ready, taken, perSecond }) => {
    const what = `${stored} records stored`;
    const p50 = percentile(list, 50);
    const flat = { text: `flat from 100 to 10,000`, met: p50 / least <= FLAT };
    const wide = stored === most && stored > 100;
    return [
      lineOf(7, `${what}: the list's first 100, p50`, "ms", p50, wide ? flat : undefined),
      lineOf(7, `${what}: the list's first 100, p99`, "ms", percentile(list, 99)),
      lineOf(7, `${what}: one result, p50`, "ms", percentile(get, 50)),
      lineOf(7, `${what}: one result, p99`, "ms", percentile(get, 99)),
      lineOf(5, `${what}: end → readable, p50`, "ms", percentile(ready, 50)),
      lineOf(5, `${what}: responses with a call, 16 at once`, "/s", perSecond),
      ...growthOf(what, taken),
    ];
  });
}

function lineOf(
  part: number,
  what: string,
  unit: string,
  recorder: number,
  aim?: Line["aim"],
): Line {
  return { part, what, unit, values: { recorder }, ...(aim === undefined ? {} : { aim }) };
}
