import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { startEmulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/port.ts";
import { ResponseRecord } from "../../src/record/schema.ts";
import { startChild } from "../support/child.ts";
import { LONG } from "../support/property-runs.ts";
import {
  API_KEY,
  serveCommand,
  startWorld,
  TOKEN,
  WEBHOOK_SECRET,
  type World,
} from "../support/world.ts";

// It waits for gaps that double, on a machine that may be slow.
vi.setConfig({ testTimeout: 240_000 });

const MANY = LONG ? 60 : 12;
/** Seconds for which OpenAI refuses everything. */
const STORM = LONG ? 60 : 8;

const Requests = z.array(
  z.object({
    at: z.iso.datetime(),
    method: z.string(),
    path: z.string(),
    status: z.number().nullable(),
  }),
);
type Requests = z.infer<typeof Requests>;

let world: World | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

test("while OpenAI answers 429 to everything nothing is lost, nobody is hammered, and all is recorded after", async () => {
  const here = await begin();
  const refusal = { path: "^/v1/", times: -1, kind: "status", status: 429 };
  await here.fault({ method: "GET", ...refusal });
  const ids = await Promise.all(Array.from({ length: MANY }, () => here.trigger()));
  await here.fault(refusal);
  const refused = await here.ask("/trigger", { method: "POST", body: "{}" });
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
  await pause(STORM);
  const before = await lookedAtAgain(here, ids);
  await fetch(`${here.emulator.url}/_emulator/faults`, { method: "DELETE" });

  const records = await Promise.all(ids.map((id) => here.settled(id)));
  for (const record of records) expect(record).toMatchObject({ status: "completed", error: null });
  for (const id of ids) {
    const times = before.get(id) ?? [];
    expect(sinceFirst(times)).toBeGreaterThanOrEqual(shortest(times.length));
  }
});

test("a look that is refused with Retry-After is not repeated before its time", async () => {
  const here = await begin();
  const rule = { kind: "status", status: 429, headers: { "retry-after": "4" } };
  await here.fault({ method: "GET", path: "^/v1/responses/", times: 1, ...rule });
  const id = await here.trigger();
  expect(await here.settled(id)).toMatchObject({ status: "completed" });
  const [first = 0, second = 0] = looks(await requests(here)).get(id) ?? [];
  expect(second - first).toBeGreaterThanOrEqual(4_000);
});

test("a key that is revoked in mid-run stands in the records, and they recover when it is replaced", async () => {
  const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: `${url}/webhook`,
    runSeconds: 1,
  });
  const serve = (key: string) =>
    startChild(serveCommand(port, state, emulator.url, { OPENAI_API_KEY: key }));
  let worker = serve(API_KEY);
  try {
    await worker.says(/Ready on/);
    const started = await fetch(`${url}/trigger`, { method: "POST", headers });
    const { id } = z.object({ id: z.string() }).parse(await started.json());
    await change(emulator.url, { apiKey: "sk-the-new-key" });
    const refused = await seen(url, id, (record) => record.observations.length > 0);
    expect(refused).toMatchObject({ verdict: "pending", error: { code: "invalid_api_key" } });
    expect(refused.observations).toMatchObject([{ http_status: 401, status: null }]);
    const trigger = await fetch(`${url}/trigger`, { method: "POST", headers });
    expect(trigger.status).toBe(502);
    expect(await trigger.json()).toMatchObject({ error: { code: "openai_unauthorized" } });

    worker.crash();
    await worker.ended();
    worker = serve("sk-the-new-key");
    await worker.says(/Ready on/);
    await fetch(`${url}/results/${id}/refetch`, { method: "POST", headers });
    const record = await seen(url, id, ({ settled_at }) => settled_at !== null);
    expect(record).toMatchObject({ status: "completed", started_by: "trigger", error: null });
    expect(record.observations[0]).toMatchObject({ http_status: 401 });
  } finally {
    worker.crash();
    await worker.ended();
    await emulator.close();
    rmSync(state, { recursive: true, force: true });
  }
});

// Without webhooks only the plan says when to look.
async function begin(): Promise<World> {
  world = await startWorld({ webhookDrop: true }, { WEBHOOK_DEADLINE: "1" });
  return world;
}

async function requests(here: World): Promise<Requests> {
  return Requests.parse(await here.told("/requests"));
}

/** The looks at each response, once each was looked at twice. */
async function lookedAtAgain(here: World, ids: string[]): Promise<Map<string, number[]>> {
  for (;;) {
    const times = looks(await requests(here));
    if (ids.every((id) => (times.get(id)?.length ?? 0) > 1)) return times;
    await pause(0.5);
  }
}

/** The milliseconds at which each response was asked for. */
function looks(all: Requests): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { at, method, path } of all) {
    const id = /^\/v1\/responses\/(resp_\w+)$/.exec(path)?.[1];
    if (method !== "GET" || id === undefined) continue;
    times.set(id, [...(times.get(id) ?? []), Date.parse(at)]);
  }
  return times;
}

function sinceFirst(times: number[]): number {
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

/** The milliseconds that so many looks take at the least: their gaps double, 2 s, 4 s, 8 s, up to 5 minutes. */
function shortest(count: number): number {
  const gaps = Array.from({ length: count - 1 }, (_, index) => Math.min(2 ** (index + 1), 300));
  return gaps.reduce((sum, gap) => sum + gap, 0) * 1000;
}

async function change(emulator: string, settings: Record<string, unknown>): Promise<void> {
  const body = JSON.stringify(settings);
  await fetch(`${emulator}/_emulator/settings`, { method: "PATCH", body });
}

async function seen(
  url: string,
  id: string,
  enough: (record: ResponseRecord) => boolean,
): Promise<ResponseRecord> {
  for (;;) {
    const answer = await fetch(`${url}/results/${id}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const record = ResponseRecord.parse(await answer.json());
    if (enough(record)) return record;
    await pause(0.1);
  }
}

async function pause(seconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
