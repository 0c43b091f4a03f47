// A receiver of notifications: an HTTP server whose answers a test scripts.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { waitUntil } from "./wait.ts";

/** An answer's status; a redirect leads to another path of the same server. `hang`: it never answers. */
export type ReceiverAnswer = number | "hang";

export type ReceivedNotification = {
  path: string;
  headers: Record<string, string>;
  body: string;
  event: NotificationEvent;
};

export type NotificationReceiver = {
  url: string;
  /** What came so far, also what was refused. */
  received: ReceivedNotification[];
  /** What came for a response. */
  about(id: string): ReceivedNotification[];
  /** Waits until so many came for a response; returns them all. */
  waitFor(id: string, count?: number): Promise<ReceivedNotification[]>;
  close(): Promise<void>;
};

const NotificationEvent = z.object({
  id: z.string(),
  object: z.string(),
  type: z.string(),
  created_at: z.number(),
  data: z.object({
    id: z.string(),
    verdict: z.string(),
    result_url: z.string(),
    metadata: z.record(z.string(), z.string()),
  }),
});
export type NotificationEvent = z.infer<typeof NotificationEvent>;

/**
 * Starts a receiver.
 * @param answer Its answer to a notification. `attempt` counts those for the same response from 1.
 * @param port A free one if none is given.
 */
export async function startNotificationReceiver(
  answer: (
    attempt: number,
    notification: ReceivedNotification,
  ) => ReceiverAnswer | Promise<ReceiverAnswer> = () => 200,
  port = 0,
): Promise<NotificationReceiver> {
  const received: ReceivedNotification[] = [];
  const about = (id: string) => received.filter(({ event }) => event.data.id === id);
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Uint8Array).parse(chunk));
    const body = Buffer.concat(chunks).toString();
    const event = NotificationEvent.parse(JSON.parse(body));
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const path = request.url ?? "";
    const notification = { path, headers: Object.fromEntries(headers), body, event };
    received.push(notification);
    const status = await answer(about(event.data.id).length, notification);
    if (status !== "hang") response.writeHead(status, { location: "/elsewhere" }).end("received");
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    about,
    async waitFor(id, count = 1) {
      await waitUntil(() => Promise.resolve(about(id).length >= count));
      return about(id);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
