// Starts the supervisor, which keeps OpenAI's webhooks coming for as long as this program runs, however it ends.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { WebhookOptions } from "./webhooks.ts";

/** What the supervisor sends when it has opened the webhooks, or could not. */
export const SupervisorReply = z.object({ secret: z.string().nullable() });
export type SupervisorReply = z.infer<typeof SupervisorReply>;

export type SupervisedWebhooks = {
  /** The signing secret; null when no webhook arrives. */
  secret: string | null;
  close(): Promise<void>;
};

/** Starts the supervisor in a process group of its own, so that neither Ctrl-C nor a kill of this program stops it before it has cleaned up. */
export async function startSupervisor(options: WebhookOptions): Promise<SupervisedWebhooks> {
  const path = fileURLToPath(new URL("supervisor.ts", import.meta.url));
  const supervisor = fork(path, { detached: true });
  // Not "close": after a disconnect it is never emitted.
  const exited = new Promise<void>((resolve) => supervisor.once("exit", () => resolve()));
  supervisor.send(options);
  const { secret } = await receiveReply(supervisor);
  const close = async () => {
    if (supervisor.connected) supervisor.disconnect();
    await exited;
  };
  return { secret, close };
}

function receiveReply(supervisor: ChildProcess): Promise<SupervisorReply> {
  return new Promise((resolve, reject) => {
    supervisor.once("message", (message) => resolve(SupervisorReply.parse(message)));
    supervisor.once("exit", () => reject(new Error("The supervisor of the webhooks ended.")));
  });
}
