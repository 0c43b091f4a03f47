import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, type WebhookEndpoints, getActiveSecrets } from "./endpoints.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import type { Settings } from "../settings.ts";

/** One attempt to deliver a webhook. */
export interface DeliveryAttempt {
  at: string;
  webhook_id: string;
  event_id: string;
  type: string;
  response_id: string;
  attempt: number;
  status: number | null;
  error?: string;
}

export interface WebhookRequest {
  type: string;
  responseId: string;
  copies?: number | undefined;
  secret?: string | undefined;
  /** Unix seconds to sign instead of the time of each attempt. */
  timestamp?: number | undefined;
  /** Seconds to wait before the first attempt. */
  delay?: number;
}

/** Where letters go. Both are asked anew at each attempt, for an endpoint changes meanwhile. */
interface Receiver {
  /** Null when there is no such receiver any more. */
  url: () => string | null;
  secrets: () => string[];
}

interface Delivery extends WebhookRequest {
  id: string;
  eventId: string;
  body: string;
  to: Receiver;
}

interface AttemptResult {
  status: number | null;
  error?: string;
}

/** Signs, sends, and sends again. */
export class WebhookSender {
  readonly attempts: DeliveryAttempt[] = [];
  readonly #settings: Settings;
  readonly #endpoints: WebhookEndpoints;
  readonly #closing = new AbortController();

  constructor(settings: Settings, endpoints: WebhookEndpoints) {
    this.#settings = settings;
    this.#endpoints = endpoints;
  }

  /** Sends an event to all who want it; gives its first ids at once, or null when there is nowhere to send it. */
  send(order: WebhookRequest): { webhook_id: string; event_id: string } | null {
    const eventId = newId("evt");
    const letters = this.#receivers(order.type).map((to) => createDelivery(order, eventId, to));
    for (const letter of letters) void this.#deliverCopies(letter).catch(() => undefined);
    const [first] = letters;
    return first ? { webhook_id: first.id, event_id: eventId } : null;
  }

  /** Sends an event to one endpoint, once, and gives the answer. */
  async sendTest(endpoint: Endpoint, order: WebhookRequest): Promise<AttemptResult> {
    return this.#attempt(createDelivery(order, newId("evt"), this.#toReceiver(endpoint)), 1);
  }

  close(): void {
    this.#closing.abort();
  }

  #receivers(type: string): Receiver[] {
    const { webhookUrl } = this.#settings;
    const registered = this.#endpoints
      .subscribedTo(type)
      .map((endpoint) => this.#toReceiver(endpoint));
    if (webhookUrl === null) return registered;
    return [
      { url: () => webhookUrl, secrets: () => getSettingsSecrets(this.#settings) },
      ...registered,
    ];
  }

  #toReceiver(endpoint: Endpoint): Receiver {
    return {
      url: () => (this.#endpoints.has(endpoint.id) ? endpoint.url : null),
      secrets: () => getActiveSecrets(endpoint),
    };
  }

  async #deliverCopies(letter: Delivery): Promise<void> {
    await this.#sleep(letter.delay ?? 0);
    const copies = letter.copies ?? this.#settings.webhookCopies;
    for (let copy = 0; copy < copies; copy++) await this.#deliverWithRetries(letter);
  }

  async #deliverWithRetries(letter: Delivery): Promise<void> {
    const end = Date.now() + this.#settings.webhookHours * 3_600_000;
    for (let attempt = 1; ; attempt++) {
      const { status } = await this.#attempt(letter, attempt);
      if (status !== null && status >= 200 && status < 300) return;
      if (letter.to.url() === null) return;
      const { webhookBackoff, webhookBackoffMax } = this.#settings;
      const gap = Math.min(webhookBackoff * 2 ** (attempt - 1), webhookBackoffMax);
      if (Date.now() + gap * 1000 > end) return;
      await this.#sleep(gap);
    }
  }

  async #attempt(letter: Delivery, attempt: number): Promise<AttemptResult> {
    const answer = await this.#post(letter);
    this.#closing.signal.throwIfAborted();
    this.attempts.push({
      at: new Date().toISOString(),
      webhook_id: letter.id,
      event_id: letter.eventId,
      type: letter.type,
      response_id: letter.responseId,
      attempt,
      ...answer,
    });
    this.attempts.splice(0, this.attempts.length - this.#settings.remembered);
    return answer;
  }

  async #post(letter: Delivery): Promise<AttemptResult> {
    const url = letter.to.url();
    if (url === null) return { status: null, error: "The endpoint was deleted." };
    const timeout = AbortSignal.timeout(this.#settings.webhookTimeout * 1000);
    try {
      const response = await fetch(url, {
        method: "POST",
        body: letter.body,
        headers: signHeaders(letter),
        redirect: "manual",
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      await response.body?.cancel();
      return { status: response.status };
    } catch (cause) {
      return { status: null, error: toErrorMessage(cause) };
    }
  }

  async #sleep(seconds: number): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.#closing.signal });
  }
}

function getSettingsSecrets({ webhookSecret, webhookSecretOld }: Settings): string[] {
  return webhookSecretOld === null ? [webhookSecret] : [webhookSecret, webhookSecretOld];
}

function createDelivery(order: WebhookRequest, eventId: string, to: Receiver): Delivery {
  return { ...order, id: newId("wh"), eventId, to, body: toEventBody(order, eventId) };
}

function signHeaders({
  id,
  body,
  secret,
  to,
  timestamp = toUnixSeconds(),
}: Delivery): Record<string, string> {
  const secrets = secret === undefined ? to.secrets() : [secret];
  const signatures = secrets.map((key) => sign({ secret: key, id, timestamp, body }));
  return {
    "content-type": "application/json",
    "user-agent": "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

interface SignedContent {
  secret: string;
  id: string;
  timestamp: number;
  body: string;
}

/** The signature of the Standard Webhooks specification, with its version. */
export function sign({ secret, id, timestamp, body }: SignedContent): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest("base64")}`;
}

function toEventBody({ type, responseId }: WebhookRequest, eventId: string): string {
  const data = { id: responseId };
  return toSpacedJson({ id: eventId, object: "event", created_at: toUnixSeconds(), type, data });
}

/** JSON on one line with a space after every colon and comma, as OpenAI sends it. */
function toSpacedJson(value: unknown): string {
  // Inside a JSON string a line break is always escaped, so each one here is from the indentation.
  return JSON.stringify(value, null, 1)
    .replaceAll(/,\n\s*/g, ", ")
    .replaceAll(/\n\s*/g, "");
}

function toErrorMessage(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  return inner instanceof Error ? inner.message : cause.message;
}
