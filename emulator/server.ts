import { once } from "node:events";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { createApp } from "./app.ts";
import type { Log } from "./lib/log.ts";
import type { ScriptParams } from "./scripts/schema.ts";
import { type Settings, withDefaults } from "./settings.ts";
import { createState, disposeState } from "./state.ts";

/**
 * How long an idle connection stays open: longer than clients keep theirs. If the server closed one while a client reuses it, the client's
 * request would fail, and a POST cannot be repeated safely. https://nodejs.org/api/http.html#serverkeepalivetimeout
 */
const KEEP_ALIVE_TIMEOUT_MS = 10 * 60_000;

export interface Emulator {
  /** The base URL without `/v1`, such as "http://127.0.0.1:9000". */
  url: string;
  port: number;
  /** The secret that signs its webhooks. */
  webhookSecret: string;
  /** Says what the model answers to the next requests that match. Throws if the script is malformed. */
  script: (script: ScriptParams) => void;
  /** Closes connections, timers and interpreters. Calling it again has no effect. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Takes a line for each call that raised an exception, and the like. */
  log?: Log;
}

/** Starts an emulator; resolves when it accepts requests. Rejects when the port is in use. */
export async function startEmulator(
  changes: Partial<Settings> = {},
  { log = () => undefined }: StartOptions = {},
): Promise<Emulator> {
  const settings = withDefaults(changes);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
  const port = await listen(server, settings);
  const state = createState({ ...settings, port }, log);
  const listener = getRequestListener(createApp(state).fetch);
  server.on("request", (incoming, outgoing) => void listener(incoming, outgoing));
  const shutDown = async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await Promise.all([closed, disposeState(state)]);
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  return {
    url: `http://${host}:${port}`,
    port,
    webhookSecret: settings.webhookSecret,
    script: (script) => state.scripts.add(script),
    close,
  };
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
