// A tunnel from the internet to a port of this machine.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { captureOutput } from "../lib/process-output.ts";

export type Tunnel = { url: string; close(): void };

const WRANGLER_PATH = fileURLToPath(
  new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);
const TUNNEL_URL = /https:\/\/[a-z0-9-]+\.trycloudflare\.com/;
/** This long because the first tunnel downloads cloudflared. */
const OPEN_TIMEOUT_MS = 60_000;

/**
 * Opens one of Cloudflare's quick tunnels, which need no account.
 * @param port The port that the tunnel leads to.
 * @throws With wrangler's output, when no tunnel opens.
 */
export async function openTunnel(port: number): Promise<Tunnel> {
  const args = [WRANGLER_PATH, "tunnel", "quick-start", `http://127.0.0.1:${port}`];
  // The URL is read from wrangler's output, so WRANGLER_LOG must not silence it.
  const env: NodeJS.ProcessEnv = { ...process.env, WRANGLER_LOG: "log" };
  delete env["OPENAI_API_KEY"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const close = () => void child.kill();
  try {
    const [url] = await captureOutput(child, "wrangler").waitFor(TUNNEL_URL, OPEN_TIMEOUT_MS);
    return { url, close };
  } catch (error) {
    close();
    throw error;
  }
}
