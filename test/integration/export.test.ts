import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { readExport } from "../support/export.ts";
import { startWorld, type World } from "../support/world.ts";

const Failure = z.object({ error: z.object({ code: z.string() }) });

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" });
});
afterAll(() => world.close());

test("an export holds each record as it is read by its id, and says when it ends", async () => {
  await world.emulate({ streamOutputs: "present" });
  const made = [
    await world.trigger(),
    await world.trigger({ control: true }),
    await world.trigger({ replay: true }),
    await world.trigger({ input: "emulator: fail" }),
  ];
  for (const id of made) await world.settled(id);
  const { records, cursor } = await readExport(world, null);
  expect(cursor).toBeNull();
  for (const id of made) {
    const whole: unknown = await (await world.ask(`/results/${id}`)).json();
    expect(records).toContainEqual(whole);
  }
  expect(records).toHaveLength(made.length);
});

test("a run in flight is in it as it is known, and its key is not read", async () => {
  const id = await world.trigger({ input: "emulator: run 600 seconds" });
  const { records } = await readExport(world, null);
  expect(records).toContainEqual(expect.objectContaining({ id, verdict: "pending" }));
  expect(world.kv().filter(({ key }) => key === `record:${id}`)).toEqual([]);
  await world.ask(`/results/${id}/cancel`, { method: "POST" });
  await world.settled(id);
});

test.each(["limit=0", "limit=51", "limit=x"])(
  "%s is refused, and what to do is said",
  async (query) => {
    const answer = await world.ask(`/results.ndjson?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/bad_query|bad_cursor/);
  },
);

/** A cursor that the list has given out. */
async function given(): Promise<string> {
  await world.trigger();
  const first: unknown = await (await world.ask("/results?limit=1")).json();
  return z.object({ cursor: z.string() }).parse(first).cursor;
}

test("a cursor that was given out leads on, in the list and in the export", async () => {
  const cursor = encodeURIComponent(await given());
  for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`])
    expect((await world.ask(path)).status).toBe(200);
});

const TAMPERED: [string, (cursor: string) => string][] = [
  ["a letter", () => "x"],
  ["a dot", () => "."],
  ["KV's own", (cursor) => cursor.slice(cursor.indexOf(".") + 1)],
  ["another place", (cursor) => `${cursor.slice(0, 65)}${btoa("record:resp_a")}`],
  ["another signature", (cursor) => `${"0".repeat(64)}${cursor.slice(64)}`],
  ["a letter more", (cursor) => `${cursor}A`],
  ["a letter less", (cursor) => cursor.slice(0, -1)],
  ["a NUL", (cursor) => `${cursor}\0`],
  ["a way up", () => "../record:"],
  ["an emoji", () => "🙂"],
  ["2,001 characters", () => "x".repeat(2_001)],
];

test.each(TAMPERED)("a cursor that became %s is refused", async (_, tamper) => {
  const cursor = encodeURIComponent(tamper(await given()));
  for (const path of [`/results?cursor=${cursor}`, `/results.ndjson?cursor=${cursor}`]) {
    const answer = await world.ask(path);
    expect([path, answer.status]).toEqual([path, 400]);
    expect(Failure.parse(await answer.json()).error.code).toMatch(/^bad_(cursor|query)$/);
  }
});

test("it wants the access token", async () => {
  const answer = await world.ask("/results.ndjson", { headers: { authorization: "Bearer no" } });
  expect(answer.status).toBe(401);
});
