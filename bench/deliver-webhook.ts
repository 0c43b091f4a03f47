import assert from "node:assert/strict";
import { signWebhook } from "../test/support/sign-webhook.ts";
import { WEBHOOK_SECRET } from "./server-processes.ts";

/**
 * Delivers the webhook of a completed response as OpenAI would.
 * @throws When the receiver's answer isn't 200.
 */
export async function deliverWebhook(receiverUrl: string, responseId: string): Promise<void> {
  const body = JSON.stringify({
    id: `evt_${responseId}`,
    object: "event",
    type: "response.completed",
    data: { id: responseId },
  });
  const headers = signWebhook(body, WEBHOOK_SECRET);
  const answer = await fetch(receiverUrl, { method: "POST", body, headers });
  assert.equal(answer.status, 200, `${receiverUrl} accepts a webhook`);
  await answer.arrayBuffer();
}
