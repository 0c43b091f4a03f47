import { createServer } from "node:http";
import { afterAll } from "vitest";
import * as z from "zod";
import { pollUntil } from "./setup.ts";

export interface ReceivedWebhook {
  headers: Headers;
  body: string;
}

export interface WebhookReceiver {
  url: string;
  /** The webhooks received since the last `clear`. */
  received: ReceivedWebhook[];
  /** Waits until a number of webhooks has been received; returns them all. */
  waitFor: (count: number) => Promise<ReceivedWebhook[]>;
  /** Waits for the first webhook. */
  waitForFirst: () => Promise<ReceivedWebhook>;
  clear: () => void;
}

/** Starts an HTTP server that collects webhooks until the test file ends. `nextStatus` returns the status of each response. */
export async function startWebhookReceiver(nextStatus: () => number): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
      received.push({ headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(nextStatus(), { location: "/elsewhere" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => server.closeAllConnections());
  afterAll(() => server.close());
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const waitFor = (count: number) =>
    pollUntil(
      async () => received,
      (webhooks) => webhooks.length >= count,
    );
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    received,
    waitFor,
    async waitForFirst() {
      const [first] = await waitFor(1);
      if (!first) throw new Error("No webhook was received.");
      return first;
    },
    clear: () => void received.splice(0),
  };
}
