import { expect, test } from "vitest";
import { verifyWebhook } from "../../../src/openai/webhook-signature.ts";
import { matching } from "../../support/matchers.ts";

type SignedWebhook = { secret: string; id: string; time: string; body: string; signature: string };

const VECTORS: SignedWebhook[] = [
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

const MISMATCH = {
  status: 400,
  code: "bad_webhook",
  message: matching(/^Signature does not match/),
};

/** The vectors are years old. */
const ANY_AGE_SECONDS = 1e12;

function verify(
  { id, time, signature, body, secret }: SignedWebhook,
  secrets = [secret],
  toleranceSeconds = ANY_AGE_SECONDS,
) {
  const headers = new Headers({
    "webhook-id": id,
    "webhook-timestamp": time,
    "webhook-signature": signature,
  });
  return verifyWebhook(body, headers, secrets, toleranceSeconds);
}

/** Changes a byte in the middle. */
function tamper(text: string): string {
  const at = Math.floor(text.length / 2);
  const other = text[at] === "1" ? "2" : "1";
  return text.slice(0, at) + other + text.slice(at + 1);
}

test.each(VECTORS)("verifyWebhook accepts the published vector $id", async (vector) => {
  expect(await verify(vector)).toEqual(JSON.parse(vector.body));
});

test.each(
  VECTORS.flatMap((vector) =>
    (["body", "id", "time", "signature"] as const).map((part) => ({ vector, part })),
  ),
)(
  "verifyWebhook rejects $vector.id with one byte of its $part changed",
  async ({ vector, part }) => {
    const tampered = { ...vector, [part]: tamper(vector[part]) };
    await expect(verify(tampered)).rejects.toMatchObject(MISMATCH);
  },
);

test.each(VECTORS)(
  "verifyWebhook accepts a list whose second signature matches: $id",
  async (vector) => {
    const wrong = VECTORS.find((other) => other !== vector)?.signature ?? "";
    const signature = `${wrong} ${vector.signature}`;
    expect(await verify({ ...vector, signature })).toEqual(JSON.parse(vector.body));
  },
);

test.each(VECTORS)(
  "verifyWebhook accepts a signature of the second configured secret: $id",
  async (vector) => {
    const secrets = ["whsec_bm90LXRoaXMtb25l", vector.secret];
    expect(await verify(vector, secrets)).toEqual(JSON.parse(vector.body));
  },
);

test.each(VECTORS)(
  "verifyWebhook rejects a timestamp older than the tolerance: $id",
  async (vector) => {
    await expect(verify(vector, [vector.secret], 300)).rejects.toMatchObject(MISMATCH);
  },
);
