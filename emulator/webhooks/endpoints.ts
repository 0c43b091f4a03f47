import { randomBytes } from "node:crypto";
import { ApiError, missing } from "../errors.ts";
import { newId, unix } from "../lib/ids.ts";

const OVERLAP = 24 * 3_600_000;

/** What a webhook endpoint is asked to be. */
export interface Wish {
  name: string;
  url: string;
  event_types: string[];
}

/** A registered webhook endpoint, with the secrets that sign what is sent to it. */
export interface Endpoint extends Wish {
  id: string;
  createdAt: number;
  updatedAt: number;
  secret: string;
  /** The secret before the last rotation, and until when, in milliseconds, it still signs. */
  old: { secret: string; until: number } | null;
}

/** The webhook endpoints of the project. */
export class Endpoints {
  readonly #all = new Map<string, Endpoint>();

  create(wish: Wish): Endpoint {
    checkUrl(wish.url);
    const now = unix();
    const made = { ...wish, createdAt: now, updatedAt: now, secret: newSecret(), old: null };
    const endpoint: Endpoint = { id: newId("whe"), ...made };
    this.#all.set(endpoint.id, endpoint);
    return endpoint;
  }

  list(): Endpoint[] {
    return [...this.#all.values()];
  }

  find(id: string): Endpoint {
    const found = this.#all.get(id);
    if (!found) throw missing("Webhook endpoint", id);
    return found;
  }

  update(id: string, changes: Partial<Wish>): Endpoint {
    const endpoint = this.find(id);
    if (changes.url !== undefined) checkUrl(changes.url);
    return Object.assign(endpoint, changes, { updatedAt: unix() });
  }

  /** Gives the endpoint a new secret. The one before signs as well for 24 hours, or dies at once. */
  rotate(id: string, { overlap }: { overlap: boolean }): Endpoint {
    const endpoint = this.find(id);
    const old = overlap ? { secret: endpoint.secret, until: Date.now() + OVERLAP } : null;
    return Object.assign(endpoint, { secret: newSecret(), old, updatedAt: unix() });
  }

  delete(id: string): void {
    this.find(id);
    this.#all.delete(id);
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** The endpoints that want events of this type. */
  for(type: string): Endpoint[] {
    return this.list().filter(({ event_types }) => event_types.includes(type));
  }
}

/** The secrets that sign what is sent to an endpoint now, the newest first. */
export function secretsOf({ secret, old }: Endpoint): string[] {
  return old !== null && Date.now() < old.until ? [secret, old.secret] : [secret];
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

// OpenAI takes https only. Plain http to this machine is allowed here, for there is no certificate for it.
function checkUrl(text: string): void {
  const { protocol, hostname } = new URL(text);
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  if (protocol === "https:" || (protocol === "http:" && local)) return;
  const message = "Invalid value for 'url': Expected an https URL.";
  throw new ApiError(400, message, { param: "url", code: "invalid_value" });
}
