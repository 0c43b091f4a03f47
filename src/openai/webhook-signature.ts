// Verifies the signature of OpenAI's webhooks with the SDK, against every configured secret.
import OpenAI, { InvalidWebhookSignatureError } from "openai";
import { Problem } from "../errors.ts";

/** A delivery may be this old. Each attempt has a timestamp of its own, so a retry two days later fits. */
const TOLERANCE_SECONDS = 300;

/**
 * Verifies a webhook.
 * @param body The raw body: OpenAI signs its JSON with its own white space.
 * @param secrets All secrets that may have signed it; more than one while a secret is rotated.
 * @returns The event, parsed.
 * @throws Problem 400 for a signature, headers or a body that can't be accepted.
 */
export async function verifyWebhook(
  body: string,
  headers: Headers,
  secrets: string[],
  toleranceSeconds = TOLERANCE_SECONDS,
): Promise<unknown> {
  for (const secret of secrets) {
    const event = await unwrapEvent(body, headers, secret, toleranceSeconds);
    if (event !== undefined) return event;
  }
  throw new Problem(
    "bad_webhook",
    "Signature does not match any secret in OPENAI_WEBHOOK_SECRET, or its timestamp is more than 5 minutes old. Store the secret of this endpoint: npx wrangler secret put OPENAI_WEBHOOK_SECRET",
  );
}

// The SDK verifies before it parses, so a SyntaxError means a signed body that is not JSON.
async function unwrapEvent(
  body: string,
  headers: Headers,
  secret: string,
  toleranceSeconds: number,
): Promise<unknown> {
  // The SDK wants a key but sends no request here.
  const { webhooks } = new OpenAI({ apiKey: "unused", webhookSecret: null });
  try {
    return await webhooks.unwrap(body, headers, secret, toleranceSeconds);
  } catch (error) {
    if (error instanceof InvalidWebhookSignatureError) return undefined;
    if (error instanceof SyntaxError)
      throw new Problem("bad_webhook", "The body is not JSON. Send OpenAI's event as it came.");
    const message = error instanceof Error ? error.message : String(error);
    throw new Problem("bad_webhook", `The webhook's headers can't be used: ${message}`);
  }
}
