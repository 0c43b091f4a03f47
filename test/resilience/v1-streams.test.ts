// Streams of background runs through /v1 when workerd is killed, and when they are large.
import { afterAll, beforeAll, expect, test } from "vitest";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import {
  readAllServedEvents,
  readServedEvents,
  type ServedEvent,
} from "../support/served-events.ts";
import { createV1Client, type V1Client } from "../integration/v1/v1-client.ts";

const LARGE_OUTPUT_BYTES = 20 * 1024 * 1024;

let world: ProcessWorld;
let v1: V1Client;
beforeAll(async () => {
  world = await startProcessWorld({
    queueSeconds: 0.1,
    runSeconds: 0.1,
    interpreters: 1,
    deltaCharacters: 8,
    streamOutputs: "present",
    onDisconnect: "complete",
  });
  v1 = createV1Client(world.url);
});
afterAll(() => world.close());

const SCRIPT = [
  { code: 'print("one")' },
  { text: "abcdefg ".repeat(300), pace: 0.02 },
  { code: 'print("two")' },
];

async function toBody(name: string, steps: object[]): Promise<Record<string, unknown>> {
  const metadata = { case: name };
  await world.emulator.addScriptFor(metadata, steps);
  const include = ["code_interpreter_call.outputs"];
  return { model: "gpt-5.2", input: "scripted", tools: CODE_INTERPRETER, metadata, include };
}

async function createStream(name: string, steps: object[]): Promise<Response> {
  return v1.postResponse({ ...(await toBody(name, steps)), background: true, stream: true });
}

function resume(id: string, after: number): Promise<Response> {
  return v1.request(`/responses/${id}?stream=true&starting_after=${after}`);
}

/** Reads until the connection breaks; resolves `isReading` when a text streams. */
function readUntilBreak(answer: Response): {
  isReading: Promise<null>;
  events: Promise<ServedEvent[]>;
} {
  const { promise: isReading, resolve } = Promise.withResolvers<null>();
  const read = async () => {
    const events: ServedEvent[] = [];
    try {
      for await (const event of readServedEvents(answer)) {
        events.push(event);
        if (event.type === "response.output_text.delta") resolve(null);
      }
    } catch {
      return events;
    }
    throw new Error("The stream has an end.");
  };
  return { isReading, events: read() };
}

const numbersOf = (events: ServedEvent[]) => events.map(({ sequence_number }) => sequence_number);
const idOf = ([first]: ServedEvent[]) => first?.response?.id ?? "";

test("after kill -9 of workerd each client gets the rest of its run's events once, in order, and the end", async () => {
  const held = readUntilBreak(await createStream("held", SCRIPT));
  const id = await world.trigger({ ...(await toBody("followed", SCRIPT)), stream: true });
  const followed = readUntilBreak(await resume(id, -1));
  await Promise.all([held.isReading, followed.isReading]);
  await world.kill();
  await world.restart();
  const followedRun = await resumeAfter(id, await followed.events);
  expect(followedRun.all).toEqual(followedRun.received);
  expect(followedRun.kept).toBeGreaterThan(10);
  const begun = await held.events;
  // OpenAI completes a held run, and its foreground stream is gone. What was served and not stored yet is lost.
  const heldRun = await resumeAfter(idOf(begun), begun);
  expect(heldRun.all.slice(0, heldRun.kept)).toEqual(begun.slice(0, heldRun.kept));
  expect(heldRun.kept).toBeGreaterThan(10);
  for (const { received, all } of [followedRun, heldRun]) {
    for (const events of [received, all]) {
      expect(numbersOf(events)).toEqual(events.map((_, index) => index));
      expect(events.at(-1)?.type).toBe("response.completed");
      expect(JSON.stringify(events.at(-1))).toContain("two");
    }
  }
}, 240_000);

/** Reads what a client lacks after its connection broke, and everything again; `kept` counts the events that it had and that are served again. */
async function resumeAfter(
  id: string,
  begun: ServedEvent[],
): Promise<{ received: ServedEvent[]; all: ServedEvent[]; kept: number }> {
  const rest = await readAllServedEvents(await resume(id, begun.at(-1)?.sequence_number ?? -1));
  const all = await readAllServedEvents(await resume(id, -1));
  return { received: [...begun, ...rest], all, kept: Math.min(begun.length, all.length - 1) };
}

test("a client that stops in the middle of 20 MiB holds up neither another client nor the run, and gets the rest later", async () => {
  const steps = [
    { code: `print("y" * ${LARGE_OUTPUT_BYTES - 1})` },
    { text: "abcdefg ".repeat(20), pace: 0.01 },
  ];
  const slow = readServedEvents(await createStream("large", steps));
  const begun: ServedEvent[] = [];
  for (let next = await slow.next(); next.done !== true; next = await slow.next()) {
    begun.push(next.value);
    if (begun.length === 3) break;
  }
  const all = await readAllServedEvents(await resume(idOf(begun), -1));
  const large = all.filter((event) => JSON.stringify(event).length > LARGE_OUTPUT_BYTES);
  expect(large.map(({ type }) => type)).toEqual([
    "response.output_item.done",
    "response.completed",
  ]);
  for (let next = await slow.next(); next.done !== true; next = await slow.next()) {
    begun.push(next.value);
  }
  expect(begun.length).toBe(all.length);
  expect(JSON.stringify(begun) === JSON.stringify(all)).toBe(true);
}, 240_000);

test("a stream in which nothing happens sends comments", async () => {
  const answer = await createStream("silent", [{ wait: 600 }]);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n\n: keep-alive\n\n")) break;
  }
  expect(text.match(/^event: .*$/gm)).toEqual([
    "event: response.created",
    "event: response.queued",
    "event: response.in_progress",
  ]);
});
