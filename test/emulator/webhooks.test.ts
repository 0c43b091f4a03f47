import OpenAI, { InvalidWebhookSignatureError } from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { sign } from "../../emulator/webhooks/signature.ts";
import { pollUntil, startTestEmulator } from "./setup.ts";
import { type ReceivedWebhook, startWebhookReceiver } from "./webhook-receiver.ts";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const OLD_SECRET = `whsec_${Buffer.from("an older one of thirty-two bytes").toString("base64")}`;

/** The statuses that the receiver sends, in order; then always 200. */
let statuses: number[] = [];

const receiver = await startWebhookReceiver(() => statuses.shift() ?? 200);
const { client, callControl } = await startTestEmulator({
  webhookUrl: receiver.url,
  webhookSecret: SECRET,
});

beforeEach(async () => {
  receiver.clear();
  statuses = [];
  await callControl("PATCH /settings", { webhookSecretOld: null, webhookCopies: 1 });
});

async function startRun(input: string): Promise<string> {
  const { id } = await client.responses.create({ model: "gpt-5.2", background: true, input });
  return id;
}

const AttemptList = z.array(z.looseObject({ response_id: z.string() }));

async function listAttempts(id: string): Promise<unknown[]> {
  const all = AttemptList.parse(await callControl("GET /deliveries"));
  return all.filter(({ response_id }) => response_id === id);
}

function unwrap({ body, headers }: ReceivedWebhook, secret: string) {
  return new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret);
}

describe("a webhook", () => {
  test.each([
    ["hello", "response.completed"],
    ["emulator: fail", "response.failed"],
    ["emulator: incomplete", "response.incomplete"],
  ])("after %j has the type %s, and the SDK accepts it", async (input, type) => {
    const id = await startRun(input);
    const webhook = await receiver.waitForFirst();
    const event = await unwrap(webhook, SECRET);
    expect(event).toMatchObject({ type, object: "event", data: { id } });
    expect(event.id).toMatch(/^evt_/);
    expect(webhook.headers.get("webhook-id")).toMatch(/^wh_/);
  });

  test("after a cancel has the type response.cancelled", async () => {
    const id = await startRun("emulator: run 600 seconds");
    await client.responses.cancel(id);
    const webhook = await receiver.waitForFirst();
    expect(webhook.body).toMatch(`"type": "response.cancelled", "data": {"id": "${id}"}}`);
  });

  test("is not sent for a foreground response", async () => {
    const done = await client.responses.create({ model: "gpt-5.2", input: "hi" });
    await startRun("background");
    await receiver.waitFor(1);
    expect(receiver.received.map(({ body }) => body).join("")).not.toMatch(done.id);
  });

  test("is retried with the same id until it is accepted", async () => {
    statuses = [500, 302, 410];
    const id = await startRun("hello");
    const four = await receiver.waitFor(4);
    expect(new Set(four.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
    const all = await pollUntil(
      () => listAttempts(id),
      (list) => list.length === 4,
    );
    expect(all).toMatchObject(
      [500, 302, 410, 200].map((status, index) => ({ status, attempt: index + 1 })),
    );
  });

  test("is delivered webhookCopies times", async () => {
    await callControl("PATCH /settings", { webhookCopies: 3 });
    await startRun("hello");
    const three = await receiver.waitFor(3);
    expect(new Set(three.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
  });

  test("is signed with both secrets while webhookSecretOld is set", async () => {
    await callControl("PATCH /settings", { webhookSecretOld: OLD_SECRET });
    await startRun("hello");
    const webhook = await receiver.waitForFirst();
    expect(webhook.headers.get("webhook-signature")?.split(" ")).toHaveLength(2);
    await expect(unwrap(webhook, SECRET)).resolves.toBeDefined();
    await expect(unwrap(webhook, OLD_SECRET)).resolves.toBeDefined();
  });

  test("is not sent while webhookDrop is true", async () => {
    await callControl("PATCH /settings", { webhookDrop: true });
    const lost = await startRun("hello");
    await pollUntil(
      () => client.responses.retrieve(lost),
      ({ status }) => status === "completed",
    );
    await callControl("PATCH /settings", { webhookDrop: false });
    const id = await startRun("hello");
    const webhook = await receiver.waitForFirst();
    expect(webhook.body).toMatch(id);
  });

  test("of any type is sent by POST /_emulator/webhooks", async () => {
    const params = {
      type: "batch.completed",
      response_id: "batch_1",
      copies: 2,
      secret: OLD_SECRET,
    };
    expect(await callControl("POST /webhooks", params)).toMatchObject({
      webhook_id: expect.stringMatching(/^wh_/) as unknown,
    });
    const [webhook] = await receiver.waitFor(2);
    if (!webhook) throw new Error("No webhook was received.");
    await expect(unwrap(webhook, OLD_SECRET)).resolves.toMatchObject({ type: "batch.completed" });
    await expect(unwrap(webhook, SECRET)).rejects.toThrow(InvalidWebhookSignatureError);
  });

  test("is sent with an old timestamp by POST /_emulator/webhooks", async () => {
    const params = { type: "response.completed", response_id: "resp_1", timestamp: 1_700_000_000 };
    await callControl("POST /webhooks", params);
    const webhook = await receiver.waitForFirst();
    await expect(unwrap(webhook, SECRET)).rejects.toThrow(/too old/);
  });
});

test.each([
  [
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330,
    '{"test": 2432232314}',
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  ],
  [
    "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
    "wh_685c059ae39c8190af8c71ed1022a24d",
    1_750_861_210,
    '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
  ],
])("sign() agrees with published vectors (%s)", (secret, id, timestamp, body, signature) => {
  expect(sign({ secret, id, timestamp, body })).toBe(signature);
});
