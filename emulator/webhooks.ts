import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { newId, unix } from "./ids.ts";
import type { Settings } from "./settings.ts";

/** One attempt to deliver a webhook. */
export interface Attempt {
  at: string;
  webhook_id: string;
  event_id: string;
  type: string;
  response_id: string;
  attempt: number;
  status: number | null;
  error?: string;
}

export interface Order {
  type: string;
  responseId: string;
  copies?: number | undefined;
  secret?: string | undefined;
  /** Unix seconds to sign instead of the time of each attempt. */
  timestamp?: number | undefined;
  /** Seconds to wait before the first attempt. */
  delay?: number;
}

interface Letter extends Order {
  id: string;
  eventId: string;
  body: string;
  url: string;
}

const KEPT = 10_000;

/** Signs, sends, and sends again. */
export class Webhooks {
  readonly attempts: Attempt[] = [];
  readonly #settings: Settings;
  readonly #closing = new AbortController();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Sends an event; gives its ids at once, or null when there is nowhere to send it. */
  send(order: Order): { webhook_id: string; event_id: string } | null {
    const url = this.#settings.webhookUrl;
    if (url === null) return null;
    const id = newId("wh");
    const eventId = newId("evt");
    const letter = { ...order, id, eventId, url, body: event(order, eventId) };
    void this.#copies(letter).catch(() => undefined);
    return { webhook_id: id, event_id: eventId };
  }

  close(): void {
    this.#closing.abort();
  }

  async #copies(letter: Letter): Promise<void> {
    await this.#sleep(letter.delay ?? 0);
    const copies = letter.copies ?? this.#settings.webhookCopies;
    for (let copy = 0; copy < copies; copy++) await this.#deliver(letter);
  }

  async #deliver(letter: Letter): Promise<void> {
    const end = Date.now() + this.#settings.webhookHours * 3_600_000;
    for (let attempt = 1; ; attempt++) {
      if (await this.#try(letter, attempt)) return;
      const { webhookBackoff, webhookBackoffMax } = this.#settings;
      const gap = Math.min(webhookBackoff * 2 ** (attempt - 1), webhookBackoffMax);
      if (Date.now() + gap * 1000 > end) return;
      await this.#sleep(gap);
    }
  }

  async #try(letter: Letter, attempt: number): Promise<boolean> {
    const { status, error } = await this.#post(letter);
    this.#closing.signal.throwIfAborted();
    this.attempts.push({
      at: new Date().toISOString(),
      webhook_id: letter.id,
      event_id: letter.eventId,
      type: letter.type,
      response_id: letter.responseId,
      attempt,
      status,
      ...(error === undefined ? {} : { error }),
    });
    if (this.attempts.length > KEPT) this.attempts.shift();
    return status !== null && status >= 200 && status < 300;
  }

  async #post(letter: Letter): Promise<{ status: number | null; error?: string }> {
    const timeout = AbortSignal.timeout(this.#settings.webhookTimeout * 1000);
    try {
      const response = await fetch(letter.url, {
        method: "POST",
        body: letter.body,
        headers: this.#headers(letter),
        redirect: "manual",
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      await response.body?.cancel();
      return { status: response.status };
    } catch (cause) {
      return { status: null, error: reason(cause) };
    }
  }

  #headers({ id, body, secret, timestamp = unix() }: Letter): Record<string, string> {
    const { webhookSecret, webhookSecretOld } = this.#settings;
    const secrets = secret === undefined ? [webhookSecret, webhookSecretOld] : [secret];
    const signatures = secrets
      .filter((key) => key !== null)
      .map((key) => sign({ secret: key, id, timestamp, body }));
    return {
      "content-type": "application/json",
      "user-agent": "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)",
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signatures.join(" "),
    };
  }

  async #sleep(seconds: number): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.#closing.signal });
  }
}

interface Signed {
  secret: string;
  id: string;
  timestamp: number;
  body: string;
}

/** The signature of the Standard Webhooks specification, with its version. */
export function sign({ secret, id, timestamp, body }: Signed): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`);
  return `v1,${mac.digest("base64")}`;
}

function event({ type, responseId }: Order, eventId: string): string {
  const data = { id: responseId };
  return spaced({ id: eventId, object: "event", created_at: unix(), type, data });
}

/** JSON on one line with a space after every colon and comma, as OpenAI sends it. */
function spaced(value: unknown): string {
  // Inside a JSON string a line break is always escaped, so each one here is from the indentation.
  return JSON.stringify(value, null, 1)
    .replaceAll(/,\n\s*/g, ", ")
    .replaceAll(/\n\s*/g, "");
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  return inner instanceof Error ? inner.message : cause.message;
}
