// The two sides that unchanged code must not be able to tell apart: OpenAI as it should be, and the Worker before OpenAI as it is.
import { startEmulator, type Emulator } from "../../../emulator/server.ts";
import { startProcessWorld } from "../../support/process-world.ts";
import { API_KEY, TOKEN } from "../../support/world.ts";

export type Side = { baseURL: string; apiKey: string };

export type Sides = {
  openai: Side;
  worker: Side;
  /** The OpenAI behind the Worker: it keeps the outputs of background runs to itself. */
  behind: Emulator;
  close(): Promise<void>;
};

/**
 * Starts both. The Worker is a program of its own: the test harness would hide from OpenAI that a connection was closed.
 * @param settings The emulators' settings.
 */
export async function startSides(settings: { runSeconds?: number } = {}): Promise<Sides> {
  const common = { apiKey: API_KEY, queueSeconds: 0.1, ...settings };
  const beside = await startEmulator({ ...common, backgroundOutputs: "present" });
  const world = await startProcessWorld({
    ...common,
    webhookUrl: null,
    backgroundOutputs: "empty",
  });
  return {
    openai: { baseURL: `${beside.url}/v1`, apiKey: API_KEY },
    worker: { baseURL: `${world.url}/v1`, apiKey: TOKEN },
    behind: world.emulator,
    async close() {
      await world.close();
      await beside.close();
    },
  };
}
