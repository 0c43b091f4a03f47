import { expect, test } from "vitest";
import { verifyWebhook } from "../../../src/openai/webhook-signature.ts";

type Delivery = { secret: string; id: string; time: string; body: string; signature: string };

const VECTORS: Delivery[] = [
  {
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    time: "1614265330",
    body: '{"test": 2432232314}',
    signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  {
    secret: "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
    id: "wh_685c059ae39c8190af8c71ed1022a24d",
    time: "1750861210",
    body: '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    signature: "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
  },
];

// Vitest types its matchers as any.
const message: unknown = expect.stringMatching(/^Signature does not match/);
const MISMATCH = { status: 400, code: "bad_webhook", message };

/** The vectors are years old. */
const ANY_AGE = 1e12;

function check(delivery: Delivery, secrets = [delivery.secret], tolerance?: number) {
  const headers = new Headers({
    "webhook-id": delivery.id,
    "webhook-timestamp": delivery.time,
    "webhook-signature": delivery.signature,
  });
  return verifyWebhook(delivery.body, headers, secrets, tolerance ?? ANY_AGE);
}

/** Another byte in the middle that keeps the text's form. */
function changed(text: string): string {
  const at = Math.floor(text.length / 2);
  const other = text[at] === "1" ? "2" : "1";
  return text.slice(0, at) + other + text.slice(at + 1);
}

test.each(VECTORS)("the vector $id verifies", async (vector) => {
  expect(await check(vector)).toEqual(JSON.parse(vector.body));
});

test.each(
  VECTORS.flatMap((vector) =>
    (["body", "id", "time", "signature"] as const).map((part) => ({ vector, part })),
  ),
)("one changed byte in the $part of $vector.id is refused", async ({ vector, part }) => {
  const delivery = { ...vector, [part]: changed(vector[part]) };
  await expect(check(delivery)).rejects.toMatchObject(MISMATCH);
});

test.each(VECTORS)("a list with the right signature second verifies: $id", async (vector) => {
  const wrong = VECTORS.find((other) => other !== vector)?.signature ?? "";
  const signature = `${wrong} ${vector.signature}`;
  expect(await check({ ...vector, signature })).toEqual(JSON.parse(vector.body));
});

test.each(VECTORS)("the second of two configured secrets verifies: $id", async (vector) => {
  const secrets = ["whsec_bm90LXRoaXMtb25l", vector.secret];
  expect(await check(vector, secrets)).toEqual(JSON.parse(vector.body));
});

test.each(VECTORS)("an old delivery is refused: $id", async (vector) => {
  await expect(check(vector, [vector.secret], 300)).rejects.toMatchObject(MISMATCH);
});
