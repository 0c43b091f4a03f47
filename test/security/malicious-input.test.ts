// Malicious input gets a 4xx in the contract's shape; nothing is started and nothing is written.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { ErrorBody } from "../support/contract.ts";
import { RawClient } from "../support/raw-client.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { "content-type": "application/json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const MAX_TRIGGER_BYTES = 25 * 1024 * 1024;
const MAX_WEBHOOK_BYTES = 512 * 1024;
const MAX_LOGIN_BYTES = 64 * 1024;

let world: World;
let client: RawClient;
let id: string;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" }, {}, { unlimited: true });
  client = new RawClient(world.url);
  id = await world.trigger();
  await world.waitUntilSettled(id);
});
afterAll(async () => {
  client.close();
  await world.close();
});

let before: Effects;
beforeEach(async () => {
  before = await readEffects();
});

type Effects = { requests: unknown; writes: number };

/** Returns the requests to OpenAI, and the number of writes to KV. */
async function readEffects(): Promise<Effects> {
  const writes = world
    .kvOperations()
    .filter(({ operation }) => operation === "put" || operation === "delete");
  return { requests: await world.emulator.listRequestsButFiles(), writes: writes.length };
}

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

function post(path: string, body: Body, headers: Record<string, string>): Promise<Response> {
  const streamed = body instanceof ReadableStream ? { duplex: "half" as const } : {};
  const init = { method: "POST", body, headers: { ...AUTHORIZED, ...headers }, ...streamed };
  return fetch(`${world.url}${path}`, { redirect: "manual", ...init });
}

/** Returns the status and the code of an answer in the contract's error shape. */
async function readRefusal(answer: Response): Promise<[number, string]> {
  return [answer.status, ErrorBody.parse(await answer.json()).error.code];
}

/** Returns a stream of white space, whose length is not declared. */
function streamSpaces(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      const chunk = new Uint8Array(Math.min(left, 1 << 16)).fill(0x20);
      left -= chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
}

function createSpaces(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).fill(0x20);
}

const nestLists = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const nestObjects = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const toBytes = (...values: number[]) => new Uint8Array(values);

const ROUTES: [string, number, Record<string, string>][] = [
  ["/trigger", MAX_TRIGGER_BYTES, JSON_TYPE],
  ["/trigger", MAX_TRIGGER_BYTES, FORM],
  ["/webhook", MAX_WEBHOOK_BYTES, JSON_TYPE],
  ["/login", MAX_LOGIN_BYTES, FORM],
];

test.each(ROUTES)(
  "POST %s answers 413 to more than %i bytes, declared or not",
  async (path, maxBytes, type) => {
    for (const body of [createSpaces(maxBytes + 1), streamSpaces(maxBytes + 1)]) {
      const answer = await post(path, body, { origin: world.url, ...type });
      expect(await readRefusal(answer)).toEqual([413, "too_large"]);
    }
    expect(await readEffects()).toEqual(before);
  },
);

test("POST /results/:id/refetch, /cancel and /delete do not read a body", async () => {
  for (const action of ["refetch", "cancel", "delete"]) {
    const answer = await post(`/results/no:thing/${action}`, streamSpaces(30 * 1024 * 1024), {});
    expect(await readRefusal(answer)).toEqual([404, "not_found"]);
  }
  expect(await readEffects()).toEqual(before);
});

const TRIGGER_BODIES: [string, Body][] = [
  ["a list", "[]"],
  ["a string", '"x"'],
  ["a number", "1"],
  ["null", "null"],
  ["half an object", '{"input":'],
  ["two objects", "{}{}"],
  ["a comment", '{"input":"x"} // y'],
  ["NaN", '{"input":NaN}'],
  ["a NUL", "\0"],
  ["invalid UTF-8", toBytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ["overlong UTF-8", toBytes(0x22, 0xc0, 0xaf, 0x22)],
  ["UTF-16", toBytes(0x7b, 0, 0x7d, 0)],
  ["compressed data", toBytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)],
  ["100,000 nested lists", nestLists(100_000)],
  ["100,000 lists that are never closed", "[".repeat(100_000)],
  ["an input of 100,000 nested lists", `{"input":${nestLists(100_000)}}`],
  ["an input of 100,000 nested objects", `{"input":${nestObjects(100_000)}}`],
  ["metadata of 100,000 nested objects", `{"metadata":${nestObjects(100_000)}}`],
  ["a control with 100,000 nested lists", `{"control":true,"input":${nestLists(100_000)}}`],
  ["__proto__", '{"__proto__":{"control":true,"input":"x"}}'],
  ["__proto__ and an input", '{"input":"x","__proto__":{"hold":true}}'],
  ["__proto__ in its metadata", '{"metadata":{"__proto__":{"a":"b"}}}'],
  ["metadata that is a list", '{"metadata":[]}'],
  ["metadata of numbers", '{"metadata":{"a":1}}'],
  ["include that is a string", '{"include":"x"}'],
  ["control that is a string", '{"control":"yes"}'],
  ["hold that is a number", '{"hold":1}'],
  ["infinite retention_days", '{"retention_days":1e999}'],
  ["negative retention_days", '{"retention_days":-1}'],
  ["background: false", '{"background":false}'],
];

test.each(TRIGGER_BODIES)(
  "POST /trigger answers 400 to %s, and starts nothing",
  async (_, body) => {
    for (const headers of [
      JSON_TYPE,
      {},
      { ...JSON_TYPE, "idempotency-key": crypto.randomUUID() },
    ]) {
      const answer = await post("/trigger", body, headers);
      expect(await readRefusal(answer)).toEqual([400, "bad_request"]);
    }
    expect(await readEffects()).toEqual(before);
  },
);

const MISMATCHED_TYPES: [string, string][] = [
  ["application/x-www-form-urlencoded", '[{"input":"x"}]'],
  ["application/x-www-form-urlencoded", '"input=x"'],
  ["application/x-www-form-urlencoded", '{"input":'],
  ["multipart/form-data", "input=x"],
  ["multipart/form-data; boundary=x", "input=x"],
  ["text/xml", "<input/>"],
  ["image/png", "\u0089PNG"],
];

test.each(MISMATCHED_TYPES)(
  "POST /trigger answers 400 to a body that does not match %s",
  async (type, body) => {
    const answer = await post("/trigger", body, { "content-type": type });
    expect(await readRefusal(answer)).toEqual([400, "bad_request"]);
    expect(await readEffects()).toEqual(before);
  },
);

test("POST /trigger by a form answers 400 to 100,000 nested objects in the advanced field", async () => {
  const body = new URLSearchParams({ input: "x", advanced: nestObjects(100_000) }).toString();
  const answer = await post("/trigger", body, FORM);
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("levels deep");
  expect(await readEffects()).toEqual(before);
});

test("POST /trigger uses the last of duplicate keys, and so does the request to OpenAI", async () => {
  const body = '{"control":true,"input":"first","input":"second","control":false}';
  const answer = await post("/trigger", body, JSON_TYPE);
  const { id: started } = z.object({ id: z.string() }).parse(await answer.json());
  const record = await world.waitUntilSettled(started);
  expect(record).toMatchObject({ control: null, request: { input: "second" } });
  expect(JSON.stringify(await world.emulator.listRequests())).not.toContain("first");
});

const V1_BODIES: [string, Body][] = [
  ["invalid UTF-8", Buffer.from('{"background":true,"input":"\xff"}', "latin1")],
  ["__proto__", '{"background":true,"input":"x","__proto__":{"store":false}}'],
  ["__proto__ in its metadata", '{"background":true,"metadata":{"__proto__":{"a":"b"}}}'],
];

test.each(V1_BODIES)(
  "POST /v1/responses answers 400 to %s, in OpenAI's error shape",
  async (_, body) => {
    const answer = await post("/v1/responses", body, JSON_TYPE);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(await readEffects()).toEqual(before);
  },
);

test("POST /v1/responses answers 400 to input nested 100,000 levels deep, in OpenAI's error shape", async () => {
  for (const input of [nestLists(100_000), nestObjects(100_000)]) {
    const body = `{"background":true,"model":"gpt-5.2","input":${input}}`;
    const answer = await post("/v1/responses", body, JSON_TYPE);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  }
  expect(await readEffects()).toEqual(before);
});

const IDS: [string, string][] = [
  ["a path traversal", "..%2f..%2fhealth"],
  ["a path traversal after its prefix", "resp_..%2f..%2fhealth"],
  ["an encoded slash", "resp_a%2foutputs"],
  ["a backslash", "resp_a%5cb"],
  ["a NUL", "resp_a%00"],
  ["a line break", "resp_a%0d%0aset-cookie:%20a=b"],
  ["a colon, as in keys of KV", "resp_a:refetch"],
  ["a percent sign", "resp_%"],
  ["bytes that are not UTF-8", "resp_%ff"],
  ["a Cyrillic letter", "resp_%D0%B0"],
  ["10,000 characters", `resp_${"a".repeat(10_000)}`],
  ["301 characters", "a".repeat(301)],
];
const ROUTES_OF_A_RECORD: [string, string][] = [
  ["GET", ""],
  ["GET", "/outputs"],
  ["GET", "/response"],
  ["GET", "/events"],
  ["GET", "/files/cfile_1"],
  ["GET", "/images/ci_1/0"],
  ["POST", "/refetch"],
  ["POST", "/cancel"],
  ["POST", "/delete"],
  ["DELETE", ""],
];

test.each(IDS)("every route of /results/:id answers 404 to an id with %s", async (_, wrong) => {
  const operations = world.kvOperations().length;
  for (const [method, rest] of ROUTES_OF_A_RECORD) {
    const path = `/results/${wrong}${rest}`;
    const { status, headers, body } = await client.send({
      method,
      path,
      headers: AUTHORIZED,
      body: null,
    });
    expect([method, path.slice(0, 99), status]).toEqual([method, path.slice(0, 99), 404]);
    const { error } = ErrorBody.parse(JSON.parse(body ?? ""));
    expect(error.code).toMatch(/^(not_found|unknown_route)$/);
    expect(error.message).toMatch(/^(This is not the id of a response|Not found)/);
    expect(headers.get("set-cookie")).toBeNull();
  }
  expect(world.kvOperations()).toHaveLength(operations);
  expect(await readEffects()).toEqual(before);
});

test.each(IDS)(
  "GET /results/:id/files/:file_id and /images/:call_id/:n answer 404 to an id with %s",
  async (_, wrong) => {
    for (const rest of [`/files/${wrong}`, `/images/${wrong}/0`, `/images/ci_1/${wrong}`]) {
      const path = `/results/${id}${rest}`;
      const { status, body } = await client.send({
        method: "GET",
        path,
        headers: AUTHORIZED,
        body: null,
      });
      expect([path.slice(0, 99), status]).toEqual([path.slice(0, 99), 404]);
      ErrorBody.parse(JSON.parse(body ?? ""));
    }
    expect(await readEffects()).toEqual(before);
  },
);
