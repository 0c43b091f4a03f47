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

const Operation = z.object({ event: z.literal("kv"), operation: z.string(), key: z.string() });

type Cost = { calls: number; writes?: number; reads?: number; steps?: number; dollars?: number };

const UNITS = {
  calls: "requests to OpenAI",
  writes: "KV writes",
  reads: "KV reads, read once",
  steps: "Workflow steps",
  dollars: "Cloudflare, a million",
} as const;

const NAMES: (keyof Cost)[] = ["calls", "writes", "reads", "steps", "dollars"];

const AIMS: Partial<Record<keyof Cost, number>> = { writes: 3 };

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
    ...linesOf("without calls", plain),
    ...linesOf("with a call", called),
    ...linesOf("held", held),
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
  const calls = (await api.requests()).length;
  const holders = (await instancesOf(served, "holder")).filter((holder) => !before.has(holder));
  const stored = operations(served.child.text(), id);
  const writes = stored.filter((operation) => operation === "put").length;
  await recorder.verdict(id);
  const reads = operations(served.child.text(), id).length - stored.length;
  const taken = await Promise.all([
    instanceOf(served, "recorder", id),
    ...holders.map((holder) => instanceOf(served, "holder", holder)),
  ]);
  const steps = taken.reduce((sum, one) => sum + one.steps, 0);
  // The trigger, its reading, and the webhook where there is one; an instance is billed as a request.
  const requests = (holders.length > 0 ? 2 : 3) + taken.length;
  return { calls, writes, reads, steps, dollars: priceOf({ requests, writes, reads }) };
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
  assert.equal((await poll(client, printing(1, 5))).status, "completed");
  return { calls: (await api.requests()).length };
}

function priceOf(taken: { requests: number; writes: number; reads: number }): number {
  const { requests, writes, reads } = taken;
  return requests * PRICE.request + writes * PRICE.write + reads * PRICE.read;
}

/** What the Worker's log says of KV and this response. */
function operations(log: string, id: string): string[] {
  const lines = log.split("\n").filter((line) => line.startsWith('{"event":"kv"'));
  const done = lines.map((line) => Operation.parse(JSON.parse(line)));
  return done.filter(({ key }) => key.includes(id)).map(({ operation }) => operation);
}

function linesOf(what: string, taken: Partial<Record<Subject, Cost>>): Line[] {
  return NAMES.map((name) => {
    const found = Object.entries(taken).flatMap(([subject, cost]) =>
      cost[name] === undefined ? [] : [[subject, cost[name]] as const],
    );
    const most = AIMS[name];
    const met = (taken.recorder?.[name] ?? 0) <= (most ?? 0);
    const unit = name === "dollars" ? "$" : "";
    const line = { part: 4, what: `a response ${what}: ${UNITS[name]}`, unit };
    const values = Object.fromEntries(found);
    return { ...line, values, ...(most === undefined ? {} : { aim: { text: `${most}`, met } }) };
  });
}
