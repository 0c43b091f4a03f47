import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { API_KEY, startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.5 });
});
afterAll(() => world.close());

const Requests = z.array(
  z.looseObject({ method: z.string(), path: z.string(), body: z.unknown().optional() }),
);
const TOOLS = [{ type: "code_interpreter", container: { type: "auto" } }];
const Line = z.object({ holder: z.string() });

/** As much of the Worker's environment as it takes to ask a Holder. */
type Event = { stepName: string; config: unknown };
type Bindings = {
  RECORDS: { get(key: string): Promise<string | null> };
  HOLDER: {
    get(id: string): Promise<{
      subscribe(options: { filter: string[] }): Promise<{ next(): Promise<{ value?: Event }> }>;
    }>;
  };
};
const EXAMPLE = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

async function requests(): Promise<z.infer<typeof Requests>> {
  return Requests.parse(await world.told("/requests"));
}

test("a held run has its outputs where a background run has none", async () => {
  const held = await world.settled(await world.trigger({ hold: true }));
  expect(held).toMatchObject({
    status: "completed",
    verdict: "captured",
    background: false,
    held: { broke_at: null },
    calls: [{ outputs: EXAMPLE, source: "held", verdict: "captured" }],
    observations: [{ channel: "held", http_status: 200, status: "completed" }],
    webhook: null,
  });
  const background = await world.settled(await world.trigger());
  expect(background).toMatchObject({ verdict: "suspect", held: null, calls: [{ outputs: [] }] });
});

test("a held run asks OpenAI once, in the foreground, and never looks", async () => {
  const before = (await requests()).length;
  const id = await world.trigger({ hold: true });
  await world.settled(id);
  const asked = (await requests())
    .slice(before)
    .filter(({ path }) => path.startsWith("/v1/responses"));
  expect(asked).toMatchObject([
    {
      method: "POST",
      path: "/v1/responses",
      body: { background: false, stream: true, store: true },
    },
  ]);
});

test("the response of a held run is OpenAI's, byte for byte", async () => {
  const id = await world.trigger({ hold: true, input: "```python\nprint('naïve – 数据')\n```" });
  await world.settled(id);
  const stored: unknown = await (await world.ask(`/results/${id}/response`)).json();
  const url = `${world.emulator.url}/v1/responses/${id}?include[]=code_interpreter_call.outputs`;
  const headers = { authorization: `Bearer ${API_KEY}` };
  expect(stored).toEqual(await (await fetch(url, { headers })).json());
});

test("20 MiB of outputs come through whole", async () => {
  const times = Math.floor((20 * 1024 * 1024) / 3);
  const input = `\`\`\`python\nprint('xé' * ${times}, end='')\n\`\`\``;
  const id = await world.trigger({ hold: true, input, tools: TOOLS });
  expect(await world.settled(id)).toMatchObject({ verdict: "captured", error: null });
  const printed = await (await world.ask(`/results/${id}/outputs`)).text();
  expect(printed === "xé".repeat(times)).toBe(true);
});

test("a response too large to be stored keeps its calls and says so", async () => {
  const input = "```python\nprint('y' * (25 * 1024 * 1024))\n```";
  const record = await world.settled(await world.trigger({ hold: true, input, tools: TOOLS }));
  expect(record).toMatchObject({
    verdict: "captured",
    error: { code: "too_large" },
    response: null,
    held: { broke_at: null },
    observations: [{ channel: "held", calls: [{ outputs: "populated" }] }],
  });
});

test("a held run that is deleted in flight is forgotten, and its Holder with it", async () => {
  const id = await world.trigger({ hold: true, input: "emulator: run 60 seconds" });
  expect((await world.ask(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.ask(`/results/${id}`)).status).toBe(404);
});

test("a held run that fails, or is incomplete, is recorded as that", async () => {
  const failed = await world.trigger({ hold: true, input: "emulator: fail with server_error" });
  expect(await world.settled(failed)).toMatchObject({
    status: "failed",
    verdict: "no_calls",
    error: { code: "server_error" },
    held: { broke_at: null },
  });
  const incomplete = await world.trigger({ hold: true, input: "emulator: incomplete" });
  expect(await world.settled(incomplete)).toMatchObject({
    status: "incomplete",
    held: { broke_at: null },
  });
});

test("a held run that somebody looks at meanwhile goes on", async () => {
  const id = await world.trigger({ hold: true, input: "emulator: run 2 seconds", tools: TOOLS });
  expect((await world.ask(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  const record = await world.settled(id);
  expect(record.observations.map(({ channel, status }) => ({ channel, status }))).toEqual([
    { channel: "refetch", status: "in_progress" },
    { channel: "held", status: "completed" },
  ]);
  expect(record).toMatchObject({ verdict: "captured", held: { broke_at: null } });
});

test("a connection may be held for 24 hours, and is tried once", async () => {
  const id = await world.trigger({ hold: true });
  await world.settled(id);
  const env = await world.worker.getWorker<Bindings>().getEnv();
  const stored = (await env.RECORDS.get(`record:${id}`)) ?? "";
  const { holder } = Line.parse(JSON.parse(stored.split("\n", 1)[0] ?? ""));
  const instance = await env.HOLDER.get(holder);
  const events = await instance.subscribe({ filter: ["step_started"] });
  for (;;) {
    const { value } = await events.next();
    if (value?.stepName.startsWith("hold") !== true) continue;
    expect(value.config).toMatchObject({ timeout: "24 hours", retries: { limit: 0 } });
    return;
  }
});
