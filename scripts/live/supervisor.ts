// The keeper: owns the tunnel and the endpoint, and takes them away when the program that started it has gone.
import type { Said } from "./supervisor-client.ts";
import { openWebhooks, Options, type Live } from "./webhooks.ts";
import type { z } from "zod";

let opening: Promise<Live | null> = Promise.resolve(null);

// Whoever printed here may have gone.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.once("message", (message) => void keep(message));
process.once("disconnect", () => void leave());

async function keep(message: unknown): Promise<void> {
  opening = openWebhooks(Options.parse(message));
  const live = await opening;
  const answer: z.infer<typeof Said> = { secret: live?.secret ?? null };
  if (process.connected) process.send?.(answer);
}

async function leave(): Promise<void> {
  await (await opening)?.close();
  process.exit(0);
}
