import { toErrorMessage } from "../lib/error-message.ts";
import { History } from "../lib/history.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import { sleepSeconds } from "../lib/sleep.ts";
import type { Settings } from "../settings.ts";
import { type Endpoint, getActiveSecrets, type WebhookEndpoints } from "./endpoints.ts";
import { sign } from "./signature.ts";

const MS_PER_HOUR = 3_600_000;

/** One attempt to deliver a webhook, as `/_emulator/deliveries` shows it. */
export interface DeliveryAttempt {
  at: string;
  webhook_id: string;
  event_id: string;
  type: string;
  response_id: string;
  /** Counted from 1. */
  attempt: number;
  /** The receiver's status; null if there was no answer. */
  status: number | null;
  error?: string;
}

/** A request to send an event. */
export interface WebhookRequest {
  type: string;
  responseId: string;
  /** How often the webhook is delivered; the setting `webhookCopies` by default. */
  copies?: number | undefined;
  /** Signs instead of the receiver's secrets. */
  secret?: string | undefined;
  /** Unix seconds to sign instead of the time of each attempt. */
  timestamp?: number | undefined;
  /** Seconds before the first attempt. */
  delaySeconds?: number;
}

/** Where deliveries go. Each attempt reads both again, because an endpoint can change between attempts. */
interface Receiver {
  /** Returns null once the endpoint is deleted. */
  getUrl: () => string | null;
  getSecrets: () => string[];
}

/** One event on its way to one receiver. Its copies and retries share id and body. */
interface Delivery extends WebhookRequest {
  id: string;
  eventId: string;
  body: string;
  receiver: Receiver;
}

interface AttemptResult {
  status: number | null;
  error?: string;
}

/** Signs webhooks, delivers them, and retries. */
export class WebhookSender {
  readonly #attempts: History<DeliveryAttempt>;
  readonly #settings: Settings;
  readonly #endpoints: WebhookEndpoints;
  readonly #closing = new AbortController();

  constructor(settings: Settings, endpoints: WebhookEndpoints) {
    this.#settings = settings;
    this.#endpoints = endpoints;
    this.#attempts = new History(() => settings.historySize);
  }

  get attempts(): readonly DeliveryAttempt[] {
    return this.#attempts.entries;
  }

  /** Starts sending an event to all its receivers. Returns the ids of the first delivery; null without a receiver. */
  send(request: WebhookRequest): { webhook_id: string; event_id: string } | null {
    const eventId = newId("evt");
    const receivers = this.#findReceivers(request.type);
    const deliveries = receivers.map((receiver) => createDelivery(request, eventId, receiver));
    for (const delivery of deliveries) void this.#deliverCopies(delivery).catch(() => undefined);
    const [first] = deliveries;
    return first ? { webhook_id: first.id, event_id: eventId } : null;
  }

  /** Sends an event to one endpoint, without retries. */
  async sendTest(endpoint: Endpoint, request: WebhookRequest): Promise<AttemptResult> {
    const delivery = createDelivery(request, newId("evt"), this.#toReceiver(endpoint));
    return this.#attemptDelivery(delivery, 1);
  }

  /** Aborts attempts and pending retries. */
  close(): void {
    this.#closing.abort();
  }

  #findReceivers(type: string): Receiver[] {
    const { webhookUrl } = this.#settings;
    const subscribed = this.#endpoints.subscribedTo(type);
    const receivers = subscribed.map((endpoint) => this.#toReceiver(endpoint));
    if (webhookUrl === null) return receivers;
    const getSecrets = () => getConfiguredSecrets(this.#settings);
    return [{ getUrl: () => webhookUrl, getSecrets }, ...receivers];
  }

  #toReceiver(endpoint: Endpoint): Receiver {
    return {
      getUrl: () => (this.#endpoints.has(endpoint.id) ? endpoint.url : null),
      getSecrets: () => getActiveSecrets(endpoint),
    };
  }

  async #deliverCopies(delivery: Delivery): Promise<void> {
    await this.#sleepSeconds(delivery.delaySeconds ?? 0);
    const copies = delivery.copies ?? this.#settings.webhookCopies;
    for (let copy = 0; copy < copies; copy++) await this.#deliverWithRetries(delivery);
  }

  async #deliverWithRetries(delivery: Delivery): Promise<void> {
    const deadline = Date.now() + this.#settings.webhookHours * MS_PER_HOUR;
    for (let attempt = 1; ; attempt++) {
      const { status } = await this.#attemptDelivery(delivery, attempt);
      if (status !== null && status >= 200 && status < 300) return;
      if (delivery.receiver.getUrl() === null) return;
      const { webhookBackoff, webhookBackoffMax } = this.#settings;
      const gapSeconds = Math.min(webhookBackoff * 2 ** (attempt - 1), webhookBackoffMax);
      if (Date.now() + gapSeconds * 1000 > deadline) return;
      await this.#sleepSeconds(gapSeconds);
    }
  }

  async #attemptDelivery(delivery: Delivery, attempt: number): Promise<AttemptResult> {
    const result = await this.#post(delivery);
    this.#closing.signal.throwIfAborted();
    this.#attempts.add({
      at: new Date().toISOString(),
      webhook_id: delivery.id,
      event_id: delivery.eventId,
      type: delivery.type,
      response_id: delivery.responseId,
      attempt,
      ...result,
    });
    return result;
  }

  async #post(delivery: Delivery): Promise<AttemptResult> {
    const url = delivery.receiver.getUrl();
    if (url === null) return { status: null, error: "The endpoint was deleted." };
    const timeout = AbortSignal.timeout(this.#settings.webhookTimeout * 1000);
    try {
      const response = await fetch(url, {
        method: "POST",
        body: delivery.body,
        headers: signedHeaders(delivery),
        redirect: "manual",
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      await response.body?.cancel();
      return { status: response.status };
    } catch (cause) {
      return { status: null, error: toFetchErrorMessage(cause) };
    }
  }

  async #sleepSeconds(seconds: number): Promise<void> {
    await sleepSeconds(seconds, this.#closing.signal);
  }
}

function getConfiguredSecrets({ webhookSecret, webhookSecretOld }: Settings): string[] {
  return webhookSecretOld === null ? [webhookSecret] : [webhookSecret, webhookSecretOld];
}

function createDelivery(request: WebhookRequest, eventId: string, receiver: Receiver): Delivery {
  const body = toEventBody(request, eventId);
  return { ...request, id: newId("wh"), eventId, receiver, body };
}

function signedHeaders(delivery: Delivery): Record<string, string> {
  const { id, body, secret, receiver, timestamp = toUnixSeconds() } = delivery;
  const secrets = secret === undefined ? receiver.getSecrets() : [secret];
  const signatures = secrets.map((key) => sign({ secret: key, id, timestamp, body }));
  return {
    "content-type": "application/json",
    "user-agent": "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

function toEventBody({ type, responseId }: WebhookRequest, eventId: string): string {
  const data = { id: responseId };
  return toSpacedJson({ id: eventId, object: "event", created_at: toUnixSeconds(), type, data });
}

/** JSON on one line with a space after each colon and comma, as OpenAI sends it. */
function toSpacedJson(value: unknown): string {
  // A line break inside a JSON string is escaped, so each one here comes from the indentation.
  return JSON.stringify(value, null, 1)
    .replaceAll(/,\n\s*/g, ", ")
    .replaceAll(/\n\s*/g, "");
}

/** `fetch` rejects with "fetch failed"; the reason is in its cause. */
function toFetchErrorMessage(error: unknown): string {
  const hasReason = error instanceof Error && error.cause instanceof Error;
  return toErrorMessage(hasReason ? error.cause : error);
}
