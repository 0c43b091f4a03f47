// A tunnel from the internet to a port of this machine.
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

export type Tunnel = { url: string; close(): void };

const WRANGLER = fileURLToPath(
  new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);
const ADDRESS = /https:\/\/[a-z0-9-]+\.trycloudflare\.com/;
/** Milliseconds after which there will be no tunnel; the first one downloads cloudflared. */
const PATIENCE = 60_000;

/**
 * Opens one of Cloudflare's quick tunnels, which need no account.
 * @param port The port it leads to.
 * @throws With wrangler's words, when there is none to be had.
 */
export async function openTunnel(port: number): Promise<Tunnel> {
  const args = [WRANGLER, "tunnel", "quick-start", `http://127.0.0.1:${port}`];
  // wrangler's own words are read for the address, so they are not to be kept quiet.
  const env: NodeJS.ProcessEnv = { ...process.env, WRANGLER_LOG: "log" };
  delete env["OPENAI_API_KEY"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const close = () => void child.kill();
  try {
    return { url: await addressOf(child), close };
  } catch (error) {
    close();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let words = "";
    const giveUp = (why: string) => reject(new Error(`${why}\n${words.trim()}`));
    const timer = setTimeout(() => giveUp("the tunnel has no address yet."), PATIENCE);
    const read = (chunk: unknown) => {
      words += String(chunk);
      const [address] = ADDRESS.exec(words) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", read);
    child.once("close", () => {
      clearTimeout(timer);
      giveUp("wrangler's tunnel ended.");
    });
  });
}
