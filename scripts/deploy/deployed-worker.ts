// The deployed Worker, as it can be reached.
import { z } from "zod";

const Health = z.object({ ready: z.boolean(), settings: z.record(z.string(), z.boolean()) });

/**
 * The Worker's URL among the targets that wrangler names: hosts, routes, schedules, workflows.
 * @param targets As in "recorder.example.workers.dev", "example.com (custom domain)" or "workflow: recorder".
 * @returns The first that is a whole host, without a slash at its end.
 * @throws When there is none.
 */
export function urlOf(targets: string[]): string {
  const hosts = targets.map((target) => target.replace(/ \(.*$/, "").replace(/\/\*?$/, ""));
  const host = hosts.find((text) => /^(https?:\/\/)?[\w-]+(\.[\w-]+)+(:\d+)?$/.test(text));
  if (host === undefined) {
    const named = targets.length === 0 ? "nothing" : targets.join(", ");
    throw new Error(`wrangler names no URL of the Worker (${named}). Say it with --url.`);
  }
  return host.startsWith("http") ? host : `https://${host}`;
}

/**
 * Asks `/health` which settings are in place.
 * @returns The names of those that are not.
 */
export async function missingAt(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) });
  const body: unknown = await answer.json().catch(() => null);
  const health = Health.safeParse(body);
  if (!health.success)
    throw new Error(`${url}/health answered ${answer.status}, and not as the recorder does.`);
  return Object.entries(health.data.settings).flatMap(([name, there]) => (there ? [] : [name]));
}

/**
 * Asks again and again, for what was deployed or stored takes a moment to be everywhere.
 * @param ask Gives null when all is well, or else what is not; what it throws isn't well either.
 * @param patience Milliseconds after which it is given up.
 * @throws The last that was not well.
 */
export async function patiently(
  ask: () => Promise<string | null>,
  patience: number,
): Promise<void> {
  const end = Date.now() + patience;
  for (let gap = 250; ; gap = Math.min(gap * 2, 5_000)) {
    const wrong = await ask().catch((error: unknown) => String(error));
    if (wrong === null) return;
    if (Date.now() + gap > end) throw new Error(wrong);
    await new Promise((resolve) => setTimeout(resolve, gap));
  }
}
