// OpenAI's webhook: verify, hand over, answer. Nobody calls OpenAI while OpenAI waits.
import type { Context } from "hono";
import * as z from "zod";
import { OPENAI_WEBHOOK_SECRET, RECORD_EXTERNAL, rulesOf, setting } from "../../config.ts";
import { RESPONSE_ID } from "../../openai/created-response.ts";
import { Problem } from "../../errors.ts";
import type { Woken } from "../../workflows/history.ts";
import { restartRecorder, startRecorder, wakeRecorder } from "../../workflows/instance.ts";
import { logFailure, logged } from "../../log.ts";
import type { Start, Webhook } from "../../record/schema.ts";
import { verify } from "../../openai/webhook-signature.ts";
import type { App } from "../middleware/auth.ts";

/** Largest body, in bytes. A real one has about 200. */
export const LARGEST_WEBHOOK = 512 * 1024;

const ENDS = new Set([
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
]);

const Event = z.looseObject({
  type: z.string(),
  data: z.looseObject({ id: z.unknown().optional() }).nullish(),
});
const Ended = z.looseObject({
  type: z.string(),
  data: z.looseObject({ id: z.string().regex(RESPONSE_ID) }),
});

/** Answers 200 to what is accepted, known already, or not ours to act on. */
export async function receiveWebhook(c: Context<App>): Promise<Response> {
  const { outcome } = await logged(
    "webhook",
    { webhook: c.req.header("webhook-id") },
    () => receive(c),
    (received) => received,
  );
  return c.json({ received: true, recorded: outcome !== IGNORED });
}

const IGNORED = "ignored";
/** What becomes of an event, by what its Recorder was found to be. */
const RECEIVED = {
  woken: "handed over",
  ended: "known already",
  absent: "begun",
  "gave up": "begun anew",
} as const;

async function receive(c: Context<App>): Promise<{ id?: string; outcome: string }> {
  const secrets = setting(c.env, OPENAI_WEBHOOK_SECRET);
  const body = await c.req.text();
  const event = parse(await verify(body, c.req.raw.headers, secrets));
  if (event === null) return { outcome: IGNORED };
  const webhook: Webhook = {
    id: c.req.header("webhook-id") ?? "",
    type: event.type,
    received_at: new Date().toISOString(),
  };
  const { id } = event.data;
  return { id, outcome: RECEIVED[await handOver(c.env, id, webhook)] };
}

function parse(body: unknown): z.infer<typeof Ended> | null {
  const event = Event.safeParse(body);
  if (!event.success)
    throw new Problem(400, "bad_body", "The body is not a webhook event of OpenAI's.");
  if (!ENDS.has(event.data.type)) return null;
  const ended = Ended.safeParse(body);
  if (!ended.success) throw new Problem(400, "bad_body", "data.id is not the id of a response.");
  return ended.data;
}

async function handOver(env: Env, id: string, webhook: Webhook): Promise<Woken> {
  const start: Start = {
    id,
    at: webhook.received_at,
    started_by: "webhook",
    rules: rulesOf(env, setting(env, RECORD_EXTERNAL)),
    intent: null,
    request: null,
    created: null,
    webhook,
    control: null,
    holder: null,
    action: null,
  };
  try {
    const found = await wakeRecorder(env, id, { kind: "webhook", webhook });
    if (found === "absent") await startRecorder(env, start);
    if (found === "gave up") await restartRecorder(env, start);
    return found;
  } catch (error) {
    logFailure("hand_over", error, { id });
    throw new Problem(
      503,
      "not_handed_over",
      "The event could not be handed over. Send it again.",
      {
        id,
      },
    );
  }
}
