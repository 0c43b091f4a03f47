// Keeps OpenAI's webhooks coming for as long as this program runs, however it ends.
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Options } from "./webhooks.ts";

/** What the keeper says when it has tried. */
export const Said = z.object({ secret: z.string().nullable() });

export type Kept = {
  /** Signs what OpenAI sends; null when nothing comes. */
  secret: string | null;
  close(): Promise<void>;
};

/**
 * Starts the keeper. It is a program of its own, in a group of its own: neither Ctrl-C nor a kill of this one keeps it from tidying up.
 * @param options The API, and the way to the Worker.
 */
export async function keepWebhooks(options: Options): Promise<Kept> {
  const path = fileURLToPath(new URL("supervisor.ts", import.meta.url));
  const keeper = fork(path, { detached: true });
  // Not "close": after a disconnect it is never emitted.
  const ended = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  keeper.send(options);
  const { secret } = await said(keeper);
  const close = async () => {
    if (keeper.connected) keeper.disconnect();
    await ended;
  };
  return { secret, close };
}

function said(keeper: ChildProcess): Promise<z.infer<typeof Said>> {
  return new Promise((resolve, reject) => {
    keeper.once("message", (message) => resolve(Said.parse(message)));
    keeper.once("exit", () => reject(new Error("The keeper of the webhooks ended.")));
  });
}
