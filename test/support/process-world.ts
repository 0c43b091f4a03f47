// What a test runs against that kills the Worker, reads its state or limits its memory: the emulator, and the Worker as a process of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { startEmulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/lib/free-port.ts";
import { writeConfig } from "./config.ts";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "./credentials.ts";
import {
  createEmulatorClient,
  type EmulatorClient,
  type EmulatorSettings,
} from "./emulator-client.ts";
import { startWorkerProcess, type WorkerOptions, type WorkerProcess } from "./worker-process.ts";

const Started = z.object({ id: z.string() });

export type ProcessWorld = Omit<WorkerProcess, "close"> & {
  emulator: EmulatorClient;
  /** Sends the Worker a request, with the access token unless `init` has an authorization of its own. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Starts a run; returns its id. */
  trigger(body: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
};

/**
 * Starts the emulator, which sends its webhooks to the Worker, and the Worker.
 * @param settings The emulator's settings, where they differ from the tests'.
 * @param options The environment of the Worker's process, its settings where they differ from the tests', and its entry if it is not the project's.
 */
export async function startProcessWorld(
  settings: EmulatorSettings = {},
  options: Pick<WorkerOptions, "env"> & { vars?: Record<string, string>; main?: string } = {},
): Promise<ProcessWorld> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: `http://127.0.0.1:${port}/webhook`,
    ...settings,
  });
  try {
    const { env, main } = options;
    const config = main === undefined ? undefined : writeConfig(folder, { main });
    const vars = { ...toTestVars(emulator.url), ...options.vars };
    const worker = await startWorkerProcess({ env, config, port, vars });
    const request: ProcessWorld["request"] = (path, init = {}) => {
      const headers = new Headers(init.headers);
      if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
      return fetch(worker.url + path, { ...init, headers });
    };
    return {
      ...worker,
      emulator: createEmulatorClient(emulator.url),
      request,
      async trigger(body) {
        const answer = await request("/trigger", { method: "POST", body: JSON.stringify(body) });
        const text = await answer.text();
        if (answer.status !== 202) throw new Error(`POST /trigger: ${answer.status} ${text}`);
        return Started.parse(JSON.parse(text)).id;
      },
      async close() {
        await worker.close();
        await emulator.close();
        removeFolder();
      },
    };
  } catch (error) {
    await emulator.close();
    removeFolder();
    throw error;
  }
}

/** The Worker's settings in tests. */
export function toTestVars(emulatorUrl: string): Record<string, string> {
  return {
    OPENAI_BASE_URL: `${emulatorUrl}/v1`,
    OPENAI_API_KEY: API_KEY,
    OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ACCESS_TOKEN: TOKEN,
    REFETCH_DELAYS: "1",
  };
}
