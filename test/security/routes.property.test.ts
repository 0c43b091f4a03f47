import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { contractOf, type Contract } from "../support/contract.ts";
import { startWorld, type World } from "../support/world.ts";
import { requests, Sender, type Answered, type Asked } from "../support/random-request.ts";
import { LONG, SEED } from "../support/property-runs.ts";

/** Requests that are under way at the same time. */
const AT_ONCE = 8;
const RUNS = LONG ? 1_250 : 40;

/** What may go wrong on the other side of the Worker, by its code. */
const ELSEWHERE = new Set(["may_have_started", "openai_unreachable", "handover_failed"]);

const Paths = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
const Failure = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string().min(1),
    request_id: z.string().optional(),
    id: z.string().optional(),
  }),
});

let world: World;
let sender: Sender;
let routes: [string, string][];
let fits: Contract;
/** Responses that somebody who may has started or asked about. */
const ids: string[] = [];

beforeAll(async () => {
  world = await startWorld({ queueSeconds: 0, runSeconds: 0 }, {}, {}, { unlimited: true });
  sender = new Sender(world.url);
  fits = contractOf(() => world.ask("/openapi.json"));
  const { paths } = Paths.parse(await (await world.ask("/openapi.json")).json());
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [method, path]),
  );
  ids.push(await world.trigger());
  await world.settled(ids[0] ?? "");
});
afterAll(async () => {
  sender.close();
  await world.close();
});

test(
  "no request, however odd, makes it fail, hang, answer in another shape, or write what nobody may",
  { timeout: 600_000 },
  async () => {
    const batch = fc.array(requests(routes), { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(fc.asyncProperty(batch, stands), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    });
  },
);

async function stands(batch: Asked[]): Promise<void> {
  const answers = await Promise.all(batch.map(ask));
  for (const [asked, answer] of answers) {
    const said = JSON.stringify([asked, answer.status, answer.body?.slice(0, 300)]);
    expect(wrongs(asked, answer).map((wrong) => `${wrong}: ${said}`)).toEqual([]);
    remember(asked, answer);
    await fitsContract(asked, answer);
  }
  expect(strays()).toEqual([]);
}

async function ask(asked: Asked): Promise<[Asked, Answered]> {
  const one = { ...asked, path: asked.path.replaceAll("{known}", ids.at(-1) ?? "") };
  return [one, await sender.send(one)];
}

function wrongs(asked: Asked, answer: Answered): string[] {
  const { status, headers, body } = answer;
  const policy = headers.get("content-security-policy") ?? "";
  const problem = status >= 400 && body !== null ? problemOf(asked, answer) : null;
  return [
    ...(headers.get("x-content-type-options") === "nosniff" ? [] : ["it may be sniffed"]),
    ...(/default-src 'none'|sandbox/.test(policy) ? [] : ["it has no policy"]),
    ...(problem === null ? [] : [problem]),
  ];
}

async function fitsContract(
  { method, path }: Asked,
  { status, headers, body }: Answered,
): Promise<void> {
  if (method === "HEAD" || body === null) return;
  const answer = new Response(body, { status, headers });
  await fits(method, pathOf(path), answer).catch((error: unknown) => {
    throw new Error(`${method} ${path}: ${body.slice(0, 300)}`, { cause: error });
  });
}

/** What is wrong with a refusal, or null. */
function problemOf(
  { path, headers: given }: Asked,
  { status, headers, body }: Answered,
): string | null {
  if (headers.get("content-type")?.startsWith("text/html") === true) {
    const byForm = /form/.test(given["content-type"] ?? "") || isLogin(path);
    const wanted = given["accept"]?.includes("text/html") === true || byForm;
    if (!wanted) return "a page that nobody asked for";
    const told = [...ELSEWHERE].some((code) => body?.includes(`>${code}<`) === true);
    return status < 500 || told ? null : `it failed (${lastError()})`;
  }
  const failure = Failure.safeParse(JSON.parse(body ?? ""));
  if (!failure.success) return failure.error.message;
  return status < 500 || ELSEWHERE.has(failure.data.error.code)
    ? null
    : `it failed (${lastError()})`;
}

function lastError(): string {
  const lines = world.worker.getLogs().map(({ message }) => message);
  return lines.findLast((line) => line.startsWith('{"event":"error"')) ?? "no error in its log";
}

// As the Worker sees it: without dots.
function pathOf(path: string): string {
  return new URL(`http://x${path}`).pathname;
}

// The login is a page, however its path is written.
function isLogin(path: string): boolean {
  return pathOf(path).replaceAll(/%([0-9a-f]{2})/gi, letter) === "/login";
}

function letter(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

// Who may start, look at, cancel and delete may write.
function remember({ path }: Asked, { status, headers, body }: Answered): void {
  if (status < 200 || status >= 400) return;
  const place = /\/results\/(resp_[\w-]+)/.exec(headers.get("location") ?? path)?.[1];
  const id = /^\{"id":"(resp_[\w-]+)"/.exec(body ?? "")?.[1] ?? place;
  if (id !== undefined && !ids.includes(id)) ids.push(id);
}

/** KV keys that were written and belong to none of those responses. */
function strays(): string[] {
  return world
    .kv()
    .filter(({ operation }) => operation === "put" || operation === "delete")
    .map(({ key }) => key)
    .filter((key) => !ids.some((id) => key.split(":").includes(id)));
}
