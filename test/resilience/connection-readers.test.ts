// Readers of a Connection: each gets every event once, in order, and the end.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  CONNECTION_WORKER,
  killConnection,
  openEvents,
  readAllEvents,
  readConnectionName,
  readEvents,
  type ReadEvent,
} from "../support/connection-worker.ts";
import { readAtRandom, type ReaderResult } from "../support/events-reader.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { SEED } from "../support/property-runs.ts";
import { replayEvents } from "../support/replay.ts";
import { startWorld, type World } from "../support/world.ts";
import { Random } from "./simulation/random.ts";

const READERS = 20;
/** The object of a followed run is killed so often while its readers read. */
const KILLS = 3;
const DELTA_CHARACTERS = 8;
const LARGE_OUTPUT_BYTES = 20 * 1024 * 1024;

let world: World;
beforeAll(async () => {
  const settings = { deltaCharacters: DELTA_CHARACTERS, interpreters: 1 };
  world = await startWorld(settings, {}, {}, { unlimited: true, main: CONNECTION_WORKER });
});
afterAll(() => world.close());

test(`${READERS} readers of a held run that join, leave and resume at random get every event once, and the end`, async () => {
  const { connection } = await startStream("held", { hold: true }, 400);
  const results = await readByAll(connection, 1);
  const all = await readAllEvents(world.url, connection);
  expect(all.length).toBeGreaterThan(400);
  expectAll(results, all);
  expect(results.every(({ breaks }) => breaks === 0)).toBe(true);
  expect(sum(results.map(({ leaves }) => leaves))).toBeGreaterThan(READERS);
});

test(`${READERS} readers of a followed run whose object dies ${KILLS} times get every event once, and the end`, async () => {
  const { id, connection } = await startStream("followed", { stream: true }, 600);
  const reading = readByAll(connection, 2);
  const random = new Random(SEED, 1000);
  let next = 20;
  for (let kills = 0; kills < KILLS; kills += 1) {
    await readUpTo(connection, next);
    await killConnection(world.url, connection);
    next += random.whole(20, 150);
  }
  const results = await reading;
  const all = await readAllEvents(world.url, connection);
  expect(all.map(({ json }) => json)).toEqual(await replayEvents(world.emulator, id));
  expectAll(results, all);
  expect(sum(results.map(({ breaks }) => breaks))).toBeGreaterThan(0);
});

test("a reader that comes after the end gets the events after any number, and none after the last", async () => {
  const { id, connection } = await startStream("ended", { hold: true }, 30);
  await world.waitUntilSettled(id);
  const all = await readAllEvents(world.url, connection);
  for (let after = 0; after <= all.length; after += 1) {
    const events: ReadEvent[] = [];
    for await (const event of readEvents(world.url, connection, after)) events.push(event);
    expect(events).toEqual(all.slice(after));
  }
});

test("a reader that stops in the middle of 20 MiB holds up neither the others nor the run, and gets the rest later", async () => {
  const metadata = { case: "large" };
  await world.emulator.addScriptFor(metadata, [
    { wait: 1 },
    { code: `print("y" * ${LARGE_OUTPUT_BYTES - 1})` },
    { text: "done" },
  ]);
  const id = await world.trigger({ hold: true, input: "x", metadata, tools: CODE_INTERPRETER });
  const connection = await readConnectionName(world.url, id);
  const slow = (await openEvents(world.url, connection, 0)).getReader();
  let received = (await slow.read()).value?.byteLength ?? 0;

  const quick = Array.from({ length: 3 }, () => readSizes(connection));
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured" });
  const [sizes = [], ...others] = await Promise.all(quick);
  for (const other of others) expect(other).toEqual(sizes);
  // The output comes with its item, and again with the last event.
  expect(sizes.filter((size) => size > LARGE_OUTPUT_BYTES)).toHaveLength(2);

  for (;;) {
    const { done, value } = await slow.read();
    if (done) break;
    received += value.byteLength;
  }
  const bytes = await readBytes(connection);
  expect(received).toBe(bytes);
  const late = await readLeaving(connection);
  expect(late).toEqual(sizes);
});

/** Starts a run that streams a text in deltas. */
async function startStream(
  name: string,
  kind: { hold: true } | { stream: true },
  deltas: number,
): Promise<{ id: string; connection: string }> {
  const metadata = { case: name };
  const text = "abcdefg ".repeat(deltas).slice(0, deltas * DELTA_CHARACTERS);
  await world.emulator.addScriptFor(metadata, [
    { code: 'print("before")' },
    { text, pace: 0.01 },
    { code: 'print("after")' },
  ]);
  const id = await world.trigger({ ...kind, input: "x", metadata, tools: CODE_INTERPRETER });
  return { id, connection: await readConnectionName(world.url, id) };
}

function readByAll(connection: string, run: number): Promise<ReaderResult[]> {
  const options = { maxJoinMs: 3_000, maxEvents: 120, maxAwayMs: 500 };
  return Promise.all(
    Array.from({ length: READERS }, (_, n) =>
      readAtRandom(world.url, connection, new Random(SEED, run * READERS + n), options),
    ),
  );
}

function expectAll(results: ReaderResult[], all: ReadEvent[]): void {
  expect(all.map(({ number }) => number)).toEqual(all.map((_, index) => index + 1));
  expect(all.at(-1)?.type).toBe("response.completed");
  for (const { events } of results) {
    expect(events.map(({ number }) => number)).toEqual(all.map(({ number }) => number));
    expect(events).toEqual(all);
  }
}

/** Resolves when a Connection has an event of this number. */
async function readUpTo(connection: string, number: number): Promise<void> {
  for await (const event of readEvents(world.url, connection, 0)) {
    if (event.number >= number) return;
  }
}

async function readSizes(connection: string): Promise<number[]> {
  const sizes: number[] = [];
  for await (const { json } of readEvents(world.url, connection, 0)) sizes.push(json.length);
  return sizes;
}

/** Reads as `readSizes`, but leaves after each event. */
async function readLeaving(connection: string): Promise<number[]> {
  const sizes: number[] = [];
  for (let count = -1; count < sizes.length;) {
    count = sizes.length;
    for await (const { json } of readEvents(world.url, connection, count)) {
      sizes.push(json.length);
      break;
    }
  }
  return sizes;
}

async function readBytes(connection: string): Promise<number> {
  let bytes = 0;
  for await (const chunk of await openEvents(world.url, connection, 0)) bytes += chunk.byteLength;
  return bytes;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
