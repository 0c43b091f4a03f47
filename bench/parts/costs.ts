// (4) What one response takes: requests to OpenAI, KV, Workflow steps, and what Cloudflare asks for a million of them.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { z } from "zod";
import { deliver, printing } from "../api.ts";
import type { Bench, Line, Subject } from "../bench.ts";
import { instanceOf, instancesOf, keysOf } from "../explorer.ts";
import { poll } from "../rivals/poller/index.ts";
import { API_KEY } from "../servers.ts";

/** Dollars a million beyond what is included: docs/operations.md. CPU time and storage come on top. */
const PRICE = { request: 0.3, write: 5, read: 0.5 };

const Operation = z.object({ event: z.literal("kv"), operation: z.string() });

type Cost = { calls: number; writes?: number; reads?: number; steps?: number; dollars?: number };
/** What runs took until they were settled, on average. */
export type Taken = { calls: number; writes: number; steps: number };

const UNITS = {
  calls: "requests to OpenAI",
  writes: "KV writes",
  reads: "KV reads, read once",
  steps: "Workflow steps",
  dollars: "Cloudflare, a million",
} as const;

const NAMES: (keyof Cost)[] = ["calls", "writes", "reads", "steps", "dollars"];

type Aims = Partial<Record<keyof Cost, number>>;
const AIMS: Aims = { writes: 3 };

export async function costs(bench: Bench): Promise<Line[]> {
  const silent = { model: "gpt-5.2", input: "emulator: run 0.5 seconds" };
  const plain = { recorder: await ofRecorder(bench, silent) };
  const called = {
    recorder: await ofRecorder(bench, printing(1, 0.5)),
    guide: await ofGuide(bench),
    poller: await ofPoller(bench),
  };
  const held = { recorder: await ofRecorder(bench, { ...printing(1, 0.5), hold: true }) };
  await bench.api.set({ webhookUrl: null });
  return [
    ...linesOf("without calls", plain, { ...AIMS, calls: 2 }),
    ...linesOf("with a call", called, AIMS),
    ...linesOf("held", held, AIMS),
  ];
}

/** One run, from its trigger to one reading of its result. */
async function ofRecorder({ api, recorder }: Bench, request: object): Promise<Cost> {
  const { served } = recorder;
  await api.set({ webhookUrl: `${recorder.url}/webhook` });
  await api.forget();
  const before = new Set(await instancesOf(served, "holder"));
  const id = await recorder.trigger(request);
  await recorder.settled([id]);
  const holders = (await instancesOf(served, "holder")).filter((holder) => !before.has(holder));
  const { calls, writes, steps } = await takenBy({ api, recorder }, [id], holders);
  const stored = operations(served.child.output(), [id]);
  await recorder.verdict(id);
  const reads = operations(served.child.output(), [id]).length - stored.length;
  // The trigger, its reading, and the webhook where there is one; an instance is billed as a request.
  const requests = (holders.length > 0 ? 2 : 3) + 1 + holders.length;
  return { calls, writes, reads, steps, dollars: priceOf({ requests, writes, reads }) };
}

/**
 * What settled runs took, on average. Since `api.forget` nobody else may have asked the API.
 * @param ids The runs.
 * @param holders The instances that held them.
 */
export async function takenBy(
  { api, recorder }: Pick<Bench, "api" | "recorder">,
  ids: string[],
  holders: string[] = [],
): Promise<Taken> {
  const { served } = recorder;
  const calls = (await api.requests()).length;
  const stored = operations(served.child.output(), ids);
  const instances = await Promise.all([
    ...ids.map((id) => instanceOf(served, "recorder", id)),
    ...holders.map((holder) => instanceOf(served, "holder", holder)),
  ]);
  const steps = instances.reduce((sum, one) => sum + one.steps, 0);
  const writes = stored.filter((operation) => operation === "put").length;
  const many = ids.length;
  return { calls: calls / many, writes: writes / many, steps: steps / many };
}

async function ofGuide({ api, guide }: Bench): Promise<Cost> {
  await api.set({ webhookUrl: null });
  const id = await api.create(printing(1));
  await api.ended(id);
  await api.forget();
  await deliver(`${guide.url}/webhook`, id);
  const writes = (await keysOf(guide, "RESULTS")).filter((name) => name.includes(id)).length;
  // The run is created once, by its caller.
  const calls = (await api.requests()).length + 1;
  return { calls, writes, steps: 0, dollars: priceOf({ requests: 2, writes, reads: 1 }) };
}

async function ofPoller({ api }: Bench): Promise<Cost> {
  await api.set({ webhookUrl: null });
  await api.forget();
  const client = new OpenAI({ apiKey: API_KEY, baseURL: `${api.url}/v1`, webhookSecret: null });
  assert.equal((await poll(client, printing(1, 3))).status, "completed");
  return { calls: (await api.requests()).length };
}

function priceOf(taken: { requests: number; writes: number; reads: number }): number {
  const { requests, writes, reads } = taken;
  return requests * PRICE.request + writes * PRICE.write + reads * PRICE.read;
}

/** What the Worker's log says of KV and these responses. */
function operations(log: string, ids: string[]): string[] {
  const lines = log.split("\n").filter((line) => line.startsWith('{"event":"kv"'));
  const own = lines.filter((line) => ids.some((id) => line.includes(id)));
  return own.map((line) => Operation.parse(JSON.parse(line)).operation);
}

function linesOf(what: string, taken: Partial<Record<Subject, Cost>>, aims: Aims): Line[] {
  return NAMES.map((name) => {
    const found = Object.entries(taken).flatMap(([subject, cost]) =>
      cost[name] === undefined ? [] : [[subject, cost[name]] as const],
    );
    const unit = name === "dollars" ? "$" : "";
    const line = { part: 4, what: `a response ${what}: ${UNITS[name]}`, unit };
    return { ...line, values: Object.fromEntries(found), ...aimOf(name, taken.recorder, aims) };
  });
}

function aimOf(name: keyof Cost, cost: Cost | undefined, aims: Aims): Pick<Line, "aim"> {
  const most = aims[name];
  if (most === undefined) return {};
  return { aim: { text: `${most}`, met: (cost?.[name] ?? Number.NaN) <= most } };
}

/**
 * Lines that say whether a response costs the same whatever is stored, and however much it prints.
 * @param what The circumstances.
 */
export function growthOf(what: string, taken: Taken): Line[] {
  return (["calls", "writes", "steps"] as const).map((name) => ({
    part: 5,
    what: `${what}: ${UNITS[name]}, a response`,
    unit: "",
    values: { recorder: taken[name] },
    ...aimOf(name, taken, AIMS),
  }));
}
