// Input that nobody sends by mistake: a clear 4xx in the contract's shape, nothing started, nothing written.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { Sender } from "../support/random-request.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { "content-type": "application/json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const LARGEST_TRIGGER = 25 * 1024 * 1024;
const LARGEST_WEBHOOK = 512 * 1024;
const LARGEST_LOGIN = 64 * 1024;

const Failure = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string().min(10),
    request_id: z.string().optional(),
    id: z.string().optional(),
  }),
});

let world: World;
let sender: Sender;
let id: string;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { REFETCH_DELAYS: "0" }, {}, { unlimited: true });
  sender = new Sender(world.url);
  id = await world.trigger();
  await world.settled(id);
});
afterAll(async () => {
  sender.close();
  await world.close();
});

let before: Done;
beforeEach(async () => {
  before = await done();
});

type Done = { asked: unknown; writes: number };

/** What OpenAI was asked, and how often something was written. */
async function done(): Promise<Done> {
  const writes = world
    .kv()
    .filter(({ operation }) => operation === "put" || operation === "delete");
  return { asked: await world.told("/requests"), writes: writes.length };
}

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

function post(path: string, body: Body, headers: Record<string, string>): Promise<Response> {
  const streamed = body instanceof ReadableStream ? { duplex: "half" as const } : {};
  const init = { method: "POST", body, headers: { ...AUTHORIZED, ...headers }, ...streamed };
  return fetch(`${world.url}${path}`, { redirect: "manual", ...init });
}

/** A refusal's status and code; it is in the contract's shape. */
async function refusalOf(answer: Response): Promise<[number, string]> {
  return [answer.status, Failure.parse(await answer.json()).error.code];
}

/** White space, of which nobody says beforehand how much there is. */
function streamOf(bytes: number): ReadableStream<Uint8Array> {
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

function spaces(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).fill(0x20);
}

const lists = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
const bytes = (...values: number[]) => new Uint8Array(values);

describe("a body that is too large", () => {
  const ROUTES: [string, number, Record<string, string>][] = [
    ["/trigger", LARGEST_TRIGGER, JSON_TYPE],
    ["/trigger", LARGEST_TRIGGER, FORM],
    ["/webhook", LARGEST_WEBHOOK, JSON_TYPE],
    ["/login", LARGEST_LOGIN, FORM],
  ];

  test.each(ROUTES)("%s takes no more than %i bytes, declared or not", async (path, most, type) => {
    for (const body of [spaces(most + 1), streamOf(most + 1)]) {
      const answer = await post(path, body, { origin: world.url, ...type });
      expect(await refusalOf(answer)).toEqual([413, "too_large"]);
    }
    expect(await done()).toEqual(before);
  });

  test("/v1/responses refuses it in OpenAI's shape", async () => {
    for (const body of [spaces(LARGEST_TRIGGER + 1), streamOf(LARGEST_TRIGGER + 1)]) {
      const answer = await post("/v1/responses", body, JSON_TYPE);
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    }
    expect(await done()).toEqual(before);
  });

  test("a route that takes no body reads none", async () => {
    for (const action of ["refetch", "cancel", "delete"]) {
      const answer = await post(`/results/nothing/${action}`, streamOf(30 * 1024 * 1024), {});
      expect(await refusalOf(answer)).toEqual([404, "not_found"]);
    }
    expect(await done()).toEqual(before);
  });
});

describe("a trigger", () => {
  const BODIES: [string, Body][] = [
    ["a list", "[]"],
    ["a text", '"x"'],
    ["a number", "1"],
    ["null", "null"],
    ["half an object", '{"input":'],
    ["two objects", "{}{}"],
    ["a comment", '{"input":"x"} // y'],
    ["no number", '{"input":NaN}'],
    ["a NUL", "\0"],
    ["invalid UTF-8", bytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ["overlong UTF-8", bytes(0x22, 0xc0, 0xaf, 0x22)],
    ["UTF-16", bytes(0x7b, 0, 0x7d, 0)],
    ["compressed data", bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)],
    ["100,000 lists in each other", lists(100_000)],
    ["100,000 lists that never end", "[".repeat(100_000)],
    ["an input of 100,000 lists", `{"input":${lists(100_000)}}`],
    ["an input of 100,000 objects", `{"input":${objects(100_000)}}`],
    ["metadata of 100,000 objects", `{"metadata":${objects(100_000)}}`],
    ["a control of 100,000 lists", `{"control":true,"input":${lists(100_000)}}`],
    ["__proto__", '{"__proto__":{"control":true,"input":"x"}}'],
    ["__proto__ beside an input", '{"input":"x","__proto__":{"hold":true}}'],
    ["__proto__ in its metadata", '{"metadata":{"__proto__":{"a":"b"}}}'],
    ["metadata that is a list", '{"metadata":[]}'],
    ["metadata of numbers", '{"metadata":{"a":1}}'],
    ["include that is a text", '{"include":"x"}'],
    ["control that is a text", '{"control":"yes"}'],
    ["hold that is a number", '{"hold":1}'],
    ["days beyond all numbers", '{"retention_days":1e999}'],
    ["days below zero", '{"retention_days":-1}'],
    ["the foreground", '{"background":false}'],
  ];

  test.each(BODIES)("with %s is a 400, and starts nothing", async (_, body) => {
    for (const headers of [
      JSON_TYPE,
      {},
      { ...JSON_TYPE, "idempotency-key": crypto.randomUUID() },
    ]) {
      const answer = await post("/trigger", body, headers);
      expect(await refusalOf(answer)).toEqual([400, "bad_request"]);
    }
    expect(await done()).toEqual(before);
  });

  const TYPES: [string, string][] = [
    ["application/x-www-form-urlencoded", '{"input":"x"}'],
    ["multipart/form-data", '{"input":"x"}'],
    ["multipart/form-data; boundary=x", '{"input":"x"}'],
    ["text/xml", "<input/>"],
    ["image/png", "\u0089PNG"],
  ];

  test.each(TYPES)("with a body that %s doesn't fit is a 400", async (type, body) => {
    const answer = await post("/trigger", body, { "content-type": type });
    expect(await refusalOf(answer)).toEqual([400, "bad_request"]);
    expect(await done()).toEqual(before);
  });

  test("by a form, with 100,000 objects in its advanced box, is a 400", async () => {
    const body = new URLSearchParams({ input: "x", advanced: objects(100_000) }).toString();
    const answer = await post("/trigger", body, FORM);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("levels deep");
    expect(await done()).toEqual(before);
  });

  test("of duplicate keys counts the last, for the recorder and for OpenAI", async () => {
    const body = '{"control":true,"input":"first","input":"second","control":false}';
    const { id: made } = z
      .object({ id: z.string() })
      .parse(await (await post("/trigger", body, JSON_TYPE)).json());
    const record = await world.settled(made);
    expect(record).toMatchObject({ control: null, request: { input: "second" } });
    expect(JSON.stringify(await world.told("/requests"))).not.toContain("first");
  });

  const HELD: [string, Body][] = [
    ["invalid UTF-8", Buffer.from('{"background":true,"input":"\xff"}', "latin1")],
    ["__proto__", '{"background":true,"input":"x","__proto__":{"store":false}}'],
    ["__proto__ in its metadata", '{"background":true,"metadata":{"__proto__":{"a":"b"}}}'],
  ];

  test.each(HELD)("below /v1, with %s, is a 400 in OpenAI's shape", async (_, body) => {
    const answer = await post("/v1/responses", body, JSON_TYPE);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(await done()).toEqual(before);
  });

  test("below /v1, nested 100,000 levels deep, is a 400 in OpenAI's shape", async () => {
    for (const input of [lists(100_000), objects(100_000)]) {
      const body = `{"background":true,"model":"gpt-5.2","input":${input}}`;
      const answer = await post("/v1/responses", body, JSON_TYPE);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    }
    expect(await done()).toEqual(before);
  });
});

describe("an id", () => {
  const IDS: [string, string][] = [
    ["a way up", "..%2f..%2fhealth"],
    ["a way up behind a beginning", "resp_..%2f..%2fhealth"],
    ["an encoded slash", "resp_a%2foutputs"],
    ["a backslash", "resp_a%5cb"],
    ["a NUL", "resp_a%00"],
    ["a line break", "resp_a%0d%0aset-cookie:%20a=b"],
    ["a colon, as KV's keys have", "resp_a:refetch"],
    ["a percent sign", "resp_%"],
    ["bytes that are no UTF-8", "resp_%ff"],
    ["other letters", "resp_%D0%B0"],
    ["10,000 characters", `resp_${"a".repeat(10_000)}`],
    ["one character too many", `resp_${"a".repeat(96)}`],
    ["nothing behind its beginning", "resp_"],
    ["another beginning", "cntr_a"],
    ["capitals", "RESP_a"],
    ["a name that objects have", "__proto__"],
  ];
  const PLACES: [string, string][] = [
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

  test.each(IDS)("with %s is nobody's, wherever it stands", async (_, wrong) => {
    const operations = world.kv().length;
    for (const [method, rest] of PLACES) {
      const path = `/results/${wrong}${rest}`;
      const { status, headers, body } = await sender.send({
        method,
        path,
        headers: AUTHORIZED,
        body: null,
      });
      expect([method, path.slice(0, 99), status]).toEqual([method, path.slice(0, 99), 404]);
      const { error } = Failure.parse(JSON.parse(body ?? ""));
      expect(error.code).toMatch(/^(not_found|unknown_route)$/);
      expect(error.message).toMatch(/^(This is not the id of a response|Not found)/);
      expect(headers.get("set-cookie")).toBeNull();
    }
    expect(world.kv()).toHaveLength(operations);
    expect(await done()).toEqual(before);
  });

  test.each(IDS)("with %s, as a file's or a call's, finds nothing", async (_, wrong) => {
    for (const rest of [`/files/${wrong}`, `/images/${wrong}/0`, `/images/ci_1/${wrong}`]) {
      const path = `/results/${id}${rest}`;
      const { status, body } = await sender.send({
        method: "GET",
        path,
        headers: AUTHORIZED,
        body: null,
      });
      expect([path.slice(0, 99), status]).toEqual([path.slice(0, 99), 404]);
      Failure.parse(JSON.parse(body ?? ""));
    }
    expect(await done()).toEqual(before);
  });
});
