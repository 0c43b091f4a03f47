// The webhook endpoint at OpenAI that leads to this Worker.
import OpenAI from "openai";

/** What the recorder must hear of. */
export const EVENTS = [
  "response.completed",
  "response.failed",
  "response.cancelled",
  "response.incomplete",
] as const;

type Found = OpenAI.Webhooks.WebhookEndpoint;

/** The client that manages endpoints. What must not happen twice is not tried twice. */
export function clientOf(key: string, baseURL: string): OpenAI {
  return new OpenAI({ apiKey: key, baseURL, maxRetries: 0, timeout: 60_000 });
}

/** All endpoints of the key's project. */
export async function listEndpoints(client: OpenAI): Promise<Found[]> {
  const found: Found[] = [];
  for await (const endpoint of client.webhooks.list({ limit: 100 })) found.push(endpoint);
  return found;
}

/**
 * Registers an endpoint.
 * @param client OpenAI's client.
 * @param name What it is called in OpenAI's list.
 * @param url Where its events go.
 * @returns Its id and the secret that signs them, which OpenAI shows only now.
 */
export async function register(
  client: OpenAI,
  name: string,
  url: string,
): Promise<{ id: string; secret: string }> {
  const made = await client.webhooks.create({ name, url, event_types: [...EVENTS] });
  return { id: made.id, secret: made.signing_secret };
}

/**
 * Adds what an endpoint doesn't send yet. Whatever else it sends stays.
 * @returns Whether something was missing.
 */
export async function complete(client: OpenAI, endpoint: Found): Promise<boolean> {
  const present = new Set(endpoint.event_types);
  if (EVENTS.every((type) => present.has(type))) return false;
  const event_types = [...new Set([...endpoint.event_types, ...EVENTS])];
  // Not `webhooks.update`: its type knows fewer events than an endpoint may have.
  await client.post(`/webhook_endpoints/${endpoint.id}`, { body: { event_types } });
  return true;
}

/**
 * Gives an endpoint a new secret.
 * @param client OpenAI's client.
 * @param id The endpoint's id.
 * @param overlap Whether the old secret signs as well for 24 hours.
 * @returns The new secret, which OpenAI shows only now.
 */
export async function rotate(client: OpenAI, id: string, overlap: boolean): Promise<string> {
  const wish = { keep_old_secret_active_for_24_hours: overlap };
  return (await client.webhooks.rotateSecret(id, wish)).signing_secret;
}

/**
 * Has OpenAI send a test event.
 * @returns The HTTP status that the endpoint answered.
 */
export async function sendTest(client: OpenAI, id: string): Promise<number> {
  const { status_code } = await client.webhooks.test(id, { event_type: "response.completed" });
  return status_code;
}
