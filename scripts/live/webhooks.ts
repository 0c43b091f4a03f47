// Real webhooks on this machine: a tunnel, and a webhook endpoint at OpenAI for as long as this program runs.
import { hostname } from "node:os";
import type OpenAI from "openai";
import { z } from "zod";
import {
  createEndpointClient,
  listEndpoints,
  registerEndpoint,
} from "../deploy/webhook-endpoint.ts";
import { openTunnel, type Tunnel } from "./tunnel.ts";

export type OpenWebhooks = {
  /** The signing secret of OpenAI's endpoint. */
  secret: string;
  /** Deletes the endpoint and closes the tunnel. */
  close(): Promise<void>;
};

export const WebhookOptions = z.object({
  apiKey: z.string(),
  apiUrl: z.string(),
  /** The Worker's port. */
  port: z.number(),
  /** The URL of a tunnel that is open already. */
  tunnelUrl: z.string().nullable(),
});
export type WebhookOptions = z.infer<typeof WebhookOptions>;

/** The name tells the next start which endpoints a crash left behind. */
const ENDPOINT_NAME = `response-recorder npm start --live on ${hostname()}`;

/**
 * Has OpenAI send its webhooks to this machine.
 * @returns Null when that is not possible; the reason is printed.
 */
export async function openWebhooks(options: WebhookOptions): Promise<OpenWebhooks | null> {
  const client = createEndpointClient(options.apiKey, options.apiUrl);
  const removed = await tryTo("list OpenAI's webhook endpoints", () => removeLeftovers(client));
  if (removed === null) return null;
  if (removed > 0) console.log(`Removed ${removed} webhook endpoint that an earlier run left.`);
  console.log("Opening a tunnel for OpenAI's webhooks…");
  const tunnel = await tryTo("open a tunnel", () => getTunnel(options));
  if (tunnel === null) return null;
  const url = `${tunnel.url}/webhook`;
  const endpoint = await tryTo("register a webhook endpoint", () =>
    registerEndpoint(client, ENDPOINT_NAME, url),
  );
  if (endpoint === null) {
    tunnel.close();
    return null;
  }
  console.log(`OpenAI sends its webhooks to ${url} until this program ends.\n`);
  return { secret: endpoint.secret, close: () => closeWebhooks(client, endpoint.id, tunnel) };
}

async function getTunnel({ port, tunnelUrl }: WebhookOptions): Promise<Tunnel> {
  if (tunnelUrl === null) return openTunnel(port);
  return { url: tunnelUrl.replace(/\/+$/, ""), close: () => undefined };
}

async function removeLeftovers(client: OpenAI): Promise<number> {
  const leftovers = (await listEndpoints(client)).filter(({ name }) => name === ENDPOINT_NAME);
  for (const { id } of leftovers) await client.webhooks.delete(id);
  return leftovers.length;
}

async function closeWebhooks(client: OpenAI, endpointId: string, tunnel: Tunnel): Promise<void> {
  await client.webhooks.delete(endpointId).catch((error: unknown) => {
    console.error(`Could not delete the webhook endpoint ${endpointId} (${String(error)}).`);
    console.error("The next npm start -- --live deletes it.");
  });
  tunnel.close();
}

async function tryTo<T>(what: string, task: () => Promise<T>): Promise<T | null> {
  try {
    return await task();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.log(`Could not ${what}: ${why}`);
    console.log("No webhook reaches this machine; the Worker refetches after its deadline, 5 s.\n");
    return null;
  }
}
