// Signs webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/** Begins a secret; the rest is the key in base64. */
const SECRET_PREFIX = "whsec_";

export type WebhookMessage = {
  /** The same over all attempts, so that the receiver can tell them from other messages. */
  id: string;
  /** Of this attempt, in seconds since 1970. */
  timestamp: number;
  body: string;
};

/**
 * The headers that sign a message.
 * @param secret `whsec_…`
 */
export async function signWebhook(
  { id, timestamp, body }: WebhookMessage,
  secret: string,
): Promise<Record<string, string>> {
  const key = await crypto.subtle.importKey(
    "raw",
    decodeBase64(secret.slice(SECRET_PREFIX.length)),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": `v1,${encodeBase64(signature)}`,
  };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
