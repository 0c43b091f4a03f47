// The emulator and the Workers, each as a program of its own. All of them end with the benchmark.
import type { Settings } from "../emulator/settings.ts";
import { startChild } from "../test/support/child.ts";
import { startWorkerProcess, type WorkerProcess } from "../test/support/worker-process.ts";

export const ACCESS_TOKEN = "a-token-for-the-bench-only";
export const API_KEY = "sk-emulated-for-the-bench";
export const WEBHOOK_SECRET = "whsec_c2VjcmV0LWZvci10aGUtYmVuY2gtb25seS0x";

/** A program that answers at a URL. */
export type ServerProcess = Pick<WorkerProcess, "url" | "pid" | "output" | "close">;

export type WorkerOptions = {
  /** The path of its wrangler.toml. */
  config: string;
  /** The folder of its KV and its objects. */
  state: string;
  emulatorUrl: string;
  /** The limit of V8's heap. */
  maxHeapMb?: number;
};

/** Runs end at once unless their request says otherwise. */
const EMULATOR_SETTINGS: Partial<Settings> = {
  port: 0,
  apiKey: API_KEY,
  webhookSecret: WEBHOOK_SECRET,
  backgroundOutputs: "present",
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 1,
  historySize: 100_000,
};

/** Starts the emulator on a free port; resolves when it accepts requests. */
export async function startEmulatorProcess(): Promise<ServerProcess> {
  const flags = Object.entries(EMULATOR_SETTINGS).flatMap(([name, value]) => [
    `--${toKebabCase(name)}`,
    String(value),
  ]);
  const child = startChild([process.execPath, "emulator/index.ts", ...flags]);
  const kill = () => child.killGroup();
  process.once("exit", kill);
  const [url] = await child.waitForOutput(/http:\/\/127\.0\.0\.1:\d+/);
  return {
    url,
    pid: () => child.pid,
    output: () => child.output(),
    async close() {
      kill();
      await child.waitForExit();
      process.off("exit", kill);
    },
  };
}

/** Starts a Worker that uses the emulator; resolves when it has answered its first request. */
export async function startWorker(options: WorkerOptions): Promise<ServerProcess> {
  const { config, state, emulatorUrl, maxHeapMb } = options;
  const flags = maxHeapMb === undefined ? "" : `--max-heap-size=${maxHeapMb}`;
  const worker = await startWorkerProcess({
    config,
    state,
    vars: {
      OPENAI_BASE_URL: `${emulatorUrl}/v1`,
      OPENAI_API_KEY: API_KEY,
      OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ACCESS_TOKEN,
    },
    env: { MINIFLARE_WORKERD_V8_FLAGS: flags },
  });
  await fetch(worker.url);
  return worker;
}

function toKebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
