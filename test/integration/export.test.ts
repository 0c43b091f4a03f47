import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ErrorBody } from "../support/contract.ts";
import { readExport } from "../support/export.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
});
afterAll(() => world.close());

test("GET /results.ndjson has each record as GET /results/:id returns it, and a null cursor on its last page", async () => {
  await world.emulator.configure({ streamOutputs: "present" });
  const ids = [
    await world.trigger(),
    await world.trigger({ control: true }),
    await world.trigger({ stream: true }),
    await world.trigger({ hold: true }),
    await world.trigger({ input: "emulator: fail" }),
  ];
  for (const id of ids) await world.waitUntilSettled(id);
  const { records, cursor } = await readExport(world, null);
  expect(cursor).toBeNull();
  for (const id of ids) {
    const record: unknown = await (await world.request(`/results/${id}`)).json();
    expect(records).toContainEqual(record);
  }
  expect(records).toHaveLength(ids.length);
});

test("GET /results.ndjson has a run in flight as pending, and does not read its key", async () => {
  const id = await world.trigger({ input: "emulator: run 600 seconds" });
  const { records } = await readExport(world, null);
  expect(records).toContainEqual(expect.objectContaining({ id, verdict: "pending" }));
  expect(world.kvOperations().filter(({ key }) => key === `record:${id}`)).toEqual([]);
  await world.request(`/results/${id}/cancel`, { method: "POST" });
  await world.waitUntilSettled(id);
});

test.each(["limit=0", "limit=51", "limit=x"])(
  "GET /results.ndjson?%s answers 400 bad_query or bad_cursor",
  async (query) => {
    const answer = await world.request(`/results.ndjson?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/bad_query|bad_cursor/);
  },
);

/** Returns a cursor of the list. */
async function readCursor(): Promise<string> {
  await world.trigger();
  const page: unknown = await (await world.request("/results?limit=1")).json();
  return z.object({ cursor: z.string() }).parse(page).cursor;
}

test("GET /results and GET /results.ndjson accept a cursor of the list", async () => {
  const cursor = encodeURIComponent(await readCursor());
  for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`])
    expect((await world.request(path)).status).toBe(200);
});

const TAMPERED: [string, (cursor: string) => string][] = [
  ["a letter", () => "x"],
  ["a dot", () => "."],
  ["a key of KV", () => btoa("record:resp_a")],
  ["the position that it encodes", (cursor) => atob(cursor)],
  ["a position that no list has", () => btoa("9".repeat(16)).replace(/=+$/, "")],
  ["another spelling of the same base64", (cursor) => `${cursor}==`],
  ["a cursor of the first version", (cursor) => `${"0".repeat(64)}.${cursor}`],
  ["one letter longer", (cursor) => `${cursor}A`],
  ["one letter shorter", (cursor) => cursor.slice(0, -1)],
  ["a cursor with a NUL", (cursor) => `${cursor}\0`],
  ["a path traversal", () => "../record:"],
  ["an emoji", () => "🙂"],
  ["2,001 characters", () => "x".repeat(2_001)],
];

test.each(TAMPERED)(
  "GET /results and GET /results.ndjson reject a cursor that became %s",
  async (_, tamper) => {
    const cursor = encodeURIComponent(tamper(await readCursor()));
    for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`]) {
      const answer = await world.request(path);
      expect([path, answer.status]).toEqual([path, 400]);
      expect(ErrorBody.parse(await answer.json()).error.code).toMatch(/^bad_(cursor|query)$/);
    }
  },
);

test("GET /results.ndjson answers 401 to a wrong token", async () => {
  const answer = await world.request("/results.ndjson", {
    headers: { authorization: "Bearer wrong" },
  });
  expect(answer.status).toBe(401);
});
