import { once } from "node:events";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import { withDefaults, type Settings } from "./settings.ts";
import { createState, dispose } from "./state.ts";

/**
 * Milliseconds that an idle connection is kept: longer than clients keep theirs. One that is closed at the moment a client uses it again fails
 * a request that cannot be sent twice. https://nodejs.org/api/http.html#serverkeepalivetimeout
 */
const KEEP_ALIVE_TIMEOUT_MS = 10 * 60_000;

export interface Emulator {
  /** Where it listens, as in "http://127.0.0.1:9000": without `/v1`. */
  url: string;
  port: number;
  /** The secret that its webhooks are signed with. */
  webhookSecret: string;
  /** Ends everything: connections, timers, interpreters. */
  close(): Promise<void>;
}

/** Starts an emulator; resolves when it answers. Rejects when the port is taken. */
export async function startEmulator(given: Partial<Settings> = {}): Promise<Emulator> {
  const settings = withDefaults(given);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
  const port = await listen(server, settings);
  const state = createState({ ...settings, port });
  const listener = getRequestListener(createApp(state).fetch);
  server.on("request", (incoming, outgoing) => void listener(incoming, outgoing));
  const shut = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await Promise.all([closed, dispose(state)]);
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shut());
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  return { url: `http://${host}:${port}`, port, webhookSecret: settings.webhookSecret, close };
}

type Server = ReturnType<typeof createServer>;

async function listen(server: Server, { port, host }: Settings): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  return address.port;
}
