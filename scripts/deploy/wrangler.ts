// The wrangler command. Secrets reach it on its standard input only.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { captureOutput } from "../lib/process-output.ts";
import { withRecordsId, type DeployConfig } from "./config.ts";
import { parseTargets } from "./deployed-worker.ts";
import type { ExistingWorker, Namespace } from "./existing-worker.ts";

export type Account = { id: string; name: string };

export type Wrangler = {
  /** Lists the accounts of the login; null where there is no login. Where Cloudflare doesn't say, the list is empty. */
  listAccounts(): Promise<Account[] | null>;
  /** Logs in, in the terminal and a browser. */
  logIn(): Promise<void>;
  /** Uses this account from now on. */
  useAccount(id: string): void;
  /** Gives the account's Worker of this name; null when there is none. */
  getWorker(): Promise<ExistingWorker | null>;
  /** Lists the account's KV namespaces; null where the token may not. */
  listNamespaces(): Promise<Namespace[] | null>;
  /** Deploys the Worker, and gives its targets as wrangler names them. `recordsId` is null where wrangler chooses the KV namespace. */
  deploy(recordsId: string | null): Promise<string[]>;
  /** Stores secrets: value by name. */
  storeSecrets(values: Record<string, string>): Promise<void>;
};

/** `stdout` has the answer; `output` has all that was printed, warnings included. */
type CommandResult = { exitCode: number | null; stdout: string; output: string };
type RunOptions = {
  input: string | undefined;
  env: NodeJS.ProcessEnv;
  inherit: boolean;
  folder: string;
};

/** What wrangler may use of the terminal. */
type Terminal = {
  /** Whether wrangler may ask there, and print while it works. */
  isShared: boolean;
  print(line: string): void;
};

const Login = z.object({
  loggedIn: z.boolean(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
});
const Secrets = z.array(z.object({ name: z.string() }));
const Namespaces = z.array(z.object({ id: z.string(), title: z.string() }));
const Deployment = z.object({ versions: z.array(z.object({ version_id: z.string() })) });
const Version = z.object({
  resources: z.object({
    bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })).default([]),
  }),
});
/** wrangler has no use for these, so its environment lacks them. */
const WITHHELD_VARIABLES = [
  "OPENAI_API_KEY",
  "OPENAI_WEBHOOK_SECRET",
  "ACCESS_TOKEN",
  "READ_TOKEN",
  "NOTIFY_SECRET",
];
const NO_DEPLOYMENT = /has no deployments/;
const WORKER_NOT_FOUND = /code: 10007|Worker .* not found/;
const NO_PERMISSION = /code: (10000|9109)\b/;

/**
 * Gives the commands of wrangler that a deployment needs.
 * @param path wrangler's JavaScript file.
 * @param env The environment for wrangler; the recorder's secrets are taken out of it.
 */
export function createWrangler(
  path: string,
  env: NodeJS.ProcessEnv,
  config: DeployConfig,
  terminal: Terminal,
): Wrangler {
  const allowed = Object.entries(env).filter(([name]) => !WITHHELD_VARIABLES.includes(name));
  const safeEnv: NodeJS.ProcessEnv = Object.fromEntries(allowed);
  if (config.environment !== undefined) safeEnv["CLOUDFLARE_ENV"] = config.environment;
  const folder = dirname(config.path);
  const start = (args: string[], inherit: boolean, input?: string, variables = {}) =>
    runWrangler(path, args, { input, env: { ...safeEnv, ...variables }, inherit, folder });
  const run = (args: string[], input?: string) => start(args, false, input);
  return {
    async listAccounts() {
      const login = Login.safeParse(toJson((await run(["whoami", "--json"])).stdout));
      if (!login.success) return [];
      return login.data.loggedIn ? login.data.accounts : null;
    },
    async logIn() {
      assertSucceeded("login", await start(["login"], true));
    },
    useAccount(id) {
      safeEnv["CLOUDFLARE_ACCOUNT_ID"] = id;
    },
    getWorker: () => getWorker(run),
    async listNamespaces() {
      const result = await run(["kv", "namespace", "list"]);
      if (result.exitCode !== 0 && NO_PERMISSION.test(result.output)) return null;
      return parseAnswer("kv namespace list", result, Namespaces);
    },
    deploy: (recordsId) =>
      withRecordsId(config, recordsId, (configPath) =>
        deployAndParseTargets(async (variables) => {
          const args = ["deploy", "--config", configPath];
          const result = await start(args, terminal.isShared, undefined, variables);
          if (result.exitCode === 0 && !terminal.isShared) terminal.print(result.output);
          return result;
        }),
      ),
    async storeSecrets(values) {
      assertSucceeded("secret bulk", await run(["secret", "bulk"], JSON.stringify(values)));
    },
  };
}

async function getWorker(
  run: (args: string[]) => Promise<CommandResult>,
): Promise<ExistingWorker | null> {
  const list = await run(["secret", "list"]);
  if (list.exitCode !== 0 && WORKER_NOT_FOUND.test(list.output)) return null;
  const secrets = new Set(parseAnswer("secret list", list, Secrets).map(({ name }) => name));
  const status = await run(["deployments", "status", "--json"]);
  if (status.exitCode !== 0 && NO_DEPLOYMENT.test(status.output)) return { secrets, bindings: [] };
  const { versions } = parseAnswer("deployments status", status, Deployment);
  const view = await run(["versions", "view", versions[0]?.version_id ?? "", "--json"]);
  const { bindings } = parseAnswer("versions view", view, Version).resources;
  return { secrets, bindings: bindings.filter(({ name }) => !secrets.has(name)) };
}

async function deployAndParseTargets(
  run: (variables: Record<string, string>) => Promise<CommandResult>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "recorder-deploy-"));
  const report = join(folder, "output.ndjson");
  try {
    assertSucceeded("deploy", await run({ WRANGLER_OUTPUT_FILE_PATH: report }));
    return parseTargets(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parseAnswer<T>(command: string, result: CommandResult, schema: z.ZodType<T>): T {
  assertSucceeded(command, result);
  const answer = schema.safeParse(toJson(result.stdout));
  if (answer.success) return answer.data;
  throw new Error(`wrangler ${command} answered in another form.\n${result.output.trim()}`);
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function assertSucceeded(command: string, { exitCode, output }: CommandResult): void {
  if (exitCode === 0) return;
  const details = output.trim();
  const message = `wrangler ${command} ended with exit code ${exitCode}.`;
  throw new Error(details === "" ? message : `${message}\n${details}`);
}

function runWrangler(path: string, args: string[], options: RunOptions): Promise<CommandResult> {
  const { input, env, inherit, folder } = options;
  const child = spawn(process.execPath, [path, ...args], {
    cwd: folder,
    env,
    stdio: inherit ? "inherit" : "pipe",
  });
  const output = captureOutput(child, "wrangler");
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => (stdout += String(text)));
  // A wrangler that has ended already reads no input; its exit code says so.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, stdout, output: output.text() }));
  });
}
