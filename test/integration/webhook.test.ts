// Webhooks that aren't OpenAI's, or that say what OpenAI would not.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { sign } from "../support/sign.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

const LARGEST = 512 * 1024;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const Refused = z.object({ error: z.object({ code: z.string(), message: z.string().min(10) }) });

/** The error of a refusal. */
async function readError(response: Response): Promise<{ code: string; message: string }> {
  return Refused.parse(await response.json()).error;
}

type Body = string | Uint8Array<ArrayBuffer>;

function post(body: Body, headers: Record<string, string>): Promise<Response> {
  return fetch(`${world.url}/webhook`, { method: "POST", body, headers });
}

function event(data: unknown, type: unknown = "response.completed"): string {
  return JSON.stringify({ id: "evt_1", object: "event", type, data });
}

const REAL = event({ id: "resp_unsigned" });
const SIGNED = sign(REAL, WEBHOOK_SECRET);
const HOUR = 3_600_000;

const UNSIGNED: [string, Record<string, string>][] = [
  ["no signature", { "content-type": "application/json" }],
  ["another secret's", sign(REAL, "whsec_d3Jvbmc=")],
  ["one of an hour ago", sign(REAL, WEBHOOK_SECRET, Date.now() - HOUR)],
  ["one of in an hour", sign(REAL, WEBHOOK_SECRET, Date.now() + HOUR)],
  ["another body's", sign(`${REAL} `, WEBHOOK_SECRET)],
  ["another webhook's id", { ...SIGNED, "webhook-id": "wh_another" }],
  ["no id", { ...SIGNED, "webhook-id": "" }],
  ["an id of 9,000 characters", { ...SIGNED, "webhook-id": "x".repeat(9_000) }],
  ["a time that is none", { ...SIGNED, "webhook-timestamp": "NaN" }],
  ["a time beyond all numbers", { ...SIGNED, "webhook-timestamp": "1e999" }],
  ["a time before all others", { ...SIGNED, "webhook-timestamp": "-1" }],
  ["an empty signature", { ...SIGNED, "webhook-signature": "v1," }],
  ["a signature that is no base64", { ...SIGNED, "webhook-signature": "v1,####" }],
  ["a long signature", { ...SIGNED, "webhook-signature": `v1,${"A".repeat(9_000)}` }],
  ["2,000 signatures", { ...SIGNED, "webhook-signature": "v1,AA ".repeat(2_000) }],
];

test.each(UNSIGNED)("a webhook with %s is refused", async (_, headers) => {
  const answer = await post(REAL, headers);
  expect(answer.status).toBe(400);
  const error = await readError(answer);
  expect(error.code).toBe("bad_webhook");
  expect(error.message).toMatch(/^(Signature does not match|The webhook's headers can't be used)/);
});

const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const ABSURD: [string, string][] = [
  ["nothing", ""],
  ["half an object", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["a number", "5"],
  ["a text", '"response.completed"'],
  ["no type", "{}"],
  ["a number for a type", event({ id: "resp_a" }, 5)],
  ["a list for a type", event({ id: "resp_a" }, ["response.completed"])],
  ["an object for a type", event({ id: "resp_a" }, { toString: "response.completed" })],
  ["no data", event(undefined)],
  ["null for data", event(null)],
  ["a list for data", event([{ id: "resp_a" }])],
  ["a text for data", event("resp_a")],
  ["a number for an id", event({ id: 1 })],
  ["a list for an id", event({ id: ["resp_a"] })],
  ["an object for an id", event({ id: { id: "resp_a" } })],
  ["an empty id", event({ id: "" })],
  ["the beginning of an id", event({ id: "resp_" })],
  ["another thing's id", event({ id: "batch_a" })],
  ["an id of 101 characters", event({ id: `resp_${"a".repeat(96)}` })],
  ["an id of 500,000 characters", event({ id: `resp_${"a".repeat(500_000)}` })],
  ["an id with a way up", event({ id: "resp_../x" })],
  ["an id with a colon", event({ id: "resp_a:refetch" })],
  ["an id with a NUL", event({ id: "resp_\0" })],
  ["an id with a line break", event({ id: "resp_a\n" })],
  ["an id of other letters", event({ id: "resp_\u0430" })],
  ["250,000 lists in each other", deep(250_000)],
  ["a type of 200,000 lists", `{"type":${deep(200_000)}}`],
  ["an id of 200,000 lists", `{"type":"response.completed","data":{"id":${deep(200_000)}}}`],
  [
    "__proto__ for its members",
    '{"__proto__":{"type":"response.completed","data":{"id":"resp_a"}}}',
  ],
  ["__proto__ for its id", '{"type":"response.completed","data":{"__proto__":{"id":"resp_a"}}}'],
  [
    "two ids, the last of which is none",
    '{"type":"response.completed","data":{"id":"resp_a","id":"x"}}',
  ],
];

test.each(ABSURD)("a signed webhook of %s is refused", async (_, body) => {
  const answer = await post(body, sign(body, WEBHOOK_SECRET));
  expect(answer.status).toBe(400);
  const error = await readError(answer);
  expect(error.code).toBe("bad_webhook");
  expect(error.message).toMatch(/^(The body is not |data\.id is not the id of a response)/);
});

test("a signed webhook of bytes that are no UTF-8 is refused", async () => {
  const body = Uint8Array.from(Buffer.from(event({ id: "resp_a", more: "\u00ff" }), "latin1"));
  expect((await post(body, sign(body, WEBHOOK_SECRET))).status).toBe(400);
});

const OTHERS: [string, string][] = [
  ["of another kind", event({ id: "batch_1" }, "batch.completed")],
  ["of a kind that doesn't exist yet", event({ id: "x" }, "response.dreamt")],
  ["with a kind of 500,000 characters", event({ id: "resp_a" }, "x".repeat(500_000))],
  ["with a name that objects have for its kind", event({ id: "resp_a" }, "__proto__")],
  ["of exactly 512 KiB", padded(LARGEST)],
];

test.each(OTHERS)("an event %s is accepted, and not acted on", async (_, body) => {
  const answer = await post(body, sign(body, WEBHOOK_SECRET));
  expect([answer.status, await answer.json()]).toEqual([200, { received: true, recorded: false }]);
});

test("a webhook of more than 512 KiB is refused, whatever its signature says", async () => {
  const body = padded(LARGEST + 1);
  const answer = await post(body, sign(body, WEBHOOK_SECRET));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { code: "too_large" } });
});

test("of all these nothing is recorded", async () => {
  for (const [, headers] of UNSIGNED) await post(REAL, headers);
  for (const [, body] of [...ABSURD, ...OTHERS]) await post(body, sign(body, WEBHOOK_SECRET));
  expect(world.kv()).toEqual([]);
  expect(await world.told("/requests")).toEqual([]);
});

/** An event that nobody acts on, of a size. */
function padded(bytes: number): string {
  const empty = event({ id: "batch_1", pad: "" }, "batch.completed");
  return empty.replace('"pad":""', `"pad":"${"x".repeat(bytes - empty.length)}"`);
}
