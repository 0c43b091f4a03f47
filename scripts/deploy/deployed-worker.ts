// The deployed Worker: its URL, and which of its settings are in place.
import { z } from "zod";

const Health = z.object({ ready: z.boolean(), settings: z.record(z.string(), z.boolean()) });
const DeployReport = z.object({
  type: z.literal("deploy"),
  version_id: z.string().nullish(),
  targets: z.array(z.string()).nullish(),
});

/** Why a route of the Worker may answer with a redirect. */
export const LOGIN_IN_FRONT =
  "Something in front of the Worker, such as Cloudflare Access, asks for a log-in. Let /webhook and /health pass: docs/deploy.md, Behind Cloudflare Access.";

const HEALTH_TIMEOUT_MS = 10_000;

/**
 * Reads the targets from the lines that wrangler writes about its work.
 * @throws When wrangler deployed nothing: it ends with success when its question is answered with no.
 */
export function parseTargets(report: string): string[] {
  const lines = report.split("\n").filter((line) => line !== "");
  const deploys = lines.flatMap((line) => DeployReport.safeParse(JSON.parse(line)).data ?? []);
  const last = deploys.at(-1);
  if (typeof last?.version_id === "string") return last.targets ?? [];
  throw new Error(
    "wrangler deployed nothing, because its question was answered with no. It asks when the Worker was changed in Cloudflare's dashboard: move the change to wrangler.toml, then answer yes.",
  );
}

/**
 * Finds the Worker's URL among the targets that wrangler names: hosts, routes, schedules.
 * @param targets As in "recorder.example.workers.dev", "example.com (custom domain)" or "schedule: 0 3 * * *".
 * @returns The first target that is a whole host, as a URL without a slash at its end.
 * @throws When there is none.
 */
export function parseWorkerUrl(targets: string[]): string {
  const hosts = targets.map((target) => target.replace(/ \(.*$/, "").replace(/\/\*?$/, ""));
  const host = hosts.find((text) => /^(https?:\/\/)?[\w-]+(\.[\w-]+)+(:\d+)?$/.test(text));
  if (host === undefined) {
    const named = targets.length === 0 ? "none" : targets.join(", ");
    throw new Error(
      `wrangler names no URL of the Worker (targets: ${named}). Give the URL with --url.`,
    );
  }
  return host.startsWith("http") ? host : `https://${host}`;
}

/**
 * Reads `/health`.
 * @returns The names of the settings that are missing or malformed.
 * @throws When the answer isn't the recorder's.
 */
export async function fetchMissingSettings(url: string): Promise<string[]> {
  const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  const answer = await fetch(`${url}/health`, { signal, redirect: "manual" });
  if (answer.status >= 300 && answer.status < 400) {
    throw new Error(`${url}/health answered ${answer.status}. ${LOGIN_IN_FRONT}`);
  }
  const body: unknown = await answer.json().catch(() => null);
  const health = Health.safeParse(body);
  if (!health.success) {
    throw new Error(`${url}/health answered ${answer.status}, and not in the recorder's form.`);
  }
  const settings = Object.entries(health.data.settings);
  return settings.flatMap(([name, inPlace]) => (inPlace ? [] : [name]));
}
