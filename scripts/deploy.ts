// npm run deploy: deploys to Cloudflare, and leaves a recorder that works.
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askSecret } from "./deploy/ask-secret.ts";
import { deploy, deployInBuild, type DeployContext } from "./deploy/deploy.ts";

const USAGE = `npm run deploy [-- OPTIONS]

Deploys the Worker, stores its secrets, registers the webhook endpoint at OpenAI, and tests both.
A later run changes only what is missing. It asks for OPENAI_API_KEY unless the environment has it.
Without a terminal the environment must also have CLOUDFLARE_API_TOKEN, and ACCESS_TOKEN at the first run
and with --new-token.

  --new-token   replace the access token
  --new-key     store OPENAI_API_KEY again
  --rotate      rotate the webhook's signing secret; OpenAI signs with the old one as well for 24 hours
  --env NAME    deploy the environment [env.NAME] of wrangler.toml
  --url URL     the Worker's URL, where wrangler names none
  --help        print this text`;

const OPTIONS = {
  "new-token": { type: "boolean", default: false },
  "new-key": { type: "boolean", default: false },
  rotate: { type: "boolean", default: false },
  env: { type: "string" },
  url: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

const WRANGLER_PATH = fileURLToPath(
  new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);
const CONFIG_PATH = fileURLToPath(new URL("../wrangler.toml", import.meta.url));
// The tests set this variable, to use another API.
const API_URL = process.env["DEPLOY_API"] ?? "https://api.openai.com/v1";
const PROPAGATION_TIMEOUT_MS = 60_000;

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const environment = values.env ?? process.env["CLOUDFLARE_ENV"];
  const context = createContext({ ...process.env, CLOUDFLARE_ENV: environment });
  // The Deploy to Cloudflare button runs this script in Cloudflare's build, which stores the Worker's secrets itself.
  if (process.env["WORKERS_CI"] === "1") return deployInBuild(context);
  const options = {
    newToken: values["new-token"],
    newKey: values["new-key"],
    rotate: values.rotate,
    url: values.url?.replace(/\/+$/, ""),
  };
  await deploy(options, context);
}

function createContext(env: NodeJS.ProcessEnv): DeployContext {
  const isInteractive = process.stdin.isTTY && process.stdout.isTTY;
  return {
    env,
    configPath: CONFIG_PATH,
    wranglerPath: WRANGLER_PATH,
    apiUrl: API_URL,
    propagationTimeoutMs: PROPAGATION_TIMEOUT_MS,
    terminal: {
      isInteractive,
      isShared: isInteractive,
      print: (line) => console.log(line),
      ask,
      askSecret: (question) => askSecret(question, process.stdin, writeToTerminal),
    },
  };
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

function writeToTerminal(text: string): void {
  process.stdout.write(text);
}
