// Part 7, continued: the list's page by every filter and search, with the number of matches and of each verdict.
import assert from "node:assert/strict";
import { percentile, timeConcurrently } from "../load-generator.ts";
import type { Measurement } from "../measurement.ts";
import type { RecorderClient } from "../recorder-client.ts";

const AIM_MS = 100;
const TOTAL = /id="total">([^<]*)</;

/** The query of each page, and the text that says how many runs it found. */
const PAGES: Record<string, [query: string, total: RegExp]> = {
  "without a filter": ["", /more than 10,000 runs/],
  "by a common verdict": ["verdict=captured", /at least [\d,]+ runs/],
  "by a verdict of 1 in 100": ["verdict=lost", /[\d,]+ runs/],
  "by a verdict that no run has": ["verdict=abandoned", /0 runs/],
  "by a common status": ["status=completed", /more than/],
  "by a status that no run has": ["status=cancelled", /0 runs/],
  "by a model of 1 in 5": ["model=gpt-bench-1", /more than/],
  "by a model that no run has": ["model=none", /0 runs/],
  "by what started it": ["started_by=trigger", /more than/],
  "by held": ["held=true", /[\d,]+ runs/],
  "by a month": ["since=2019-12-01&until=2019-12-31", /more than/],
  "by a day": ["since=2019-12-01&until=2019-12-01", /1,440 runs/],
  "by a pair of metadata of 1 in 3": ["metadata[environment]=staging", /more than/],
  "by a pair of metadata of 1 in 1,000": ["metadata[customer]=customer-7", /100 runs/],
  "by a pair of metadata that no run has": ["metadata[customer]=none", /0 runs/],
  "by a word that all have": ["q=usual", /more than/],
  "by a word of 1 in 1,000": ["q=seldom", /100 runs/],
  "by a word that no run has": ["q=nonesuch", /0 runs/],
  "by the beginning of a word": ["q=bab", /runs/],
  "by five words that all have": ["q=compute+the+number+print+fact", /more than/],
  "by a common word and a verdict of 1 in 100": ["q=usual&verdict=lost", /runs/],
  "by a common word and a model that no run has": ["q=usual&model=none", /0 runs/],
  "by a common word and a common verdict that no such run has": [
    "q=usual&verdict=captured&status=failed",
    /0 runs/,
  ],
  "by a common verdict and a pair of metadata that no run has": [
    "verdict=captured&metadata[environment]=none",
    /0 runs/,
  ],
  "by everything": [
    "q=usual&verdict=captured&status=completed&model=gpt-bench-1&started_by=v1&held=false&since=2019-10-01&until=2019-12-31&metadata[environment]=production",
    /runs/,
  ],
};

/** Measures the pages of a recorder that lists 100,000 made-up runs, and a search for an id as JSON. */
export async function measureListPages(
  recorder: RecorderClient,
  repetitions: number,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const measure = async (name: string, read: () => Promise<void>) => {
    const { samplesMs } = await timeConcurrently(1, repetitions, read);
    measurements.push(toMeasurement(name, percentile(samplesMs, 50)));
  };
  for (const [name, [query, total]] of Object.entries(PAGES)) {
    await measure(`the page ${name}`, async () => {
      const answer = await recorder.request(`/results?${query}`, {}, "text/html");
      assert.match(TOTAL.exec(await answer.text())?.[1] ?? "", total, name);
    });
  }
  await measure("a search for an id that no run has", async () => {
    assert.equal(await recorder.countListed("&q=resp_none"), 0);
  });
  return measurements;
}

function toMeasurement(name: string, value: number): Measurement {
  return {
    part: 7,
    name: `100000 runs listed: ${name}, p50`,
    unit: "ms",
    values: { recorder: value },
    aim: { text: `under ${AIM_MS} ms`, met: value < AIM_MS },
  };
}
