// Whatever OpenAI, or a gateway, answers: the Worker does not fail, does not hang, and what it says is valid.
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import {
  arbitraryAnswers,
  type UpstreamAnswer,
  type UpstreamAnswers,
} from "../support/arbitrary-answer.ts";
import { ErrorBody } from "../support/contract.ts";
import {
  startStandIn,
  type Answer,
  type StandIn,
  type StandInRequest,
} from "../support/openai-stand-in.ts";
import { LONG, SEED } from "../support/property-runs.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

/** Cases at the same time. */
const BATCH_SIZE = 8;
const RUNS = LONG ? 150 : 5;

/** Codes of a 5xx that OpenAI causes, not the Worker. */
const ALLOWED_CODES = new Set([
  "may_have_started",
  "openai_unreachable",
  "openai_unauthorized",
  "handover_failed",
]);
/** An answer later than this hangs. */
const MAX_ANSWER_MS = 40_000;
/** How long an observation is waited for. A run whose create brought nothing has none. */
const OBSERVATION_TRIES = 20;

const MODES = {
  trigger: { isStreamed: false },
  control: { isStreamed: false },
  held: { isStreamed: true },
  stream: { isStreamed: true },
  "v1 background": { isStreamed: true },
  "v1 foreground": { isStreamed: false },
  refetch: { isStreamed: false },
  webhook: { isStreamed: false },
} as const;
const ModeName = z.enum([
  "trigger",
  "control",
  "held",
  "stream",
  "v1 background",
  "v1 foreground",
  "refetch",
  "webhook",
]);
type ModeName = z.infer<typeof ModeName>;
type Case = { mode: ModeName; answers: UpstreamAnswers };

let standIn: StandIn;
let world: World;
let cases = 0;
const answersByCase = new Map<number, UpstreamAnswers>();
const counts = new Map<string, number>();

beforeAll(async () => {
  standIn = await startStandIn(answerRequest);
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "0", REFETCH_DELAYS: "0" };
  world = await startWorld({}, vars, {}, { unlimited: true });
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const answerRequest: Answer = (request, response) => {
  const n = Number(/(?:__|_)(\d+)(?:\/|$)/.exec(request.path)?.[1] ?? findCase(request));
  const answer = chooseAnswer(request, n) ?? { status: 404, type: "x", body: "" };
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "x-request-id": "req_1",
    ...(answer.status === 302 ? { location: "/elsewhere" } : {}),
  });
  response.end(answer.body.replaceAll("__N__", String(n)));
};

function findCase({ body }: StandInRequest): string {
  return /"case (\d+)"/.exec(body.toString())?.[1] ?? "";
}

function chooseAnswer(
  { method, path, query }: StandInRequest,
  n: number,
): UpstreamAnswer | undefined {
  const answers = answersByCase.get(n);
  if (answers === undefined) return undefined;
  if (path.endsWith("/cancel")) return answers.cancel;
  if (method === "POST") return answers.create;
  if (method === "DELETE") return answers.remove;
  if (path.includes("/conversations/")) return answers.items;
  if (path.endsWith("/content")) return answers.content;
  if (path.endsWith("/files")) return takeNext(answers.files, `files ${n}`);
  if (path.includes("/containers/")) return answers.container;
  if (query.get("stream") === "true") return answers.replay;
  return takeNext(answers.retrieve, `retrieve ${n}`);
}

function takeNext(answers: UpstreamAnswer[], name: string): UpstreamAnswer | undefined {
  const count = counts.get(name) ?? 0;
  counts.set(name, count + 1);
  return answers[Math.min(count, answers.length - 1)];
}

const arbitraryCase: fc.Arbitrary<Case> = fc
  .constantFrom(...ModeName.options)
  .chain((mode) => arbitraryAnswers(MODES[mode].isStreamed).map((answers) => ({ mode, answers })));

test(
  "no answer of OpenAI's makes the Worker fail, hang, break the contract, or keep what can't be read, listed, exported and deleted",
  { timeout: 3_600_000 },
  async () => {
    const batch = fc.array(arbitraryCase, { minLength: BATCH_SIZE, maxLength: BATCH_SIZE });
    await fc.assert(fc.asyncProperty(batch, expectUsable), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    });
  },
);

async function expectUsable(batch: Case[]): Promise<void> {
  world.worker.clearLogs();
  standIn.requests.length = 0;
  const ids = (await Promise.all(batch.map(startCase))).filter((id) => id !== null);
  await Promise.all(ids.map(readInAllWays));
  await expectListed();
  await Promise.all(ids.map((id) => ask(`/results/${id}/refetch`, { method: "POST" })));
  await Promise.all(ids.map((id) => waitForObservations(id, 2)));
  await Promise.all(ids.map(readInAllWays));
  await expectExported();
  await Promise.all(ids.map((id) => ask(`/results/${id}/cancel`, { method: "POST" })));
  await Promise.all(ids.map((id) => ask(`/v1/responses/${id}`)));
  await Promise.all(ids.map(expectDeleted));
  expect(findErrors()).toEqual([]);
}

/** Starts a case; returns its id, or null when nothing is recorded. */
async function startCase({ mode, answers }: Case): Promise<string | null> {
  const n = (cases += 1);
  answersByCase.set(n, answers);
  const id = `resp_${n}`;
  if (mode === "refetch") await ask(`/results/${id}/refetch`, { method: "POST" });
  else if (mode === "webhook") await sendWebhook(id);
  else {
    const started = await create(mode, `case ${n}`);
    if (started === null) return null;
    await waitForObservations(started, 1);
    return started;
  }
  await waitForObservations(id, 1);
  return id;
}

const Started = z.object({ id: z.string() });

async function create(mode: ModeName, input: string): Promise<string | null> {
  const isV1 = mode.startsWith("v1");
  const flags = {
    ...(mode === "held" ? { hold: true } : {}),
    ...(mode === "stream" ? { stream: true } : {}),
    ...(mode === "control" ? { control: true } : {}),
    ...(isV1 ? { background: mode === "v1 background" } : {}),
  };
  const body = JSON.stringify({ model: "m", input, ...flags });
  const { status, text } = await ask(isV1 ? "/v1/responses" : "/trigger", { method: "POST", body });
  if (mode === "v1 foreground" || status >= 300) return null;
  return Started.parse(JSON.parse(text)).id;
}

async function sendWebhook(id: string): Promise<void> {
  const body = JSON.stringify({ type: "response.completed", data: { id } });
  await ask("/webhook", { method: "POST", body, headers: signWebhook(body, WEBHOOK_SECRET) });
}

const Observed = z.object({
  observations: z.array(z.unknown()),
  calls: z.array(z.object({ id: z.string() })),
  files: z.array(z.object({ url: z.string().nullable() })),
});

async function waitForObservations(id: string, count: number): Promise<void> {
  let tries = 0;
  await waitFor(
    async () => ask(`/results/${id}`),
    ({ status, text }) => {
      tries += 1;
      if (status === 404 || tries >= OBSERVATION_TRIES) return true;
      return Observed.parse(JSON.parse(text)).observations.length >= count;
    },
  );
}

async function readInAllWays(id: string): Promise<void> {
  const path = `/results/${id}`;
  const { status, text } = await ask(path);
  await ask(path, { headers: { accept: "text/html" } });
  await ask(`${path}/outputs`);
  const response = await ask(`${path}/response`);
  if (response.status === 200) JSON.parse(response.text);
  if (status !== 200) return;
  const { calls, files } = Observed.parse(JSON.parse(text));
  for (const call of calls.slice(0, 2)) {
    await ask(`${path}/images/${encodeURIComponent(call.id.toWellFormed())}/1`);
  }
  for (const { url } of files) if (url !== null && url !== "") await ask(url);
}

async function expectListed(): Promise<void> {
  const { status, text } = await ask("/results?limit=100");
  expect(status).toBe(200);
  JSON.parse(text);
  expect((await ask("/results", { headers: { accept: "text/html" } })).status).toBe(200);
}

async function expectExported(): Promise<void> {
  const { text } = await ask("/results.ndjson");
  const lines = text.trim().split("\n");
  const values = lines.map((line): unknown => JSON.parse(line));
  expect(values.at(-1)).toEqual({ cursor: null });
}

async function expectDeleted(id: string): Promise<void> {
  const { status } = await ask(`/results/${id}`, { method: "DELETE" });
  // A response of another program that was not found leaves no record.
  expect([204, 404]).toContain(status);
  expect((await ask(`/results/${id}`)).status).toBe(404);
}

type Asked = { status: number; text: string };

/** Sends a request. Throws when the answer is a failure of the Worker's, comes late, or breaks the contract. */
async function ask(path: string, init: RequestInit = {}): Promise<Asked> {
  const name = `${init.method ?? "GET"} ${path}`;
  const signal = AbortSignal.timeout(MAX_ANSWER_MS);
  const answer = await world.request(path, { ...init, signal });
  const { status } = answer;
  const text = await answer.text();
  if (status >= 500 && !isAllowed(path, text)) {
    throw new Error(`${name}: ${status} ${text.slice(0, 300)} ${findErrors().join("\n")}`);
  }
  return { status, text };
}

// What is forwarded from OpenAI is not the Worker's.
function isAllowed(path: string, text: string): boolean {
  if (path.startsWith("/v1/") && !text.includes("The recorder failed")) return true;
  if (!text.startsWith("{")) return false;
  const parsed = ErrorBody.safeParse(JSON.parse(text));
  return parsed.success && ALLOWED_CODES.has(parsed.data.error.code);
}

function findErrors(): string[] {
  const lines = world.worker.getLogs().map(({ message }) => message);
  return lines.filter((line) =>
    /^\{"event":"(?:error|recorder|connection_store|connection_alarm|alarm)"/.test(line),
  );
}
