// The two sides that unchanged code must not be able to tell apart: OpenAI as it should be, and the Worker before OpenAI as it is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator, type Emulator } from "../../../emulator/server.ts";
import { freePort } from "../../../scripts/lib/free-port.ts";
import { startChild, type Child } from "../../support/child.ts";
import { API_KEY, serveCommand, TOKEN } from "../../support/world.ts";

export type Side = { baseURL: string; apiKey: string };

export type Sides = {
  openai: Side;
  worker: Side;
  /** The OpenAI behind the Worker: it keeps the outputs of background runs to itself. */
  behind: Emulator;
  child: Child;
  close(): Promise<void>;
};

/**
 * Starts both. The Worker is a program of its own: the test harness would hide from OpenAI that a connection was closed.
 * @param settings The emulators' settings.
 */
export async function startSides(settings: { runSeconds?: number } = {}): Promise<Sides> {
  const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const common = { apiKey: API_KEY, queueSeconds: 0.1, ...settings };
  const beside = await startEmulator({ ...common, backgroundOutputs: "present" });
  const behind = await startEmulator({ ...common, backgroundOutputs: "empty" });
  const port = await freePort();
  const child = startChild(serveCommand(port, state, behind.url));
  await child.says(/Ready on/);
  return {
    openai: { baseURL: `${beside.url}/v1`, apiKey: API_KEY },
    worker: { baseURL: `http://127.0.0.1:${port}/v1`, apiKey: TOKEN },
    behind,
    child,
    async close() {
      child.crash();
      await child.ended();
      await beside.close();
      await behind.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
