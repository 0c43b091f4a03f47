// OpenAI's webhook: verify, hand over, answer. No request goes to OpenAI while OpenAI waits for the answer.
import type { Context } from "hono";
import * as z from "zod";
import { OPENAI_WEBHOOK_SECRET, readPolicy, RECORD_EXTERNAL, setting } from "../../config.ts";
import { Problem } from "../../errors.ts";
import { logFailure, withLog } from "../../log.ts";
import { getRecorder } from "../../objects/recorder/client.ts";
import type { WebhookOutcome } from "../../objects/recorder/outcome.ts";
import { ID_RULE, toShownId } from "../../openai/created-response.ts";
import { RESPONSE_ID } from "../../openai/response.ts";
import { verifyWebhook } from "../../openai/webhook-signature.ts";
import { toRecorderParams, type Webhook } from "../../record/schema.ts";
import type { App } from "../middleware/auth.ts";

/** The largest body that is accepted. A real one has about 200 bytes. */
export const MAX_WEBHOOK_BYTES = 512 * 1024;

const END_EVENTS = new Set([
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
]);

const WebhookEvent = z.looseObject({
  type: z.string(),
  data: z.looseObject({ id: z.unknown().optional() }).nullish(),
});
const EndEvent = z.looseObject({
  type: z.string(),
  // OpenAI's own ids, unlike those of gateways, say what they name.
  data: z.looseObject({
    id: z
      .string()
      .regex(RESPONSE_ID)
      .regex(/^resp_./),
  }),
});

const IGNORED = "ignored";
/** Answers 200 to an event that is accepted, a duplicate, or not ours to act on. */
export async function receiveWebhook(c: Context<App>): Promise<Response> {
  const { outcome } = await withLog(
    "webhook",
    { webhook: c.req.header("webhook-id") },
    () => acceptEvent(c),
    (accepted) => accepted,
  );
  return c.json({ received: true, recorded: outcome !== IGNORED });
}

async function acceptEvent(c: Context<App>): Promise<{ id?: string; outcome: string }> {
  const secrets = setting(c.env, OPENAI_WEBHOOK_SECRET);
  const body = await c.req.text();
  const event = parseEndEvent(await verifyWebhook(body, c.req.raw.headers, secrets));
  if (event === null) return { outcome: IGNORED };
  const webhook: Webhook = {
    id: c.req.header("webhook-id") ?? "",
    type: event.type,
    received_at: new Date().toISOString(),
  };
  const { id } = event.data;
  return { id, outcome: await handOver(c, id, webhook) };
}

function parseEndEvent(body: unknown): z.infer<typeof EndEvent> | null {
  const event = WebhookEvent.safeParse(body);
  if (!event.success) {
    throw new Problem(
      "bad_webhook",
      "The body is not a webhook event of OpenAI's: it has no type. Send OpenAI's event as it came.",
    );
  }
  if (!END_EVENTS.has(event.data.type)) return null;
  const end = EndEvent.safeParse(body);
  if (end.success) return end.data;
  const id = toShownId(event.data.data?.id ?? null);
  const message = `data.id is not the id of a response: "${id}". It must begin with resp_ and have ${ID_RULE}. POST /results/ID/refetch records a response of a gateway.`;
  throw new Problem("bad_webhook", message, { id });
}

async function handOver(
  { env, req }: Context<App>,
  id: string,
  webhook: Webhook,
): Promise<WebhookOutcome> {
  const params = toRecorderParams({
    id,
    at: webhook.received_at,
    started_by: "webhook",
    policy: readPolicy(env, new URL(req.url).origin, setting(env, RECORD_EXTERNAL)),
    webhook,
  });
  try {
    return await getRecorder(env, id).webhook(params);
  } catch (error) {
    logFailure("handover", error, { id });
    const message = "The Recorder could not take the event. Send it again.";
    throw new Problem("handover_failed", message, { id });
  }
}
