import { ApiError, notFound } from "../errors.ts";
import { newId, toUnixSeconds } from "../lib/ids.ts";
import { generateSecret } from "./signature.ts";

const PREVIOUS_SECRET_LIFETIME_MS = 24 * 3_600_000;

/** What a client chooses about a webhook endpoint. */
export interface EndpointParams {
  name: string;
  url: string;
  event_types: string[];
}

/** A registered webhook endpoint and its signing secrets. */
export interface Endpoint extends EndpointParams {
  id: string;
  /** Unix seconds. */
  createdAt: number;
  /** Unix seconds. */
  updatedAt: number;
  secret: string;
  /** The secret before the last rotation. It signs too, until a time in milliseconds. */
  previousSecret: { secret: string; validUntil: number } | null;
}

/** The webhook endpoints of the project. */
export class WebhookEndpoints {
  readonly #endpoints = new Map<string, Endpoint>();

  create(params: EndpointParams): Endpoint {
    assertAllowedUrl(params.url);
    const now = toUnixSeconds();
    const endpoint: Endpoint = {
      id: newId("whe"),
      ...params,
      createdAt: now,
      updatedAt: now,
      secret: generateSecret(),
      previousSecret: null,
    };
    this.#endpoints.set(endpoint.id, endpoint);
    return endpoint;
  }

  list(): Endpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Returns an endpoint; throws the API's 404 for an unknown id. */
  find(id: string): Endpoint {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint) throw notFound("Webhook endpoint", id);
    return endpoint;
  }

  update(id: string, changes: Partial<EndpointParams>): Endpoint {
    const endpoint = this.find(id);
    if (changes.url !== undefined) assertAllowedUrl(changes.url);
    return Object.assign(endpoint, changes, { updatedAt: toUnixSeconds() });
  }

  /** Replaces an endpoint's secret. With `keepPrevious` the old one also signs for 24 hours. */
  rotateSecret(id: string, { keepPrevious }: { keepPrevious: boolean }): Endpoint {
    const endpoint = this.find(id);
    const previousSecret = keepPrevious
      ? { secret: endpoint.secret, validUntil: Date.now() + PREVIOUS_SECRET_LIFETIME_MS }
      : null;
    return Object.assign(endpoint, {
      secret: generateSecret(),
      previousSecret,
      updatedAt: toUnixSeconds(),
    });
  }

  delete(id: string): void {
    this.find(id);
    this.#endpoints.delete(id);
  }

  has(id: string): boolean {
    return this.#endpoints.has(id);
  }

  /** The endpoints that subscribe to an event type. */
  subscribedTo(type: string): Endpoint[] {
    return this.list().filter(({ event_types }) => event_types.includes(type));
  }
}

/** The secrets that sign an endpoint's webhooks now, newest first. */
export function getActiveSecrets({ secret, previousSecret }: Endpoint): string[] {
  if (previousSecret === null || Date.now() >= previousSecret.validUntil) return [secret];
  return [secret, previousSecret.secret];
}

/** OpenAI accepts only https. The emulator also accepts http to this machine, for which there is no certificate. */
function assertAllowedUrl(text: string): void {
  const { protocol, hostname } = new URL(text);
  const isLoopback = ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
  if (protocol === "https:" || (protocol === "http:" && isLoopback)) return;
  const message = "Invalid value for 'url': Expected an https URL.";
  throw new ApiError(400, message, { param: "url", code: "invalid_value" });
}
