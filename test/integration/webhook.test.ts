// Webhooks that do not come from OpenAI, or that contain what OpenAI would not send.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorBody } from "../support/contract.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

const MAX_WEBHOOK_BYTES = 512 * 1024;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

async function readError(response: Response): Promise<{ code: string; message: string }> {
  return ErrorBody.parse(await response.json()).error;
}

type Body = string | Uint8Array<ArrayBuffer>;

function post(body: Body, headers: Record<string, string>): Promise<Response> {
  return fetch(`${world.url}/webhook`, { method: "POST", body, headers });
}

function createEvent(data: unknown, type: unknown = "response.completed"): string {
  return JSON.stringify({ id: "evt_1", object: "event", type, data });
}

const BODY = createEvent({ id: "resp_unsigned" });
const SIGNED = signWebhook(BODY, WEBHOOK_SECRET);
const HOUR_MS = 3_600_000;

const BAD_SIGNATURES: [string, Record<string, string>][] = [
  ["no signature", { "content-type": "application/json" }],
  ["the signature of another secret", signWebhook(BODY, "whsec_d3Jvbmc=")],
  ["a timestamp an hour ago", signWebhook(BODY, WEBHOOK_SECRET, Date.now() - HOUR_MS)],
  ["a timestamp in an hour", signWebhook(BODY, WEBHOOK_SECRET, Date.now() + HOUR_MS)],
  ["the signature of another body", signWebhook(`${BODY} `, WEBHOOK_SECRET)],
  ["another webhook's id", { ...SIGNED, "webhook-id": "wh_another" }],
  ["no id", { ...SIGNED, "webhook-id": "" }],
  ["an id of 9,000 characters", { ...SIGNED, "webhook-id": "x".repeat(9_000) }],
  ["a timestamp that is no number", { ...SIGNED, "webhook-timestamp": "NaN" }],
  ["an infinite timestamp", { ...SIGNED, "webhook-timestamp": "1e999" }],
  ["a negative timestamp", { ...SIGNED, "webhook-timestamp": "-1" }],
  ["an empty signature", { ...SIGNED, "webhook-signature": "v1," }],
  ["a signature that is not base64", { ...SIGNED, "webhook-signature": "v1,####" }],
  ["a long signature", { ...SIGNED, "webhook-signature": `v1,${"A".repeat(9_000)}` }],
  ["2,000 signatures", { ...SIGNED, "webhook-signature": "v1,AA ".repeat(2_000) }],
];

test.each(BAD_SIGNATURES)("POST /webhook rejects a webhook with %s", async (_, headers) => {
  const answer = await post(BODY, headers);
  expect(answer.status).toBe(400);
  const error = await readError(answer);
  expect(error.code).toBe("bad_webhook");
  expect(error.message).toMatch(/^(Signature does not match|The webhook's headers can't be used)/);
});

const nestLists = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const BAD_BODIES: [string, string][] = [
  ["nothing", ""],
  ["half an object", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["a number", "5"],
  ["a string", '"response.completed"'],
  ["no type", "{}"],
  ["a number for a type", createEvent({ id: "resp_a" }, 5)],
  ["a list for a type", createEvent({ id: "resp_a" }, ["response.completed"])],
  ["an object for a type", createEvent({ id: "resp_a" }, { toString: "response.completed" })],
  ["no data", createEvent(undefined)],
  ["null for data", createEvent(null)],
  ["a list for data", createEvent([{ id: "resp_a" }])],
  ["a string for data", createEvent("resp_a")],
  ["a number for an id", createEvent({ id: 1 })],
  ["a list for an id", createEvent({ id: ["resp_a"] })],
  ["an object for an id", createEvent({ id: { id: "resp_a" } })],
  ["an empty id", createEvent({ id: "" })],
  ["only the prefix of an id", createEvent({ id: "resp_" })],
  ["the id of a batch", createEvent({ id: "batch_a" })],
  ["an id of 301 characters", createEvent({ id: `resp_${"a".repeat(296)}` })],
  ["an id of 500,000 characters", createEvent({ id: `resp_${"a".repeat(500_000)}` })],
  ["an id with a path traversal", createEvent({ id: "resp_../x" })],
  ["an id with a colon", createEvent({ id: "resp_a:refetch" })],
  ["an id with a NUL", createEvent({ id: "resp_\0" })],
  ["an id with a line break", createEvent({ id: "resp_a\n" })],
  ["an id with a Cyrillic letter", createEvent({ id: "resp_\u0430" })],
  ["250,000 nested lists", nestLists(250_000)],
  ["a type of 200,000 nested lists", `{"type":${nestLists(200_000)}}`],
  [
    "an id of 200,000 nested lists",
    `{"type":"response.completed","data":{"id":${nestLists(200_000)}}}`,
  ],
  [
    "__proto__ with its members",
    '{"__proto__":{"type":"response.completed","data":{"id":"resp_a"}}}',
  ],
  ["__proto__ with its id", '{"type":"response.completed","data":{"__proto__":{"id":"resp_a"}}}'],
  [
    "two ids, the last of them invalid",
    '{"type":"response.completed","data":{"id":"resp_a","id":"x"}}',
  ],
];

test.each(BAD_BODIES)("POST /webhook rejects a signed webhook of %s", async (_, body) => {
  const answer = await post(body, signWebhook(body, WEBHOOK_SECRET));
  expect(answer.status).toBe(400);
  const error = await readError(answer);
  expect(error.code).toBe("bad_webhook");
  expect(error.message).toMatch(/^(The body is not |data\.id is not the id of a response)/);
});

test("POST /webhook rejects a signed webhook of bytes that are not UTF-8", async () => {
  const body = Uint8Array.from(
    Buffer.from(createEvent({ id: "resp_a", more: "\u00ff" }), "latin1"),
  );
  expect((await post(body, signWebhook(body, WEBHOOK_SECRET))).status).toBe(400);
});

const IGNORED: [string, string][] = [
  ["of another type", createEvent({ id: "batch_1" }, "batch.completed")],
  ["of an unknown type", createEvent({ id: "x" }, "response.dreamt")],
  ["with a type of 500,000 characters", createEvent({ id: "resp_a" }, "x".repeat(500_000))],
  ["with the type __proto__", createEvent({ id: "resp_a" }, "__proto__")],
  ["of exactly 512 KiB", createPaddedEvent(MAX_WEBHOOK_BYTES)],
];

test.each(IGNORED)("POST /webhook accepts an event %s, and does not act on it", async (_, body) => {
  const answer = await post(body, signWebhook(body, WEBHOOK_SECRET));
  expect([answer.status, await answer.json()]).toEqual([200, { received: true, recorded: false }]);
});

test("POST /webhook answers 413 to more than 512 KiB, even if they are signed", async () => {
  const body = createPaddedEvent(MAX_WEBHOOK_BYTES + 1);
  const answer = await post(body, signWebhook(body, WEBHOOK_SECRET));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ error: { code: "too_large" } });
});

test("POST /webhook records nothing of rejected and ignored events, and sends OpenAI nothing", async () => {
  for (const [, headers] of BAD_SIGNATURES) await post(BODY, headers);
  for (const [, body] of [...BAD_BODIES, ...IGNORED])
    await post(body, signWebhook(body, WEBHOOK_SECRET));
  expect(world.kvOperations()).toEqual([]);
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
});

/** Returns an event of a size that the Worker ignores. */
function createPaddedEvent(bytes: number): string {
  const empty = createEvent({ id: "batch_1", pad: "" }, "batch.completed");
  return empty.replace('"pad":""', `"pad":"${"x".repeat(bytes - empty.length)}"`);
}
