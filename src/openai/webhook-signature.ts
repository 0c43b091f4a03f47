// The signature of OpenAI's webhooks, by the SDK, against every configured secret.
import OpenAI, { InvalidWebhookSignatureError } from "openai";
import { Problem } from "../errors.ts";

/** Seconds by which a delivery may be old. Each attempt has a time of its own, so this fits a retry two days later. */
const TOLERANCE = 300;

/**
 * Verifies a webhook.
 * @param body The raw body: only it verifies, OpenAI's JSON has spaces of its own.
 * @param headers The request's headers.
 * @param secrets What may have signed it; more than one while a secret is rotated.
 * @param tolerance Seconds.
 * @returns The event, parsed.
 * @throws Problem 400 for a signature, headers or a body that can't be accepted.
 */
export async function verify(
  body: string,
  headers: Headers,
  secrets: string[],
  tolerance = TOLERANCE,
): Promise<unknown> {
  for (const secret of secrets) {
    const event = await unwrap(body, headers, secret, tolerance);
    if (event !== undefined) return event;
  }
  throw new Problem(
    400,
    "bad_signature",
    "The signature fits none of the secrets in OPENAI_WEBHOOK_SECRET, or is older than 5 minutes.",
  );
}

// The SDK verifies before it parses, so a SyntaxError means a body that is signed and is no JSON.
async function unwrap(
  body: string,
  headers: Headers,
  secret: string,
  tolerance: number,
): Promise<unknown> {
  // The key is never used: verifying asks OpenAI nothing.
  const { webhooks } = new OpenAI({ apiKey: "unused", webhookSecret: null });
  try {
    return await webhooks.unwrap(body, headers, secret, tolerance);
  } catch (error) {
    if (error instanceof InvalidWebhookSignatureError) return undefined;
    if (error instanceof SyntaxError) throw new Problem(400, "bad_body", "The body is not JSON.");
    const message = error instanceof Error ? error.message : String(error);
    throw new Problem(400, "bad_headers", `The webhook's headers can't be used: ${message}`);
  }
}
