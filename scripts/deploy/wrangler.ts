// The wrangler command. Secrets reach it on its standard input only.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { captureOutput } from "../lib/process-output.ts";

export type Wrangler = {
  /** Whether wrangler is logged in to Cloudflare. */
  isLoggedIn(): Promise<boolean>;
  /** Logs in, in the terminal and a browser. */
  logIn(): Promise<void>;
  /** Lists the names of the Worker's secrets; none while the Worker doesn't exist. */
  listSecrets(): Promise<Set<string>>;
  /** Deploys the Worker, and gives its targets as wrangler names them. */
  deploy(): Promise<string[]>;
  /** Stores secrets: value by name. */
  storeSecrets(values: Record<string, string>): Promise<void>;
};

type CommandResult = { exitCode: number | null; output: string };
type RunOptions = { input?: string; env: NodeJS.ProcessEnv; inherit: boolean };

const SecretList = z.array(z.object({ name: z.string() }));
const DeployReport = z.object({
  type: z.literal("deploy"),
  targets: z.array(z.string()).nullish(),
});

/** wrangler has no use for these, so its environment lacks them. */
const WITHHELD_VARIABLES = ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "ACCESS_TOKEN"];

/**
 * Gives the commands of wrangler that a deployment needs.
 * @param path wrangler's JavaScript file.
 * @param env The environment for wrangler; the recorder's secrets are taken out of it.
 */
export function createWrangler(path: string, env: NodeJS.ProcessEnv): Wrangler {
  const allowed = Object.entries(env).filter(([name]) => !WITHHELD_VARIABLES.includes(name));
  const safeEnv: NodeJS.ProcessEnv = Object.fromEntries(allowed);
  const run = (args: string[], input?: string) =>
    runWrangler(path, args, { input, env: safeEnv, inherit: false });
  return {
    async isLoggedIn() {
      return (await run(["whoami", "--json"])).exitCode === 0;
    },
    async logIn() {
      const result = await runWrangler(path, ["login"], { env: safeEnv, inherit: true });
      assertSucceeded("login", result);
    },
    async listSecrets() {
      const result = await run(["secret", "list"]);
      if (result.exitCode !== 0 && /not found/i.test(result.output)) return new Set();
      assertSucceeded("secret list", result);
      const json = result.output.slice(result.output.indexOf("["));
      return new Set(SecretList.parse(JSON.parse(json)).map(({ name }) => name));
    },
    deploy: () => deployAndParseTargets(path, safeEnv),
    async storeSecrets(values) {
      assertSucceeded("secret bulk", await run(["secret", "bulk"], JSON.stringify(values)));
    },
  };
}

async function deployAndParseTargets(path: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "recorder-deploy-"));
  const report = join(folder, "output.ndjson");
  try {
    const reportingEnv = { ...env, WRANGLER_OUTPUT_FILE_PATH: report };
    const result = await runWrangler(path, ["deploy"], { env: reportingEnv, inherit: true });
    assertSucceeded("deploy", result);
    return parseTargets(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parseTargets(report: string): string[] {
  const lines = report.split("\n").filter((line) => line !== "");
  const deploys = lines.flatMap((line) => DeployReport.safeParse(JSON.parse(line)).data ?? []);
  return deploys.at(-1)?.targets ?? [];
}

function assertSucceeded(command: string, { exitCode, output }: CommandResult): void {
  if (exitCode === 0) return;
  const details = output.trim();
  const message = `wrangler ${command} ended with exit code ${exitCode}.`;
  throw new Error(details === "" ? message : `${message}\n${details}`);
}

function runWrangler(path: string, args: string[], options: RunOptions): Promise<CommandResult> {
  const { input, env, inherit } = options;
  const child = spawn(process.execPath, [path, ...args], {
    env,
    stdio: inherit ? "inherit" : "pipe",
  });
  const output = captureOutput(child, "wrangler");
  // A wrangler that has ended already reads no input; its exit code says so.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, output: output.text() }));
  });
}
