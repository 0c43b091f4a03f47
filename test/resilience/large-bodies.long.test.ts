import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { waitFor } from "../support/wait.ts";

// Workerd dies and starts again.
vi.setConfig({ testTimeout: 600_000 });

/** Megabytes of V8 heap. Cloudflare gives all objects of an isolate 128 MB together, with the bytes outside of the heap. */
const HEAP_MB = 64;
/** As JSON they have 12 MiB, and parsed they have more than the heap. */
const OBJECTS = 4 * 1024 * 1024;
const LARGE_BODY_ATTEMPTS = 3;

const LARGE_BODIES = 4;
/** Almost as many bytes as a body may have: 24 MiB. */
const OUTPUT_BYTES = 24 * 1024 * 1024 - 16_384;
/** What comes by a stream comes twice: with its item, and with the last event. */
const STREAMED_BYTES = 20 * 1024 * 1024;
const PADDING_BYTES = 10 * 1024 * 1024;

const Create = z.object({ input: z.array(z.object({ content: z.string() })) });
const Started = z.object({ id: z.string() });

let world: ProcessWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

async function startSmallWorld(vars: Record<string, string> = {}): Promise<ProcessWorld> {
  world = await startProcessWorld(
    {
      backgroundOutputs: "present",
      streamOutputs: "present",
      queueSeconds: 0.1,
      runSeconds: 0.1,
    },
    { vars, env: { MINIFLARE_WORKERD_V8_FLAGS: `--max-heap-size=${HEAP_MB}` } },
  );
  return world;
}

test("a body on which the Recorder dies of memory ends as too_large at the third attempt, and other runs are recorded", async () => {
  const small = await startSmallWorld({ WEBHOOK_DEADLINE: "3" });
  const tools = Array.from({ length: OBJECTS }, () => ({}));
  const rule = { method: "GET", path: "^/v1/responses/", metadata: { body: "large" }, times: -1 };
  await small.emulator.addFault({ ...rule, kind: "replace", patch: { tools } });
  const id = await trigger(small, { input: "hello", metadata: { body: "large" } });

  const record = await readOnceReadable(small, id);
  expect(record).toMatchObject({ verdict: "abandoned", error: { code: "too_large" } });
  expect(record.settled_at).not.toBeNull();
  expect(await countRefetches(small, id)).toBe(LARGE_BODY_ATTEMPTS);
  const other = await trigger(small, { input: "hello" });
  expect(await readOnceReadable(small, other)).toMatchObject({ status: "completed", error: null });
  expect(await countRefetches(small, id)).toBe(LARGE_BODY_ATTEMPTS);
});

test(`${LARGE_BODIES} bodies of 24 MiB at once are recorded whole, each at its first observation`, async () => {
  const small = await startSmallWorld();
  const input = toPythonInput(`print("y" * ${OUTPUT_BYTES - 1})`);
  const start = () => trigger(small, { input, tools: CODE_INTERPRETER });
  const ids = await Promise.all(Array.from({ length: LARGE_BODIES }, start));

  for (const id of ids) {
    await readOnceReadable(small, id);
    const answer = await small.request(`/results/${id}/outputs`);
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect((await answer.bytes()).byteLength).toBe(OUTPUT_BYTES);
    expect(await countRefetches(small, id)).toBe(1);
  }
  expect(small.output()).not.toContain("out of memory");
});

test.each([
  [{ hold: true }, "held"],
  [{ stream: true }, "stream"],
])(
  "20 MiB that a Connection reads are recorded whole, and a request of 20 MiB passes through it: %o",
  async (kind, source) => {
    const small = await startSmallWorld();
    await small.emulator.configure({ backgroundOutputs: "empty" });
    // A text of the input has at most 10 MiB.
    const padding = { role: "user", content: "x".repeat(PADDING_BYTES) };
    const code = toPythonInput(`print("y" * ${STREAMED_BYTES - 1})`);
    const input = [padding, padding, { role: "user", content: code }];
    const id = await trigger(small, { ...kind, input, tools: CODE_INTERPRETER });
    // Only the stream has the outputs.
    const record = await waitFor(
      () => readOnceReadable(small, id),
      ({ observations }) => observations.some(({ channel }) => channel === source),
    );
    expect(record).toMatchObject({ status: "completed", error: null, calls: [{ source }] });
    const answer = await small.request(`/results/${id}/outputs`);
    expect((await answer.bytes()).byteLength).toBe(STREAMED_BYTES);
    const creates = (await small.emulator.listRequests()).filter(({ method }) => method === "POST");
    expect(creates).toHaveLength(1);
    const sent = Create.parse(creates[0]?.body).input.map(({ content }) => content.length);
    expect(sent).toEqual([PADDING_BYTES, PADDING_BYTES, code.length]);
    expect(small.output()).not.toContain("out of memory");
  },
);

async function trigger(target: ProcessWorld, body: Record<string, unknown>): Promise<string> {
  const answer = await target.request("/trigger", { method: "POST", body: JSON.stringify(body) });
  return Started.parse(await answer.json()).id;
}

/** Reads a record once its end was seen or given up. Workerd may die while it answers. */
async function readOnceReadable(target: ProcessWorld, id: string): Promise<ResponseRecord> {
  const read = async () => {
    const answer = await target.request(`/results/${id}?wait=5`).catch(() => null);
    return answer?.ok === true ? ResponseRecord.parse(await answer.json()) : null;
  };
  const record = await waitFor(read, (found) => found !== null && found.verdict !== "pending");
  if (record === null) throw new Error(`${id} was not read.`);
  return record;
}

async function countRefetches({ emulator }: ProcessWorld, id: string): Promise<number> {
  const requests = await emulator.listRequests();
  return requests.filter(({ path }) => path === `/v1/responses/${id}`).length;
}
