import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { arbitraryRequest, KNOWN_ID } from "../support/arbitrary-request.ts";
import {
  createContractCheck,
  ErrorBody,
  listRoutes,
  OpenApiDocument,
  type ContractCheck,
  type ContractRoute,
} from "../support/contract.ts";
import { LONG, SEED } from "../support/property-runs.ts";
import { RawClient, type RawRequest, type RawResponse } from "../support/raw-client.ts";
import { READ_TOKEN, startWorld, type World } from "../support/world.ts";

/** Requests that are sent at the same time. */
const BATCH_SIZE = 8;
const RUNS = LONG ? 1_250 : 40;

/** Codes of a 5xx that OpenAI or the engine causes, not the Worker. */
const ALLOWED_CODES = new Set(["may_have_started", "openai_unreachable", "handover_failed"]);

let world: World;
let client: RawClient;
let routes: ContractRoute[];
let checkContract: ContractCheck;
/** Responses that a permitted request has started or named. */
const permittedIds: string[] = [];

beforeAll(async () => {
  world = await startWorld(
    { queueSeconds: 0, runSeconds: 0 },
    {},
    { READ_TOKEN },
    { unlimited: true },
  );
  client = new RawClient(world.url);
  checkContract = createContractCheck(() => world.request("/openapi.json"));
  const document: unknown = await (await world.request("/openapi.json")).json();
  routes = listRoutes(OpenApiDocument.parse(document));
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  permittedIds.push(id);
});
afterAll(async () => {
  client.close();
  await world.close();
});

test(
  "no random request makes the Worker fail, hang, break the contract or write a record without permission, and none with READ_TOKEN changes anything",
  { timeout: 600_000 },
  async () => {
    const batch = fc.array(arbitraryRequest(routes), {
      minLength: BATCH_SIZE,
      maxLength: BATCH_SIZE,
    });
    await fc.assert(fc.asyncProperty(batch, expectSafeAnswers), {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    });
  },
);

async function expectSafeAnswers(batch: RawRequest[]): Promise<void> {
  const exchanges = await Promise.all(batch.map(send));
  for (const [request, response] of exchanges) {
    const details = JSON.stringify([request, response.status, response.body?.slice(0, 300)]);
    const faults = findFaults(request, response).map((fault) => `${fault}: ${details}`);
    expect(faults).toEqual([]);
    permitId(request, response);
    await expectContract(request, response);
  }
  expect(findUnpermittedWrites()).toEqual([]);
}

async function send(request: RawRequest): Promise<[RawRequest, RawResponse]> {
  const path = request.path.replaceAll(KNOWN_ID, permittedIds.at(-1) ?? "");
  return [{ ...request, path }, await client.send({ ...request, path })];
}

function findFaults(request: RawRequest, response: RawResponse): string[] {
  const { status, headers, body } = response;
  const policy = headers.get("content-security-policy") ?? "";
  const refusalFault = status >= 400 && body !== null ? findRefusalFault(request, response) : null;
  return [
    ...(headers.get("x-content-type-options") === "nosniff" ? [] : ["no nosniff"]),
    ...(/default-src 'none'|sandbox/.test(policy) ? [] : ["no content security policy"]),
    ...(refusalFault === null ? [] : [refusalFault]),
    ...(isReader(request) && isChange(request) && status < 400 ? ["a change by a reader"] : []),
  ];
}

function isReader({ headers }: RawRequest): boolean {
  return headers["authorization"]?.endsWith(READ_TOKEN) === true;
}

// A webhook has no token, and a log-out ends only the session.
function isChange({ method, path }: RawRequest): boolean {
  return !["GET", "HEAD"].includes(method) && !/webhook|logout/.test(decodePath(path));
}

async function expectContract(
  { method, path }: RawRequest,
  { status, headers, body }: RawResponse,
): Promise<void> {
  if (method === "HEAD" || body === null) return;
  const response = new Response(body, { status, headers });
  await checkContract(method, normalisePath(path), response).catch((error: unknown) => {
    throw new Error(`${method} ${path}: ${body.slice(0, 300)}`, { cause: error });
  });
}

function findRefusalFault(
  { path, headers: sent }: RawRequest,
  { status, headers, body }: RawResponse,
): string | null {
  if (headers.get("content-type")?.startsWith("text/html") === true) {
    const isForm = /form/.test(sent["content-type"] ?? "") || isLogin(path);
    if (!isForm && sent["accept"]?.includes("text/html") !== true) return "an unrequested page";
    const isAllowed = [...ALLOWED_CODES].some((code) => body?.includes(`>${code}<`) === true);
    return status < 500 || isAllowed ? null : `a failure (${findLoggedError()})`;
  }
  const parsed = ErrorBody.safeParse(JSON.parse(body ?? ""));
  if (!parsed.success) return parsed.error.message;
  const isAllowed = ALLOWED_CODES.has(parsed.data.error.code);
  return status < 500 || isAllowed ? null : `a failure (${findLoggedError()})`;
}

function findLoggedError(): string {
  const lines = world.worker.getLogs().map(({ message }) => message);
  return lines.findLast((line) => line.startsWith('{"event":"error"')) ?? "nothing in the log";
}

// The Worker sees no dot segments.
function normalisePath(path: string): string {
  return new URL(`http://x${path}`).pathname;
}

// The login is a page, however its path is encoded.
function isLogin(path: string): boolean {
  return decodePath(path) === "/login";
}

function decodePath(path: string): string {
  return normalisePath(path).replaceAll(/%([0-9a-f]{2})/gi, decodeHex);
}

function decodeHex(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** After a successful request for a response the Worker may write that response's keys. */
function permitId({ path }: RawRequest, { status, headers, body }: RawResponse): void {
  if (status < 200 || status >= 400) return;
  const idInPath = /\/results\/(resp_[\w-]+)/.exec(headers.get("location") ?? path)?.[1];
  const id = /^\{"id":"(resp_[\w-]+)"/.exec(body ?? "")?.[1] ?? idInPath;
  if (id !== undefined && !permittedIds.includes(id)) permittedIds.push(id);
}

function findUnpermittedWrites(): string[] {
  return world
    .kvOperations()
    .filter(({ operation }) => operation === "put" || operation === "delete")
    .map(({ key }) => key)
    .filter((key) => !permittedIds.some((id) => key.split(":").includes(id)));
}
