// The webhook endpoint at OpenAI that sends events to this Worker.
import OpenAI from "openai";

/** The event types that the recorder needs. */
export const EVENT_TYPES = [
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
] as const;

type WebhookEndpoint = OpenAI.Webhooks.WebhookEndpoint;

const REQUEST_TIMEOUT_MS = 60_000;

/** Creates the client that manages endpoints. It retries nothing: a second create would register a second endpoint. */
export function createEndpointClient(apiKey: string, baseURL: string): OpenAI {
  return new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: REQUEST_TIMEOUT_MS });
}

/** Lists all endpoints of the key's project. */
export async function listEndpoints(client: OpenAI): Promise<WebhookEndpoint[]> {
  const endpoints: WebhookEndpoint[] = [];
  for await (const endpoint of client.webhooks.list({ limit: 100 })) endpoints.push(endpoint);
  return endpoints;
}

/**
 * Registers an endpoint for `EVENT_TYPES`.
 * @returns Its id and the signing secret, which OpenAI shows only this once.
 */
export async function registerEndpoint(
  client: OpenAI,
  name: string,
  url: string,
): Promise<{ id: string; secret: string }> {
  const created = await client.webhooks.create({ name, url, event_types: [...EVENT_TYPES] });
  return { id: created.id, secret: created.signing_secret };
}

/**
 * Adds the missing ones of `EVENT_TYPES` to an endpoint, and keeps its other event types.
 * @returns Whether one was missing.
 */
export async function addMissingEventTypes(
  client: OpenAI,
  endpoint: WebhookEndpoint,
): Promise<boolean> {
  const present = new Set(endpoint.event_types);
  if (EVENT_TYPES.every((type) => present.has(type))) return false;
  const event_types = [...new Set([...endpoint.event_types, ...EVENT_TYPES])];
  // Not `webhooks.update`: its type knows fewer event types than an endpoint may have.
  await client.post(`/webhook_endpoints/${endpoint.id}`, { body: { event_types } });
  return true;
}

/**
 * Replaces an endpoint's signing secret.
 * @param keepOld Whether OpenAI signs with the old secret as well for 24 hours.
 * @returns The new secret, which OpenAI shows only this once.
 */
export async function rotateSecret(client: OpenAI, id: string, keepOld: boolean): Promise<string> {
  const params = { keep_old_secret_active_for_24_hours: keepOld };
  return (await client.webhooks.rotateSecret(id, params)).signing_secret;
}

/**
 * Has OpenAI send a test event to an endpoint.
 * @returns The HTTP status of the endpoint's answer.
 */
export async function sendTestEvent(client: OpenAI, id: string): Promise<number> {
  const { status_code } = await client.webhooks.test(id, { event_type: "response.completed" });
  return status_code;
}
