import { createHmac, randomBytes } from "node:crypto";

/** A new webhook secret: `whsec_` and 32 random bytes as Base64. */
export function generateSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

interface SignedContent {
  secret: string;
  /** The header `webhook-id`. */
  id: string;
  /** The header `webhook-timestamp`, in Unix seconds. */
  timestamp: number;
  body: string;
}

/** Signs a webhook as the Standard Webhooks specification says: `v1,` and Base64. https://www.standardwebhooks.com */
export function sign({ secret, id, timestamp, body }: SignedContent): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest("base64")}`;
}
