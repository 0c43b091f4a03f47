// The wrangler command. Secrets reach it on its standard input only.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

export type Wrangler = {
  /** Whether it is logged in to Cloudflare. */
  isLoggedIn(): Promise<boolean>;
  /** Logs in, in the terminal and a browser. */
  logIn(): Promise<void>;
  /** Names of the Worker's secrets; none when there is no such Worker yet. */
  secrets(): Promise<Set<string>>;
  /** Deploys, and gives what it was deployed to, as wrangler names it. */
  deploy(): Promise<string[]>;
  /** Stores secrets: value by name. */
  store(values: Record<string, string>): Promise<void>;
};

type Ended = { code: number | null; output: string };
type Run = (args: string[], more?: { input?: string; env?: NodeJS.ProcessEnv }) => Promise<Ended>;

const Names = z.array(z.object({ name: z.string() }));
const Deployed = z.object({ type: z.literal("deploy"), targets: z.array(z.string()).nullish() });

/** What wrangler must not find in its environment: it has no use for it. */
const KEPT_BACK = ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "ACCESS_TOKEN"];

/**
 * The wrangler command.
 * @param path Its JavaScript file.
 * @param env The environment; the recorder's secrets in it are kept back.
 */
export function wranglerAt(path: string, env: NodeJS.ProcessEnv): Wrangler {
  const allowed = Object.entries(env).filter(([name]) => !KEPT_BACK.includes(name));
  const base: NodeJS.ProcessEnv = Object.fromEntries(allowed);
  const quiet: Run = (args, more) => run(path, args, { ...more, env: base, shown: false });
  return {
    async isLoggedIn() {
      return (await quiet(["whoami", "--json"])).code === 0;
    },
    async logIn() {
      expectDone("login", await run(path, ["login"], { env: base, shown: true }));
    },
    async secrets() {
      const ended = await quiet(["secret", "list"]);
      if (ended.code !== 0 && /not found/i.test(ended.output)) return new Set();
      expectDone("secret list", ended);
      const list = Names.parse(JSON.parse(ended.output.slice(ended.output.indexOf("["))));
      return new Set(list.map(({ name }) => name));
    },
    deploy: () => deploy(path, base),
    async store(values) {
      expectDone("secret bulk", await quiet(["secret", "bulk"], { input: JSON.stringify(values) }));
    },
  };
}

async function deploy(path: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "recorder-deploy-"));
  const report = join(folder, "output.ndjson");
  try {
    const WRANGLER_OUTPUT_FILE_PATH = report;
    const more = { env: { ...env, WRANGLER_OUTPUT_FILE_PATH }, shown: true };
    expectDone("deploy", await run(path, ["deploy"], more));
    return targetsIn(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function targetsIn(report: string): string[] {
  const lines = report.split("\n").filter((line) => line !== "");
  const deployed = lines.flatMap((line) => Deployed.safeParse(JSON.parse(line)).data ?? []);
  return deployed.at(-1)?.targets ?? [];
}

function expectDone(what: string, { code, output }: Ended): void {
  if (code === 0) return;
  const words = output.trim();
  throw new Error(`wrangler ${what} ended with ${code}.${words === "" ? "" : `\n${words}`}`);
}

type Options = { input?: string; env: NodeJS.ProcessEnv; shown: boolean };

function run(path: string, args: string[], { input, env, shown }: Options): Promise<Ended> {
  const stdio = shown ? "inherit" : "pipe";
  const child = spawn(process.execPath, [path, ...args], { env, stdio });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => (output += String(chunk)));
  // A wrangler that has ended already reads no input; its exit code says so.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
