// Programs of their own, as they would run apart: the emulator, and each Worker in workerd. All of them end with this one.
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../scripts/port.ts";
import { startChild, type Child } from "../test/support/child.ts";

export const TOKEN = "a-token-for-the-bench-only";
export const API_KEY = "sk-emulated-for-the-bench";
export const WEBHOOK_SECRET = "whsec_c2VjcmV0LWZvci10aGUtYmVuY2gtb25seS0x";

/** A program that answers at a URL. */
export type Served = { url: string; child: Child; close(): Promise<void> };

/** Starts the emulator, its runs without any delay. */
export async function serveApi(): Promise<Served> {
  const port = await freePort();
  const settings = {
    port,
    "api-key": API_KEY,
    "webhook-secret": WEBHOOK_SECRET,
    "background-outputs": "present",
    "queue-seconds": 0,
    "run-seconds": 0,
    interpreters: 1,
    "history-size": 100_000,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return served(port, [process.execPath, "emulator/index.ts", ...flags], {});
}

/**
 * Starts a Worker.
 * @param config Its wrangler.toml.
 * @param state The folder of its KV and Workflows.
 * @param api The emulator's URL.
 * @param heap Megabytes that V8 may take, where that is limited.
 */
export async function serveWorker(
  config: string,
  state: string,
  api: string,
  heap?: number,
): Promise<Served> {
  const port = await freePort();
  const vars = {
    OPENAI_BASE_URL: `${api}/v1`,
    OPENAI_API_KEY: API_KEY,
    OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ACCESS_TOKEN: TOKEN,
  };
  const given = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const where = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "dev", "--config", config];
  const rest = ["--persist-to", state, "--show-interactive-dev-session=false"];
  const flags = heap === undefined ? "" : `--max-heap-size=${heap}`;
  return served(port, [process.execPath, ...wrangler, ...rest, ...where, ...given], {
    MINIFLARE_WORKERD_V8_FLAGS: flags,
  });
}

async function served(
  port: number,
  command: string[],
  env: Record<string, string>,
): Promise<Served> {
  const child = startChild(command, env);
  const crash = () => child.kill();
  process.once("exit", crash);
  const url = `http://127.0.0.1:${port}`;
  await answers(url, child);
  return {
    url,
    child,
    async close() {
      child.kill();
      await child.waitForExit();
      process.off("exit", crash);
    },
  };
}

async function answers(url: string, child: Child): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await fetch(url).catch(() => null)) return;
    if (!child.isRunning()) break;
    await sleep(100);
  }
  throw new Error(`it does not answer:\n${child.output()}`);
}
