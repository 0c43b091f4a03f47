// The bodies of requests, from the caller's bytes to OpenAI's.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { matching } from "../support/matchers.ts";
import {
  beginEvents,
  sendEvents,
  sendJson,
  startStandIn,
  toEvents,
  toResponse,
  type StandIn,
  type StandInRequest,
} from "../support/openai-stand-in.ts";
import { startWorld, type World } from "../support/world.ts";

const MIB = 1024 * 1024;
const MAX_BODY_BYTES = 25 * MIB;

let standIn: StandIn;
let world: World;
let runs = 0;
beforeAll(async () => {
  standIn = await startStandIn(answer);
  world = await startWorld({}, { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "1" });
});
beforeEach(() => void (standIn.requests.length = 0));
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const Params = z.record(z.string(), z.unknown());

function answer({ method, path, body }: StandInRequest, response: ServerResponse): void {
  const id = /resp_\d+$/.exec(path)?.[0];
  if (method === "GET" && id !== undefined) {
    return sendJson(response, toResponse({ id, background: true }));
  }
  if (method !== "POST") return sendJson(response, { error: { message: "not found" } }, 404);
  const params = Params.safeParse(parseJson(body)).data ?? {};
  runs += 1;
  const run = { id: `resp_${runs}`, background: params["background"] === true };
  if (params["stream"] !== true) {
    return sendJson(response, toResponse(run, run.background ? "queued" : "completed"));
  }
  beginEvents(response);
  sendEvents(
    response,
    toEvents(run).map((event, n) => ({ ...event, sequence_number: n })),
  );
  response.end();
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

/** A run of /v1 is held unless a request says otherwise. */
function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  hold = "on",
): Promise<Response> {
  const headers = { "content-type": "application/json", "x-recorder-hold": hold };
  return world.request(path, { method: "POST", body, headers });
}

/** The bodies of the creates that reached OpenAI. */
function listCreates(): Buffer[] {
  return standIn.requests.filter(({ method }) => method === "POST").map(({ body }) => body);
}

/** The only create, parsed. */
function readCreate(): Record<string, unknown> {
  const [body, ...others] = listCreates();
  expect(others).toEqual([]);
  return Params.parse(JSON.parse(String(body)));
}

/** JSON values as no serializer would write them again: numbers, escapes, white space and the order of members stay as they are. */
const ODD_MEMBERS =
  '"temperature" : 1.0 , "top_p":1e-1,"seed":12345678901234567890, "user":"\\u0061\\/\\ud83d\\ude00 naïve – 数据",\n\t"text": { "b" : [ ] , "a":-0 }';

const ROUTES = [
  { name: "POST /trigger", path: "/trigger", flags: "", background: true, stream: undefined },
  {
    name: "POST /trigger with hold",
    path: "/trigger",
    flags: '"hold":true,',
    background: false,
    stream: true,
  },
  {
    name: "POST /trigger with stream",
    path: "/trigger",
    flags: '"stream":true,',
    background: true,
    stream: true,
  },
  {
    name: "POST /v1/responses",
    path: "/v1/responses",
    flags: '"background":true,',
    background: false,
    stream: true,
  },
  {
    name: "POST /v1/responses in the background",
    path: "/v1/responses",
    hold: "off",
    flags: '"background":true,',
    background: true,
    stream: undefined,
  },
];

test.each(ROUTES)(
  "$name sends OpenAI 24 MiB of input and every other member as the caller wrote it, but for those that it changes",
  async ({ path, hold, flags, background, stream }) => {
    const url = `data:image/png;base64,${"iVBORw0KGgo".repeat(Math.floor((24 * MIB) / 11))}`;
    const input = `[ {"role":"user","content":[{"type":"input_image","image_url":"${url}"}]} ]`;
    const sent = `{${flags}"model":"m","input":${input},${ODD_MEMBERS}}`;
    const answered = await post(path, sent, hold);
    expect(answered.ok).toBe(true);
    const [body = Buffer.alloc(0), ...others] = listCreates();
    expect(others).toEqual([]);
    expect(body.includes(`"input":${input}`)).toBe(true);
    for (const value of ["1.0 ", "1e-1", "12345678901234567890", ' { "b" : [ ] , "a":-0 }']) {
      expect(body.includes(`:${value}`) || body.includes(`: ${value}`)).toBe(true);
    }
    expect(body.includes('"\\u0061\\/\\ud83d\\ude00 naïve – 数据"')).toBe(true);
    const { input: _, hold: __, metadata, ...given } = Params.parse(JSON.parse(sent));
    const { input: ___, metadata: own, ...received } = Params.parse(JSON.parse(String(body)));
    expect(received).toEqual({
      ...given,
      background,
      // A background run of /v1 is stored unless its caller does not want it, as at OpenAI.
      ...(hold === "off" ? {} : { store: true }),
      ...(stream === undefined ? {} : { stream }),
    });
    expect(metadata).toBeUndefined();
    expect(own === undefined).toBe(path === "/v1/responses" && hold !== "off");
    const { id } = z.object({ id: z.string() }).parse(await answered.json());
    const record = await world.waitUntilSettled(id);
    expect(record.verdict).toBe("captured");
    expect(record.request).toMatchObject({ model: "m", user: "a/😀 naïve – 数据" });
  },
);

test("POST /trigger with control sends OpenAI the same bytes of 20 MiB of input twice", async () => {
  const input = `"${"x\\u0079 é".repeat((20 * MIB) / 10)}"`;
  const answered = await post("/trigger", `{"control":true,"input":${input},${ODD_MEMBERS}}`);
  expect(answered.status).toBe(202);
  const { id } = z.object({ id: z.string() }).parse(await answered.json());
  expect(await world.waitUntilSettled(id)).toMatchObject({ control: { status: "completed" } });
  const bodies = listCreates();
  expect(bodies.map((body) => body.includes(`"input":${input}`))).toEqual([true, true]);
  expect(bodies.map((body) => body.includes('"control"'))).toEqual([false, false]);
});

/** A create with an input that makes it so long. */
function createBody(flags: string, bytes: number): string {
  const frame = `{${flags}"model":"m","input":""}`;
  return frame.replace('""', `"${"x".repeat(bytes - frame.length)}"`);
}

test.each(ROUTES)("$name accepts a body of 25 MiB", async ({ path, hold, flags }) => {
  const body = createBody(flags, MAX_BODY_BYTES);
  expect((await post(path, body, hold)).ok).toBe(true);
  expect(String(readCreate()["input"])).toBe(/x+(?="}$)/.exec(body)?.[0]);
});

test.each(ROUTES.filter(({ path }) => path === "/trigger"))(
  "$name answers 413 to one byte more",
  async ({ path, flags }) => {
    const answered = await post(path, createBody(flags, MAX_BODY_BYTES + 1));
    expect([answered.status, await answered.text()]).toEqual([413, matching(/26214400 bytes/)]);
    expect(listCreates()).toEqual([]);
  },
);

test("POST /v1/responses sends OpenAI one byte more as it came, and records the background run", async () => {
  const body = createBody('"background":true,', MAX_BODY_BYTES + 1);
  const answered = await post("/v1/responses", body);
  expect(answered.headers.get("x-recorder")).toBe("background; too_large");
  expect(listCreates().map((sent) => sent.equals(Buffer.from(body)))).toEqual([true]);
  const { id } = z.object({ id: z.string() }).parse(await answered.json());
  expect(await world.waitUntilSettled(id)).toMatchObject({ started_by: "v1", held: null });
});

test("POST /trigger and POST /v1/responses read the last of two members with the same name, and send OpenAI one", async () => {
  const refused = await post("/trigger", '{"background":true,"input":"x","background":false}');
  expect(refused.status).toBe(400);
  expect(listCreates()).toEqual([]);
  const body =
    '{"background":false,"input":"first","hold":false,"input":"last","background":true,"hold":true}';
  expect((await post("/trigger", body)).status).toBe(202);
  expect(readCreate()).toMatchObject({ background: false, stream: true, input: "last" });
  expect(
    String(listCreates()[0])
      .match(/"(background|input|hold)"/g)
      ?.toSorted(),
  ).toEqual(['"background"', '"input"']);
});

test("POST /v1/responses holds a run by the last of two members named background, and forwards the bytes unchanged otherwise", async () => {
  const held = '{"model":"m","background":false,"input":"x","background":true}';
  expect((await post("/v1/responses", held)).status).toBe(200);
  expect(String(listCreates()[0]).match(/"background":\w+/g)).toEqual(['"background":false']);
  standIn.requests.length = 0;
  const foreground = '{"model":"m", "background":true,"input":"x","background":false}';
  expect((await post("/v1/responses", foreground)).status).toBe(200);
  expect(listCreates().map(String)).toEqual([foreground]);
});

test("POST /trigger and POST /v1/responses read member names that are written with escapes", async () => {
  const flags = '{"\\u0068old":true,"inpu\\u0074":"x","\\u0062ackground":true,"a\\/b":1}';
  expect((await post("/trigger", flags)).status).toBe(202);
  expect(readCreate()).toMatchObject({ background: false, stream: true, input: "x", "a/b": 1 });
  expect(readCreate()).not.toHaveProperty("hold");
  standIn.requests.length = 0;
  const v1 = '{"model":"m","input":"x","backgr\\u006fund":true,"str\\u0065am":false}';
  expect((await post("/v1/responses", v1)).status).toBe(200);
  expect(readCreate()).toMatchObject({ background: false, stream: true, input: "x" });
});

test.each(["/trigger", "/v1/responses"])(
  "POST %s accepts a byte order mark, and sends OpenAI none",
  async (path) => {
    const flag = path === "/trigger" ? '"hold":true' : '"background":true';
    const answered = await post(path, `\ufeff{"input":"x",${flag}}`);
    expect(answered.ok).toBe(true);
    expect(listCreates()[0]?.toString().startsWith("{")).toBe(true);
    expect(readCreate()).toMatchObject({ input: "x", background: false });
  },
);

/** Bytes that are no UTF-8: a lone byte, an overlong slash, half a character, a surrogate. */
const INVALID = [[0xff], [0xc0, 0xaf], [0xe6, 0x95], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]];

function withBytes(before: string, bytes: number[], after: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]),
  );
}

test.each(INVALID.map((bytes) => ({ bytes })))(
  "POST /trigger and POST /v1/responses reject a body with the bytes $bytes",
  async ({ bytes }) => {
    for (const long of ["", "x".repeat(300_000)]) {
      const trigger = withBytes(`{"hold":true,"input":"${long}`, bytes, `${long}"}`);
      const v1 = withBytes(`{"background":true,"input":"${long}`, bytes, `${long}"}`);
      for (const answered of [await post("/trigger", trigger), await post("/v1/responses", v1)]) {
        expect([answered.status, await answered.text()]).toEqual([
          400,
          matching(/not JSON in UTF-8/),
        ]);
      }
    }
    expect(listCreates()).toEqual([]);
  },
);

test.each([
  '{"input":"x","hold":true}{"input":"y"}',
  '{"input":"x","hold":true,}',
  '{"input":"x" "hold":true}',
  '{"input":"\u0000","hold":true}',
  "{'input':'x','hold':true}",
  '{"input":"x","hold":true',
  '{"input":"x","hold":true}}',
  '{"input":"\\ud","hold":true}',
])("POST /trigger rejects what is not JSON, and sends OpenAI nothing: %j", async (body) => {
  const answered = await post("/trigger", body);
  expect([answered.status, await answered.text()]).toEqual([400, matching(/not JSON/)]);
  expect(listCreates()).toEqual([]);
});
