// Real webhooks on this machine: a tunnel, and a webhook endpoint at OpenAI for as long as this runs.
import { hostname } from "node:os";
import type OpenAI from "openai";
import { z } from "zod";
import { clientOf, listEndpoints, register } from "../deploy/webhook-endpoint.ts";
import { openTunnel, type Tunnel } from "./tunnel.ts";

export type Live = {
  /** Signs what OpenAI sends. */
  secret: string;
  /** Takes the endpoint away again. */
  close(): Promise<void>;
};

export const Options = z.object({
  key: z.string(),
  baseUrl: z.string(),
  /** The Worker's. */
  port: z.number(),
  /** The URL of a tunnel that is there already. */
  tunnel: z.string().nullable(),
});
export type Options = z.infer<typeof Options>;

/** By its name an endpoint that a crash left behind is known again. */
const NAME = `response-recorder npm start --live on ${hostname()}`;

/**
 * Has OpenAI send its webhooks here.
 * @param options The API, and the way to the Worker.
 * @returns Null when that can't be had; why is said.
 */
export async function openWebhooks({ key, baseUrl, port, tunnel }: Options): Promise<Live | null> {
  const client = clientOf(key, baseUrl);
  const removed = await attempt("OpenAI's webhook endpoints", () => removeLeftovers(client));
  if (removed === null) return null;
  if (removed > 0) console.log(`Removed ${removed} webhook endpoint that an earlier run left.`);
  console.log("Opening a tunnel for OpenAI's webhooks…");
  const opened = await attempt("A tunnel", () => tunnelFor(port, tunnel));
  if (opened === null) return null;
  const url = `${opened.url}/webhook`;
  const made = await attempt("A webhook endpoint", () => register(client, NAME, url));
  if (made === null) {
    opened.close();
    return null;
  }
  console.log(`OpenAI sends its webhooks to ${url} until this ends.\n`);
  return { secret: made.secret, close: () => closeAll(client, made.id, opened) };
}

async function tunnelFor(port: number, url: string | null): Promise<Tunnel> {
  if (url === null) return openTunnel(port);
  return { url: url.replace(/\/+$/, ""), close: () => undefined };
}

async function removeLeftovers(client: OpenAI): Promise<number> {
  const left = (await listEndpoints(client)).filter(({ name }) => name === NAME);
  for (const { id } of left) await client.webhooks.delete(id);
  return left.length;
}

async function closeAll(client: OpenAI, id: string, tunnel: Tunnel): Promise<void> {
  await client.webhooks.delete(id).catch((error: unknown) => {
    console.error(`The webhook endpoint ${id} is still there (${String(error)}).`);
    console.error("The next npm start -- --live removes it.");
  });
  tunnel.close();
}

async function attempt<T>(what: string, how: () => Promise<T>): Promise<T | null> {
  try {
    return await how();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.log(`${what} can't be had: ${why}`);
    console.log("No webhook reaches this machine; the deadline, 5 seconds, does its work.\n");
    return null;
  }
}
