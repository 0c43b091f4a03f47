// The statistics count what the list shows.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { Stats } from "../../../src/api/answers/stats.ts";
import { createEntry, getCatalog } from "../../support/catalog.ts";
import { ErrorBody } from "../../support/contract.ts";
import { CODE_INTERPRETER, toPythonInput } from "../../support/inputs.ts";
import { waitFor } from "../../support/wait.ts";
import { startWorld, type World } from "../../support/world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const VERDICTS = ["captured", "lost", "suspect", "pending", "no_calls"] as const;
const COUNT = 90;
const HTML = { headers: { accept: "text/html" } };

const Page = z.object({ results: z.array(z.unknown()) });
const ResponseObject = z.looseObject({
  usage: z.looseObject({
    input_tokens: z.number(),
    output_tokens: z.number(),
    total_tokens: z.number(),
  }),
});

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1, backgroundOutputs: "present" });
  const catalog = await getCatalog(world);
  const nowMs = Date.now();
  for (let n = 0; n < COUNT; n += 1) {
    const usage = { input: 100, cached: 40, output: 20, reasoning: 5, total: 120 };
    const verdict = VERDICTS[n % VERDICTS.length] ?? "captured";
    const row = { id: `resp_stat${n}`, verdict, model: n % 9 === 0 ? "gpt & co" : `gpt-${n % 2}` };
    const figures = { readable_ms: (n + 1) * 10, usage: n % 3 === 0 ? null : usage };
    const startedAtMs = nowMs - (n % 4) * DAY_MS - n;
    await catalog.upsert(createEntry(row, { startedAtMs, figures }), 1);
  }
  const old = { startedAtMs: nowMs - 40 * DAY_MS };
  await catalog.upsert(createEntry({ id: "resp_old" }, old), 1);
  const never = createEntry({ id: "resp_never_seen", created_at: null, verdict: "pending" });
  await catalog.upsert(never, 1);
  await catalog.remove({ id: "resp_removed", startedAtMs: nowMs }, 1);
});
afterAll(() => world.close());

async function readStats(query = ""): Promise<Stats> {
  const answer = await world.request(`/stats${query}`);
  expect(answer.status).toBe(200);
  return Stats.parse(await answer.json());
}

async function countListed(path: string): Promise<number> {
  const answer = await world.request(`${path}&limit=100`);
  return Page.parse(await answer.json()).results.length;
}

test("GET /stats counts the runs of the last 30 days, as the list has them", async () => {
  const stats = await readStats();
  expect(stats).toMatchObject({ runs: COUNT, days: 30, other_models: 0 });
  expect(stats.by_day).toHaveLength(30);
  for (const { day, runs, verdicts } of stats.by_day) {
    const path = `/results?since=${day}&until=${day}`;
    expect([day, await countListed(path)]).toEqual([day, runs]);
    expect(await countListed(`${path}&verdict=lost`)).toBe(verdicts.lost ?? 0);
  }
  for (const { model, runs } of stats.by_model) {
    const query = new URLSearchParams({ model: model ?? "", since: stats.since });
    expect(await countListed(`/results?${query.toString()}`)).toBe(runs);
  }
});

test("GET /stats has shares, tokens and the times from the end to readable", async () => {
  const stats = await readStats("?days=7");
  expect(stats.verdicts).toEqual({
    captured: 18,
    lost: 18,
    suspect: 18,
    pending: 18,
    no_calls: 18,
  });
  expect(stats).toMatchObject({ runs_with_calls: 54, lost_share: 1 / 3, suspect_share: 1 / 3 });
  expect(stats.tokens).toEqual({
    runs: 60,
    input: 6000,
    cached: 2400,
    output: 1200,
    reasoning: 300,
    total: 7200,
  });
  expect(stats.readable).toEqual({ runs: 90, p50_ms: 450, p95_ms: 860 });
});

test("GET /stats?days counts whole days of UTC, today included", async () => {
  const [one, old] = [await readStats("?days=1"), await readStats("?days=366")];
  expect(one.by_day).toHaveLength(1);
  expect(one.runs).toBe((await readStats()).by_day.at(-1)?.runs);
  expect(old.runs).toBe(COUNT + 1);
});

test.each(["days=0", "days=367", "days=x", "model=a"])(
  "GET /stats?%s is a 400 bad_query",
  async (query) => {
    const answer = await world.request(`/stats?${query}`);
    expect(answer.status).toBe(400);
    expect(ErrorBody.parse(await answer.json()).error.code).toBe("bad_query");
  },
);

test("every number of runs on the page of /stats leads to a list of so many runs", async () => {
  const html = await (await world.request("/stats", HTML)).text();
  const links = [...html.matchAll(/<a href="(\/results\?[^"]+)">([\d,]+)<\/a>/g)];
  expect(links.length).toBeGreaterThan(15);
  for (const [, href = "", runs] of links) {
    const path = href.replaceAll("&amp;", "&");
    expect([path, await countListed(path)]).toEqual([path, Number(runs)]);
  }
});

test("GET /stats counts a recorded run with the tokens of its response, and its time until it was readable", async () => {
  const before = await readStats();
  const model = "gpt-of-its-own";
  const request = { model, input: toPythonInput("print(1)"), tools: CODE_INTERPRETER };
  const id = await world.trigger(request);
  await world.waitUntilSettled(id);
  const { usage } = ResponseObject.parse(
    await (await world.request(`/results/${id}/response`)).json(),
  );
  const find = (stats: Stats) => stats.by_model.find((one) => one.model === model);
  const after = await waitFor(readStats, (stats) => find(stats)?.tokens.runs === 1);
  expect(after.readable.runs).toBe(before.readable.runs + 1);
  const found = find(after);
  expect(found).toMatchObject({
    runs: 1,
    verdicts: { captured: 1 },
    tokens: {
      runs: 1,
      input: usage.input_tokens,
      output: usage.output_tokens,
      total: usage.total_tokens,
    },
  });
  expect(usage.total_tokens).toBeGreaterThan(0);
});
