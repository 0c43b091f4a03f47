import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { CatalogRow } from "../../../src/objects/catalog/row.ts";
import { createEntry, getCatalog, type CatalogClient } from "../../support/catalog.ts";
import { toPythonInput, CODE_INTERPRETER } from "../../support/inputs.ts";
import { waitUntil } from "../../support/wait.ts";
import {
  FILTERS,
  listRunsIn,
  LISTED_AT_MS,
  RUNS,
  SINGLE_FILTERS,
  toFilterPairs,
} from "../../support/listed-runs.ts";
import { startWorld, type World } from "../../support/world.ts";

let world: World;
let catalog: CatalogClient;
beforeAll(async () => {
  world = await startWorld(
    { interpreters: 1, backgroundOutputs: "present" },
    { REFETCH_DELAYS: "0" },
  );
  catalog = await getCatalog(world);
  await listRunsIn(catalog);
});
afterAll(() => world.close());

test("GET /results leaves out a response that was never seen", async () => {
  const startedAtMs = LISTED_AT_MS + 1000;
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

test("GET /results has every run, newest first, each with all of its row", async () => {
  const rows = await listAll({}, 7);
  expect(rows).toEqual(RUNS.map(({ startedAtMs: _s, text: _t, ...row }) => row));
});

test.each(SINGLE_FILTERS)(
  "GET /results filters by $name=$value",
  async ({ name, value, matches }) => {
    expect(toIds(await listAll({ [name]: value }))).toEqual(toIds(RUNS.filter(matches)));
  },
);

test("GET /results filters by any two of its filters, in pages of any size", async () => {
  for (const [index, [a, b]] of toFilterPairs().entries()) {
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

test("GET /results finds a run by its id, and no other, whatever else is searched", async () => {
  expect(toIds(await listAll({ q: "resp_run007" }))).toEqual(["resp_run007"]);
  expect(toIds(await listAll({ q: " resp_run007 ", held: "true" }))).toEqual([]);
  expect(toIds(await listAll({ q: "resp_run00" }))).toEqual([]);
});

test("GET /results finds a pair of metadata whose value is empty or blank, and lists nothing else", async () => {
  const rows = ["", " "].map((note) => ({ id: `resp_note${note.length}`, metadata: { note } }));
  for (const row of rows) {
    await catalog.upsert(createEntry(row, { startedAtMs: LISTED_AT_MS, text: "" }), 1);
  }
  expect(toIds(await listAll({ "metadata[note]": "" }))).toEqual(["resp_note0"]);
  expect(toIds(await listAll({ "metadata[note]": " " }))).toEqual(["resp_note1"]);
  expect(await listAll({ "metadata[other]": "" })).toEqual([]);
  for (const { id } of rows) await catalog.remove({ id, startedAtMs: LISTED_AT_MS }, 2);
});

test("GET /results takes a pair of metadata as metadata=key=value, too", async () => {
  const pair = { metadata: "user=u3", held: "true" };
  expect(toIds(await listAll(pair))).toEqual(
    toIds(await listAll({ "metadata[user]": "u3", held: "true" })),
  );
  expect(await listAll(pair)).not.toEqual([]);
});

test("GET /results does not take a key that ends like another for that other", async () => {
  const startedAtMs = LISTED_AT_MS - 1_000_000;
  const row = { id: "resp_odd_key", metadata: { 'x"team': "red" } };
  await catalog.upsert(createEntry(row, { startedAtMs }), 1);
  expect(await listAll({ "metadata[team]": "red" })).toEqual([]);
  expect(toIds(await listAll({ 'metadata[x"team]': "red" }))).toEqual(["resp_odd_key"]);
  await catalog.remove({ id: "resp_odd_key", startedAtMs }, 2);
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
