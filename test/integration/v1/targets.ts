// The two targets that unchanged code must not be able to tell apart: OpenAI as it should be, and the Worker before OpenAI as it is.
import { startEmulator } from "../../../emulator/server.ts";
import {
  createEmulatorClient,
  type EmulatorClient,
  type EmulatorSettings,
} from "../../support/emulator-client.ts";
import { toTestVars } from "../../support/process-world.ts";
import { startWorkerProcess } from "../../support/worker-process.ts";
import { API_KEY, TOKEN } from "../../support/world.ts";

export type Target = { baseURL: string; apiKey: string };

export type Targets = {
  openai: Target;
  worker: Target;
  /** The OpenAI behind the Worker. It has no outputs of background runs. */
  upstream: EmulatorClient;
  /** The OpenAI of each target. */
  emulators: { openai: EmulatorClient; worker: EmulatorClient };
  close(): Promise<void>;
};

/**
 * Starts both. The Worker is a process of its own: the test harness would hide from OpenAI that a connection was closed.
 * @param changes Settings of both emulators, where they differ from the test's.
 */
export async function startTargets(changes: EmulatorSettings = {}): Promise<Targets> {
  const settings = { apiKey: API_KEY, queueSeconds: 0.1, runSeconds: 0.1, ...changes };
  const openai = await startEmulator({
    ...settings,
    backgroundOutputs: "present",
    streamOutputs: "present",
  });
  const upstream = await startEmulator({
    ...settings,
    backgroundOutputs: "empty",
    streamOutputs: "empty",
  });
  const worker = await startWorkerProcess({ vars: toTestVars(upstream.url) });
  const emulators = {
    openai: createEmulatorClient(openai.url),
    worker: createEmulatorClient(upstream.url),
  };
  return {
    openai: { baseURL: `${openai.url}/v1`, apiKey: API_KEY },
    worker: { baseURL: `${worker.url}/v1`, apiKey: TOKEN },
    upstream: emulators.worker,
    emulators,
    async close() {
      await worker.close();
      await openai.close();
      await upstream.close();
    },
  };
}
