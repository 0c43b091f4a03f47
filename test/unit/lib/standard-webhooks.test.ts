import OpenAI from "openai";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { signWebhook } from "../../../src/lib/standard-webhooks.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY =
  '{"id":"evt_1","object":"event","type":"response.completed","data":{"id":"resp_1 – ü"}}';

const nowSeconds = () => Math.floor(Date.now() / 1000);
const openai = new OpenAI({ apiKey: "unused", webhookSecret: SECRET });

function sign(changes: { id?: string; timestamp?: number; body?: string } = {}) {
  return signWebhook({ id: "evt_1", timestamp: nowSeconds(), body: BODY, ...changes }, SECRET);
}

test("signWebhook signs the specification's example as it does", async () => {
  const body = '{"test": 2432232314}';
  expect(await sign({ id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body })).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("OpenAI's client.webhooks.unwrap accepts what signWebhook signs, and no other body", async () => {
  const headers = await sign();
  expect(await openai.webhooks.unwrap(BODY, headers)).toEqual(JSON.parse(BODY));
  await expect(openai.webhooks.unwrap(`${BODY} `, headers)).rejects.toThrow(/signature/);
});

test("standardwebhooks accepts what signWebhook signs, and no other secret", async () => {
  const headers = await sign();
  expect(new Webhook(SECRET).verify(BODY, headers)).toEqual(JSON.parse(BODY));
  const other = new Webhook(`whsec_${btoa("another secret of 24 bytes")}`);
  expect(() => other.verify(BODY, headers)).toThrow(/signature/i);
});

test("both libraries refuse an old timestamp, so each attempt needs its own", async () => {
  const headers = await sign({ timestamp: nowSeconds() - 400 });
  await expect(openai.webhooks.unwrap(BODY, headers)).rejects.toThrow(/old/);
  expect(() => new Webhook(SECRET).verify(BODY, headers)).toThrow(/old/);
});
