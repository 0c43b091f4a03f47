// Reads `GET /health?deep=1`.
import { z } from "zod";
import type { World } from "./world.ts";

const Check = z.object({
  ok: z.boolean(),
  message: z.string(),
  at: z.string().nullable(),
  id: z.string().nullable(),
});
const Checks = z.object({
  openai_key: Check,
  openai_containers: Check,
  webhooks: Check,
  pending: Check,
  notifications: Check,
  kv: Check,
  objects: Check,
});
type Checks = z.infer<typeof Checks>;

const Health = z.object({
  ready: z.boolean(),
  version: z.string(),
  settings: z.record(z.string(), z.boolean()),
  checks: Checks,
});

/** What the checks found, and the answer's status and text. */
export type DeepHealth = z.infer<typeof Health> & { status: number; text: string };

/** Reads it with the access token. */
export async function readHealth(world: World): Promise<DeepHealth> {
  const answer = await world.request("/health?deep=1");
  const text = await answer.text();
  return { ...Health.parse(JSON.parse(text)), status: answer.status, text };
}

/** The names of the checks that failed. */
export function listFailures(checks: Checks): string[] {
  return Object.entries(checks).flatMap(([name, { ok }]) => (ok ? [] : [name]));
}
