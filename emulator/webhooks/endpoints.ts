import { randomBytes } from "node:crypto";
import { ApiError, notFound } from "../errors.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";

const OLD_SECRET_LIFETIME_MS = 24 * 3_600_000;

/** What a webhook endpoint is asked to be. */
export interface EndpointParams {
  name: string;
  url: string;
  event_types: string[];
}

/** A registered webhook endpoint, with the secrets that sign what is sent to it. */
export interface Endpoint extends EndpointParams {
  id: string;
  createdAt: number;
  updatedAt: number;
  secret: string;
  /** The secret before the last rotation, and until when, in milliseconds, it still signs. */
  previousSecret: { secret: string; until: number } | null;
}

/** The webhook endpoints of the project. */
export class WebhookEndpoints {
  readonly #all = new Map<string, Endpoint>();

  create(wish: EndpointParams): Endpoint {
    assertAllowedUrl(wish.url);
    const now = toUnixSeconds();
    const made = {
      ...wish,
      createdAt: now,
      updatedAt: now,
      secret: generateSecret(),
      previousSecret: null,
    };
    const endpoint: Endpoint = { id: newId("whe"), ...made };
    this.#all.set(endpoint.id, endpoint);
    return endpoint;
  }

  list(): Endpoint[] {
    return [...this.#all.values()];
  }

  find(id: string): Endpoint {
    const found = this.#all.get(id);
    if (!found) throw notFound("Webhook endpoint", id);
    return found;
  }

  update(id: string, changes: Partial<EndpointParams>): Endpoint {
    const endpoint = this.find(id);
    if (changes.url !== undefined) assertAllowedUrl(changes.url);
    return Object.assign(endpoint, changes, { updatedAt: toUnixSeconds() });
  }

  /** Gives the endpoint a new secret. The one before signs as well for 24 hours, or dies at once. */
  rotate(id: string, { overlap }: { overlap: boolean }): Endpoint {
    const endpoint = this.find(id);
    const previousSecret = overlap
      ? { secret: endpoint.secret, until: Date.now() + OLD_SECRET_LIFETIME_MS }
      : null;
    return Object.assign(endpoint, {
      secret: generateSecret(),
      previousSecret,
      updatedAt: toUnixSeconds(),
    });
  }

  delete(id: string): void {
    this.find(id);
    this.#all.delete(id);
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** The endpoints that want events of this type. */
  subscribedTo(type: string): Endpoint[] {
    return this.list().filter(({ event_types }) => event_types.includes(type));
  }
}

/** The secrets that sign what is sent to an endpoint now, the newest first. */
export function getActiveSecrets({ secret, previousSecret: old }: Endpoint): string[] {
  return old !== null && Date.now() < old.until ? [secret, old.secret] : [secret];
}

function generateSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

// OpenAI takes https only. Plain http to this machine is allowed here, for there is no certificate for it.
function assertAllowedUrl(text: string): void {
  const { protocol, hostname } = new URL(text);
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  if (protocol === "https:" || (protocol === "http:" && local)) return;
  const message = "Invalid value for 'url': Expected an https URL.";
  throw new ApiError(400, message, { param: "url", code: "invalid_value" });
}
