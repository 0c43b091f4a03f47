// Stands between the emulator and the Worker: receives each webhook, and delivers it by the schedule of its response.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { sign } from "../../../emulator/webhooks/signature.ts";
import { freePort } from "../../../scripts/lib/free-port.ts";
import type { PlannedDelivery, WebhookSchedule, SignatureKind } from "./webhook-schedule.ts";

/** An attempt to deliver a webhook. */
export type RelayedDelivery = {
  at: string;
  id: string;
  schedule: string;
  signature: SignatureKind;
  webhookId: string;
  attempt: number;
  /** The Worker's status; null without an answer. */
  status: number | null;
};

/** OpenAI's secret, the one before the rotation, and one that is not OpenAI's. */
export type Secrets = { now: string; old: string; wrong: string };

type RelayOptions = {
  secrets: Secrets;
  /** Returns the schedule of a response's webhook. */
  findSchedule: (id: string) => Promise<WebhookSchedule>;
  /** Posts to the Worker once it is ready; returns the status, or null without an answer. */
  deliver: (body: string, headers: Record<string, string>) => Promise<number | null>;
  /** Called when the Worker has accepted a webhook. */
  onAccepted: (id: string) => void;
};

const Event = z.looseObject({ data: z.object({ id: z.string() }) });

const MAX_ATTEMPTS = 40;
const MAX_GAP_SECONDS = 3;
/** The age of a stale delivery. */
const STALE_SECONDS = 600;

export class WebhookRelay {
  readonly deliveries: RelayedDelivery[] = [];
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pending = new Set<Promise<void>>();
  #number = 0;
  url = "";

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer((request, answer) => {
      void readBody(request).then((body) => {
        const { data } = Event.parse(JSON.parse(body));
        this.relay(data.id, body);
        return answer.end();
      });
    });
  }

  /** Starts to listen at `url`. */
  async open(): Promise<void> {
    const port = await freePort();
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** Delivers a webhook by the schedule of its response. */
  relay(id: string, body: string): void {
    const work = this.#relayAll(id, body).finally(() => this.#pending.delete(work));
    this.#pending.add(work);
  }

  /** How many webhooks are not yet delivered. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #relayAll(id: string, body: string): Promise<void> {
    const { name, deliveries } = await this.#options.findSchedule(id);
    this.#number += 1;
    const webhookId = `wh_soak_${this.#number}`;
    await Promise.all(
      deliveries.map((delivery) =>
        this.#deliver({ id, body, webhookId, schedule: name, delivery }),
      ),
    );
  }

  async #deliver(webhook: {
    id: string;
    body: string;
    webhookId: string;
    schedule: string;
    delivery: PlannedDelivery;
  }): Promise<void> {
    const { id, body, webhookId, schedule, delivery } = webhook;
    const { signature, afterSeconds } = delivery;
    await sleep(afterSeconds * 1000);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const headers = signHeaders(webhookId, body, signature, this.#options.secrets);
      const status = await this.#options.deliver(body, headers);
      const at = new Date().toISOString();
      this.deliveries.push({ at, id, schedule, signature, webhookId, attempt, status });
      if (status === 200) return this.#options.onAccepted(id);
      if (status === 400) return undefined;
      await sleep(Math.min(0.25 * 2 ** attempt, MAX_GAP_SECONDS) * 1000);
    }
    return undefined;
  }
}

function signHeaders(
  id: string,
  body: string,
  signature: SignatureKind,
  { now, old, wrong }: Secrets,
): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000) - (signature === "stale" ? STALE_SECONDS : 0);
  const secrets: Record<SignatureKind, string[]> = {
    right: [now],
    stale: [now],
    old: [old],
    both: [now, old],
    wrong: [wrong],
  };
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": secrets[signature]
      .map((secret) => sign({ secret, id, timestamp, body }))
      .join(" "),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
