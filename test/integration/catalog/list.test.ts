import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { CatalogRow } from "../../../src/objects/catalog/row.ts";
import { createEntry, getCatalog, type CatalogClient } from "../../support/catalog.ts";
import { toPythonInput, CODE_INTERPRETER } from "../../support/inputs.ts";
import { waitUntil } from "../../support/wait.ts";
import { startWorld, type World } from "../../support/world.ts";

/** The runs of the list: one more second of age for each. */
const NOW_MS = Date.parse("2026-11-20T12:00:00.000Z");
const VERDICTS = ["captured", "lost", "silent", "suspect", "pending", "no_calls"] as const;
const STATUSES = ["completed", "failed", "incomplete"] as const;
const STARTERS = ["trigger", "v1", "webhook", "refetch"] as const;
const COUNT = 120;

type Run = CatalogRow & { startedAtMs: number; text: string };

const RUNS: Run[] = Array.from({ length: COUNT }, (_, n) => ({
  id: `resp_run${String(n).padStart(3, "0")}`,
  verdict: VERDICTS[n % VERDICTS.length] ?? "captured",
  status: STATUSES[n % STATUSES.length] ?? "completed",
  model: n % 4 === 0 ? "gpt-a" : "gpt-b",
  created_at: new Date(NOW_MS - n * 1000).toISOString(),
  completed_at: null,
  calls: n % 3,
  first_line: `Question ${n}`,
  held: n % 5 === 0,
  started_by: STARTERS[n % STARTERS.length] ?? "trigger",
  metadata: { user: `u${n % 7}`, ...(n % 2 === 0 ? { 'a"b\\c': 'd"e' } : {}) },
  startedAtMs: NOW_MS - n * 1000,
  text: `Question ${n} about ${n % 3 === 0 ? "prime numbers" : "primroses"}`,
}));

let world: World;
let catalog: CatalogClient;
beforeAll(async () => {
  world = await startWorld(
    { interpreters: 1, backgroundOutputs: "present" },
    { REFETCH_DELAYS: "0" },
  );
  catalog = await getCatalog(world);
  // In an order that is not the list's.
  for (const { startedAtMs, text, ...row } of RUNS.toSorted((a, b) => (a.text < b.text ? -1 : 1))) {
    await catalog.upsert(createEntry(row, { startedAtMs, text }), 1);
  }
});
afterAll(() => world.close());

test("GET /results leaves out a response that was never seen", async () => {
  const startedAtMs = NOW_MS + 1000;
  const row = { id: "resp_never_seen", created_at: null, verdict: "pending" } as const;
  await catalog.upsert(createEntry(row, { startedAtMs, text: "primes" }), 1);
  const listed = [...(await listAll({})), ...(await listAll({ q: "primes" }))];
  expect(listed.map(({ id }) => id)).not.toContain("resp_never_seen");
});

const Page = z.object({ results: z.array(CatalogRow), cursor: z.string().nullable() });

/** Reads every page of the list of the runs above. */
async function listAll(query: Record<string, string>, limit = 100): Promise<CatalogRow[]> {
  const rows: CatalogRow[] = [];
  let cursor: string | null = "";
  do {
    const params: URLSearchParams = new URLSearchParams({
      until: "2026-11-20",
      ...query,
      limit: String(limit),
      cursor: cursor ?? "",
    });
    const answer = await world.request(`/results?${params.toString()}`);
    expect(answer.status).toBe(200);
    const page = Page.parse(await answer.json());
    rows.push(...page.results);
    cursor = page.cursor;
  } while (cursor !== null);
  return rows;
}

function toIds(rows: { id: string }[]): string[] {
  return rows.map(({ id }) => id);
}

/** Each filter, and what it lets through. */
const FILTERS: Record<string, [value: string, matches: (run: Run) => boolean][]> = {
  verdict: VERDICTS.map((verdict) => [verdict, (run) => run.verdict === verdict]),
  status: STATUSES.map((status) => [status, (run) => run.status === status]),
  model: [["gpt-a", (run) => run.model === "gpt-a"]],
  started_by: STARTERS.map((name) => [name, (run) => run.started_by === name]),
  held: [
    ["true", (run) => run.held],
    ["false", (run) => !run.held],
  ],
  since: [["2026-11-20T11:59:00Z", (run) => run.startedAtMs >= NOW_MS - 60_000]],
  until: [["2026-11-20T13:59:00+02:00", (run) => run.startedAtMs < NOW_MS - 60_000]],
  q: [
    ["prim", () => true],
    ["prime", (run) => run.text.includes("prime")],
    ["NUMBERS prime", (run) => run.text.includes("prime numbers")],
    ["numbers primr", () => false],
  ],
  "metadata[user]": [["u3", (run) => run.metadata["user"] === "u3"]],
  'metadata[a"b\\c]': [['d"e', (run) => 'a"b\\c' in run.metadata]],
};
const SINGLE = Object.entries(FILTERS).flatMap(([name, values]) =>
  values.map(([value, matches]) => ({ name, value, matches })),
);

test("GET /results has every run, newest first, each with all of its row", async () => {
  const rows = await listAll({}, 7);
  expect(rows).toEqual(RUNS.map(({ startedAtMs: _s, text: _t, ...row }) => row));
});

test.each(SINGLE)("GET /results filters by $name=$value", async ({ name, value, matches }) => {
  expect(toIds(await listAll({ [name]: value }))).toEqual(toIds(RUNS.filter(matches)));
});

test("GET /results filters by any two of its filters, in pages of any size", async () => {
  const pairs = SINGLE.flatMap((a, index) =>
    SINGLE.slice(index + 1)
      .filter((b) => b.name !== a.name)
      .map((b) => [a, b] as const),
  );
  for (const [index, [a, b]] of pairs.entries()) {
    const rows = await listAll({ [a.name]: a.value, [b.name]: b.value }, 5 + (index % 40));
    const expected = RUNS.filter((run) => a.matches(run) && b.matches(run));
    expect([a.name, a.value, b.name, b.value, toIds(rows)]).toEqual([
      a.name,
      a.value,
      b.name,
      b.value,
      toIds(expected),
    ]);
  }
});

test("GET /results filters by all of its filters at once", async () => {
  const chosen = Object.entries(FILTERS).map(([name, values]) => {
    const [value, matches] = values[0] ?? ["", () => false];
    return { name, value, matches };
  });
  const query = Object.fromEntries(chosen.map(({ name, value }) => [name, value]));
  const expected = RUNS.filter((run) => chosen.every(({ matches }) => matches(run)));
  expect(toIds(await listAll(query))).toEqual(toIds(expected));
});

test("GET /results.ndjson takes the list's filters", async () => {
  const id = await world.trigger({ input: "export me", metadata: { kind: "exported" } });
  await world.waitUntilSettled(id);
  const lines = async (query: string) =>
    (await (await world.request(`/results.ndjson?${query}`)).text()).trimEnd().split("\n");
  const found = await lines("q=export&metadata[kind]=exported&started_by=trigger&held=false");
  expect(found).toHaveLength(2);
  expect(JSON.parse(found[0] ?? "")).toMatchObject({ id, metadata: { kind: "exported" } });
  expect(await lines("q=export&held=true")).toEqual(['{"cursor":null}']);
});

/** The ids of the runs that a search finds. */
async function find(q: string): Promise<string[]> {
  return toIds(await listAll({ q, until: "" }));
}

const Message = z.object({ content: z.array(z.object({ text: z.string() })) });

/** The text of the message among output items. */
function findText(output: unknown): string | undefined {
  const items = z.array(z.unknown()).parse(output);
  const message = items
    .map((item) => Message.safeParse(item).data)
    .find((one) => one !== undefined);
  return message?.content[0]?.text;
}

test("GET /results finds a run by what was asked, printed and said, as soon as it starts", async () => {
  const input = toPythonInput('print("quokka " * 3)');
  const id = await world.trigger({ input, tools: CODE_INTERPRETER });
  expect(await find("quokk")).toEqual([id]);
  const { response } = await world.waitUntilSettled(id);
  expect(await find("quokka quokka")).toEqual([id]);
  const said = z.string().parse(findText(response?.["output"]));
  expect(await find(said.split(/\s+/).slice(-3).join(" "))).toContain(id);
  await world.request(`/results/${id}`, { method: "DELETE" });
  expect(await find("quokka")).toEqual([]);
});

test("GET /results has the metadata of a run that another program started", async () => {
  const body = JSON.stringify({
    model: "m",
    input: "hello",
    background: true,
    metadata: { team: "red" },
  });
  const created = await world.emulator.sendToApi("/responses", { method: "POST", body });
  const { id } = z.object({ id: z.string() }).parse(await created.json());
  await waitUntil(async () => (await world.request(`/results/${id}`)).status === 200);
  await world.waitUntilSettled(id);
  const [row] = await listAll({ "metadata[team]": "red", until: "" });
  expect(row).toMatchObject({ id, started_by: "webhook", metadata: { team: "red" } });
});

const HOSTILE = [
  '"',
  "*",
  "NEAR",
  "NEAR(a b)",
  "a AND",
  "OR",
  "-x",
  "^x",
  "text:x",
  "(",
  "{zz}",
  "'",
  "%",
  "🙂",
  "\0",
  "a\0b",
  '"a" "',
  "\\",
  "a ".repeat(250),
  '" '.repeat(250),
  "x".repeat(500),
];

test.each(HOSTILE)("GET /results takes the search %j as words", async (q) => {
  expect(await listAll({ q })).toEqual([]);
});

test.each(["q=%ED%A0%80", `q=${"x".repeat(10_240)}`, "metadata[=x", "metadata[]=x"])(
  "GET /results?%s answers 200 or 400, and never 500",
  async (query) => {
    expect([200, 400]).toContain((await world.request(`/results?${query}`)).status);
  },
);

test("a page of the list keeps every filter in its links and in its form", async () => {
  const query = {
    verdict: "captured",
    status: "completed",
    model: "gpt-b",
    started_by: "refetch",
    held: "false",
    since: "2026-11-01",
    until: "2026-11-20",
    q: "prime <b>",
    "metadata[user]": 'u"3',
  };
  const accept = { headers: { accept: "text/html" } };
  const params = new URLSearchParams({ ...query, q: "question", "metadata[user]": "u3" });
  const html = await (await world.request(`/results?${params.toString()}`, accept)).text();
  expect(html).toContain('name="model" value="gpt-b"');
  expect(html).toContain('href="/results">Clear');
  const first = new URLSearchParams({ q: "prim", held: "false", limit: "5" });
  const page = await (await world.request(`/results?${first.toString()}`, accept)).text();
  const older = /href="(\/results\?[^"]*)">Older/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const next = new URL(older, world.url).searchParams;
  expect(Object.fromEntries(next)).toMatchObject({ q: "prim", held: "false", limit: "5" });
  const hostile = new URLSearchParams(query);
  const none = await (await world.request(`/results?${hostile.toString()}`, accept)).text();
  expect(none).toContain("No result matches the filter.");
  expect(none).not.toContain("<b>");
});
