// The supervisor: owns the tunnel and the webhook endpoint, and removes both when the program that started it has ended.
import type { SupervisorReply } from "./supervisor-client.ts";
import { openWebhooks, WebhookOptions, type OpenWebhooks } from "./webhooks.ts";

let opening: Promise<OpenWebhooks | null> = Promise.resolve(null);

// The terminal or the parent that reads these streams may be gone; a failed write must not stop the clean-up.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

process.once("message", (message) => void openAndReply(message));
process.once("disconnect", () => void closeAndExit());

async function openAndReply(message: unknown): Promise<void> {
  opening = openWebhooks(WebhookOptions.parse(message));
  const webhooks = await opening;
  const reply: SupervisorReply = { secret: webhooks?.secret ?? null };
  if (process.connected) process.send?.(reply);
}

async function closeAndExit(): Promise<void> {
  await (await opening)?.close();
  process.exit(0);
}
