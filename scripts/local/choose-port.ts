// The port of the Worker on this machine.
import { freePort, isPortFree } from "../lib/free-port.ts";

/** wrangler's own default, and the one that the docs name. */
const DEFAULT_PORT = 8787;

/**
 * Chooses the Worker's port.
 * @param requested The value of `--port`; undefined takes 8787, or a free one while another program listens there.
 * @param warn Is told why it is not 8787.
 * @throws When the requested port is not a port, or not free.
 */
export async function choosePort(
  requested: string | undefined,
  warn: (message: string) => void,
): Promise<number> {
  if (requested !== undefined) return parsePort(requested);
  if (await isPortFree(DEFAULT_PORT)) return DEFAULT_PORT;
  const port = await freePort();
  warn(
    `Another program listens on port ${DEFAULT_PORT}, so the Worker takes ${port}. To choose one: npm start -- --port N`,
  );
  return port;
}

async function parsePort(text: string): Promise<number> {
  const port = Number(text);
  if (text.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port must be a number from 0 to 65535, not ${text}.`);
  if (port === 0) return freePort();
  if (await isPortFree(port)) return port;
  throw new Error(
    `Another program listens on port ${port}. Choose another --port, or 0 for a free one.`,
  );
}
