// The Worker as a process of its own, for tests that kill it, read its state on disk or measure it from outside.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/port.ts";
import { startChild, type Child } from "./child.ts";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "./credentials.ts";
import {
  createEmulatorClient,
  type EmulatorClient,
  type EmulatorSettings,
} from "./emulator-client.ts";

type Vars = Record<string, string>;

export type WorkerProcess = {
  /** Without a slash at its end. It stays the same after a restart. */
  url: string;
  /** The folder of its KV and Workflows. */
  stateFolder: string;
  /** Sends a request with the access token, unless `init` has an authorization of its own. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** What it has printed so far, before restarts too. */
  output(): string;
  /** Resolves when it accepts requests, also while it restarts. */
  ready(): Promise<void>;
  /** Kills it with everything that it has started, as a crash would. */
  kill(): Promise<void>;
  /**
   * Kills it, and starts it again on the same state. Resolves when it accepts requests.
   * @param vars Settings that differ from those it was started with.
   */
  restart(vars?: Vars): Promise<void>;
  /** Kills it, and removes its state. */
  close(): Promise<void>;
};

/**
 * Starts the Worker; resolves when it accepts requests.
 * @param emulatorUrl Without `/v1`.
 * @param options `vars`: settings that differ from the test's; `config`: another configuration than wrangler.toml.
 */
export async function startWorkerProcess(
  emulatorUrl: string,
  { vars = {}, config }: { vars?: Vars; config?: string } = {},
): Promise<WorkerProcess> {
  const stateFolder = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const children: Child[] = [];
  const launch = async (changes: Vars) => {
    const command = serveCommand(port, stateFolder, emulatorUrl, { ...vars, ...changes });
    const child = startChild(config === undefined ? command : [...command, "--config", config]);
    children.push(child);
    await child.waitForOutput(/Ready on/);
  };
  const kill = async () => {
    const child = children.at(-1);
    child?.kill();
    await child?.waitForExit();
  };
  const killAtExit = () => void children.at(-1)?.kill();
  // The child has a process group of its own, which does not end with this process.
  process.once("exit", killAtExit);
  let ready = launch({});
  await ready;
  return {
    url,
    stateFolder,
    request(path, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
      return fetch(url + path, { ...init, headers });
    },
    output: () => children.map((child) => child.output()).join("\n"),
    ready: () => ready,
    kill,
    restart(changes = {}) {
      ready = kill().then(() => launch(changes));
      return ready;
    },
    async close() {
      await kill();
      process.off("exit", killAtExit);
      rmSync(stateFolder, { recursive: true, force: true });
    },
  };
}

export type ProcessStack = {
  emulator: EmulatorClient;
  worker: WorkerProcess;
  close(): Promise<void>;
};

/** Starts an emulator, and a Worker process that receives its webhooks. */
export async function startProcessStack(settings: EmulatorSettings = {}): Promise<ProcessStack> {
  const server = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    ...settings,
  });
  const emulator = createEmulatorClient(server.url);
  const worker = await startWorkerProcess(server.url);
  await emulator.configure({ webhookUrl: `${worker.url}/webhook` });
  return {
    emulator,
    worker,
    async close() {
      await worker.close();
      await server.close();
    },
  };
}

/**
 * Returns the command that serves the Worker locally.
 * @param stateFolder The folder of its KV and Workflows.
 * @param emulatorUrl Without `/v1`.
 * @param vars Settings that differ from the test's.
 */
export function serveCommand(
  port: number,
  stateFolder: string,
  emulatorUrl: string,
  vars: Vars = {},
): string[] {
  const settings = {
    OPENAI_BASE_URL: `${emulatorUrl}/v1`,
    OPENAI_API_KEY: API_KEY,
    OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ACCESS_TOKEN: TOKEN,
    REFETCH_DELAYS: "1",
    ...vars,
  };
  const varArgs = Object.entries(settings).flatMap(([name, value]) => [
    "--var",
    `${name}:${value}`,
  ]);
  const address = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "dev", "--persist-to", stateFolder];
  const flags = ["--show-interactive-dev-session=false", ...address, ...varArgs];
  return [process.execPath, ...wrangler, ...flags];
}
