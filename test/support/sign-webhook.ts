// Signs a webhook as OpenAI does: https://www.standardwebhooks.com
import { createHmac } from "node:crypto";

/**
 * Returns the headers of a signed webhook.
 * @param secret A `whsec_…`.
 * @param at Milliseconds since 1970.
 */
export function signWebhook(
  body: string | Uint8Array,
  secret: string,
  at = Date.now(),
): Record<string, string> {
  const id = `wh_${at}`;
  const time = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key)
    .update(`${id}.${time}.`)
    .update(body)
    .digest("base64");
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": time,
    "webhook-signature": `v1,${signature}`,
  };
}
