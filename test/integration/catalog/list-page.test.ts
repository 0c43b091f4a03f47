// The list as a page: it has the rows of GET /results, the numbers of all pages, and links that keep the filters.
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEntry, getCatalog } from "../../support/catalog.ts";
import {
  listRunsIn,
  LISTED_AT_MS,
  RUNS,
  SINGLE_FILTERS,
  toFilterPairs,
} from "../../support/listed-runs.ts";
import { startWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
  const catalog = await getCatalog(world);
  await listRunsIn(catalog);
});
afterAll(() => world.close());

async function fetchPage(query: Record<string, string>): Promise<string> {
  const params = new URLSearchParams(query);
  const answer = await world.request(`/results?${params.toString()}`, {
    headers: { accept: "text/html" },
  });
  expect(answer.status).toBe(200);
  return answer.text();
}

/** What a page has of its first match, without entities. */
function findText(html: string, pattern: RegExp): string {
  return pattern.exec(html)?.[1]?.replaceAll("&amp;", "&").replaceAll("&quot;", '"') ?? "";
}

function findIds(html: string): string[] {
  return [...html.matchAll(/<tr [^>]*data-id="([^"]+)"/g)].map((found) => found[1] ?? "");
}

/** The verdicts that the page offers, with their numbers. */
function findCounts(html: string): Record<string, number> {
  const links = html.matchAll(/>([a-z ]+) <b>([\d,]*)<\/b>/g);
  return Object.fromEntries(
    [...links].map((found) => [found[1]?.replace(" ", "_") ?? "", Number(found[2])]),
  );
}

type Matches = (run: (typeof RUNS)[number]) => boolean;

function countByVerdict(matches: Matches): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verdict } of RUNS.filter(matches)) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

test("the page of any two filters has their newest runs, how many they are, and how many of each verdict", async () => {
  const pairs = [...SINGLE_FILTERS.map((one) => [one] as const), ...toFilterPairs()];
  for (const [index, filters] of pairs.entries()) {
    const limit = 1 + (index % 40);
    const query = Object.fromEntries(filters.map(({ name, value }) => [name, value]));
    const html = await fetchPage({ ...query, limit: String(limit) });
    const expected = RUNS.filter((run) => filters.every(({ matches }) => matches(run)));
    const others = filters.filter(({ name }) => name !== "verdict");
    const counts = countByVerdict((run) => others.every(({ matches }) => matches(run)));
    if ("verdict" in query) counts[query["verdict"] ?? ""] ??= 0;
    const found = {
      ids: findIds(html),
      total: findText(html, /id="total">([^<]+)</),
      counts: findCounts(html),
    };
    expect({ query, ...found }).toEqual({
      query,
      ids: expected.slice(0, limit).map(({ id }) => id),
      total: `${expected.length} ${expected.length === 1 ? "run" : "runs"}`,
      counts,
    });
  }
});

test("the links to older runs lead through all runs of a filter, each once", async () => {
  const query = { q: "prim", held: "false", limit: "7" };
  const ids: string[] = [];
  let next: Record<string, string> = query;
  for (;;) {
    const html = await fetchPage(next);
    ids.push(...findIds(html));
    const older = findText(html, /href="(\/results\?[^"]*)" rel="next">Older/);
    if (older === "") break;
    next = Object.fromEntries(new URL(older, world.url).searchParams);
    expect(next).toMatchObject(query);
  }
  expect(ids).toEqual(RUNS.filter((run) => !run.held).map(({ id }) => id));
});

test("a page without rows names its filters, keeps them in its form, and shows no HTML of theirs", async () => {
  const query = {
    verdict: "captured",
    status: "completed",
    model: "gpt-b",
    started_by: "refetch",
    held: "false",
    since: "2026-11-01T00:00:00Z",
    until: "2026-11-20",
    q: "prime <b>bold",
    "metadata[user]": 'u"3',
  };
  const html = await fetchPage(query);
  expect(html).toContain("No run matches");
  expect(html).toContain('href="/results">Clear all filters');
  expect(html).toContain("user = u&quot;3");
  expect(html).not.toContain("<b>bold");
  for (const [name, value] of Object.entries(query)) {
    const shown = value.replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const isSelected = html.includes(`<option value="${shown}" selected="">`);
    const fields = [...html.matchAll(/<input [^>]*>/g)].map(([field]) => field);
    const field = fields.find((one) => one.includes(`name="${name}"`));
    expect([name, isSelected || field?.includes(` value="${shown}"`)]).toEqual([name, true]);
  }
});

test("the link of each filter in use removes that one and keeps the others", async () => {
  const query = { status: "completed", "metadata[user]": "u3" };
  const html = await fetchPage(query);
  const label = "Remove the filter Status: completed";
  const link = findText(html, new RegExp(`href="([^"]+)" aria-label="${label}"`));
  expect(link).toBe("/results?metadata%5Buser%5D=u3");
});

test("the page links to an export with its filters, which has its runs", async () => {
  const id = await world.trigger({ input: "export me", metadata: { kind: "exported" } });
  await world.waitUntilSettled(id);
  const html = await fetchPage({ "metadata[kind]": "exported" });
  const link = findText(html, /href="([^"]+)" download=/);
  const lines = (await (await world.request(link)).text()).trimEnd().split("\n");
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ id });
});

test("GET /results leads a browser that searches for an id to that run, and nobody else", async () => {
  const path = "/results?q=resp_run007&verdict=lost";
  const page = await world.request(path, { headers: { accept: "text/html" } });
  expect([page.status, page.headers.get("location")]).toEqual([302, "/results/resp_run007"]);
  expect((await world.request(path)).status).toBe(200);
});

test("the page offers the models of the newest runs", async () => {
  const models = [...(await fetchPage({})).matchAll(/<option value="(gpt-[ab])">/g)];
  expect(models.map((found) => found[1])).toEqual(["gpt-a", "gpt-b"]);
});

test("a row shows a status only where the verdict does not say it", async () => {
  const catalog = await getCatalog(world);
  const rows = [
    { id: "resp_s1", verdict: "captured", status: "completed" },
    { id: "resp_s2", verdict: "no_calls", status: "failed" },
    { id: "resp_s3", verdict: "pending", status: "in_progress" },
    { id: "resp_s4", verdict: "pending", status: "queued" },
    { id: "resp_s5", verdict: "gone", status: "in_progress" },
  ] as const;
  for (const [index, row] of rows.entries()) {
    const startedAtMs = LISTED_AT_MS + 1000 + index;
    await catalog.upsert(createEntry({ ...row, model: "statuses" }, { startedAtMs }), 1);
  }
  const html = await fetchPage({ model: "statuses" });
  const chips = [...html.matchAll(/class="chips">(.*?)<\/td>/gs)].map((found) =>
    [...(found[1] ?? "").matchAll(/class="chip (\w+)"[^>]*>([^<]+)</g)].map((chip) =>
      chip.slice(1, 3).join(" "),
    ),
  );
  expect(chips.toReversed()).toEqual([
    ["good captured"],
    ["neutral no calls", "bad failed"],
    ["busy pending"],
    ["busy pending", "busy queued"],
    ["warn gone"],
  ]);
});
