// The post office between OpenAI and the Worker: it takes each webhook that the emulator sends, and delivers it as the schedule says.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { sign } from "../../../emulator/webhooks/signature.ts";
import { freePort } from "../../../scripts/lib/free-port.ts";
import type { Letter, Mail, Signed } from "./webhook-schedule.ts";

/** One attempt to deliver one letter. */
export type Delivery = {
  at: string;
  id: string;
  mail: string;
  signed: Signed;
  webhookId: string;
  attempt: number;
  /** What the Worker answered; null when it did not. */
  status: number | null;
};

/** The secrets of the rotation: what OpenAI signs with now, with before, and what somebody else would. */
export type Secrets = { now: string; old: string; wrong: string };

type Options = {
  secrets: Secrets;
  /** How the mail of a response is to travel. */
  mailOf: (id: string) => Promise<Mail>;
  /** Posts to the Worker once it is up; gives the status, or null when there was no answer. */
  deliver: (body: string, headers: Record<string, string>) => Promise<number | null>;
  /** Told when the Worker has accepted a webhook. */
  accepted: (id: string) => void;
};

const Event = z.looseObject({ data: z.object({ id: z.string() }) });

/** Tries for one letter, and the longest gap between them in seconds. */
const MOST_TRIES = 40;
const LONGEST_GAP = 3;
/** Seconds by which a stale letter is old. */
const STALE = 600;

/** The post office. */
export class Post {
  readonly deliveries: Delivery[] = [];
  readonly #options: Options;
  readonly #server: Server;
  readonly #open = new Set<Promise<void>>();
  #number = 0;
  url = "";

  constructor(options: Options) {
    this.#options = options;
    this.#server = createServer((request, answer) => {
      void text(request).then((body) => {
        const { data } = Event.parse(JSON.parse(body));
        this.send(data.id, body);
        return answer.end();
      });
    });
  }

  /** Opens; the emulator's webhooks go to its `url`. */
  async open(): Promise<void> {
    const port = await freePort();
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** Takes a webhook, to be delivered as its response's schedule says. */
  send(id: string, body: string): void {
    const work = this.#all(id, body).finally(() => this.#open.delete(work));
    this.#open.add(work);
  }

  /** How many webhooks are not delivered yet. */
  get waiting(): number {
    return this.#open.size;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #all(id: string, body: string): Promise<void> {
    const mail = await this.#options.mailOf(id);
    this.#number += 1;
    const webhookId = `wh_soak_${this.#number}`;
    await Promise.all(
      mail.letters.map((letter) => this.#one({ id, body, webhookId, mail: mail.name, letter })),
    );
  }

  async #one(order: {
    id: string;
    body: string;
    webhookId: string;
    mail: string;
    letter: Letter;
  }): Promise<void> {
    const { id, body, webhookId, mail, letter } = order;
    const { signed } = letter;
    await sleep(letter.after * 1000);
    for (let attempt = 1; attempt <= MOST_TRIES; attempt += 1) {
      const headers = headersOf(webhookId, body, signed, this.#options.secrets);
      const status = await this.#options.deliver(body, headers);
      const at = new Date().toISOString();
      this.deliveries.push({ at, id, mail, signed, webhookId, attempt, status });
      if (status === 200) return this.#options.accepted(id);
      if (status === 400) return undefined;
      await sleep(Math.min(0.25 * 2 ** attempt, LONGEST_GAP) * 1000);
    }
    return undefined;
  }
}

function headersOf(
  id: string,
  body: string,
  signed: Signed,
  { now, old, wrong }: Secrets,
): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000) - (signed === "stale" ? STALE : 0);
  const used: Record<Signed, string[]> = {
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
    "webhook-signature": used[signed]
      .map((secret) => sign({ secret, id, timestamp, body }))
      .join(" "),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
