// npm run deploy: to Cloudflare, and leaves a recorder that works.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { askSecret } from "./deploy/ask-secret.ts";
import { deploy } from "./deploy/deploy.ts";

const USAGE = `npm run deploy [-- OPTIONS]

Deploys the Worker, stores its secrets, registers the webhook endpoint at OpenAI, and tries it out.
Run again it changes only what is missing. It asks for OPENAI_API_KEY unless that is in the environment.
Without a terminal ACCESS_TOKEN and CLOUDFLARE_API_TOKEN must be there as well.

  --new-token   replaces the access token
  --new-key     stores OPENAI_API_KEY again
  --rotate      rotates the webhook's signing secret; the old one stays good for 24 hours
  --url URL     the Worker's URL, where wrangler can't tell it
  --help        this text`;

const OPTIONS = {
  "new-token": { type: "boolean", default: false },
  "new-key": { type: "boolean", default: false },
  rotate: { type: "boolean", default: false },
  url: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** The two in the environment are for tests: another wrangler, another API. */
const WRANGLER =
  process.env["DEPLOY_WRANGLER"] ??
  fileURLToPath(new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url));
const API = process.env["DEPLOY_API"] ?? "https://api.openai.com/v1";
const PATIENCE = 60_000;

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  // The Deploy to Cloudflare button runs this script in Cloudflare's build, which has the Worker's secrets itself.
  if (process.env["WORKERS_CI"] === "1") return deployOnly();
  const wishes = {
    newToken: values["new-token"],
    newKey: values["new-key"],
    rotate: values.rotate,
    url: values.url?.replace(/\/+$/, ""),
  };
  await deploy(wishes, {
    env: process.env,
    wrangler: WRANGLER,
    api: API,
    patience: PATIENCE,
    terminal: {
      isThere: process.stdin.isTTY && process.stdout.isTTY,
      say: (line) => console.log(line),
      askSecret: (question) => askSecret(question, process.stdin, print),
    },
  });
}

function print(text: string): void {
  process.stdout.write(text);
}

function deployOnly(): void {
  const { status } = spawnSync(process.execPath, [WRANGLER, "deploy"], { stdio: "inherit" });
  process.exitCode = status ?? 1;
  console.log(
    "\nThe webhook endpoint is yet to be registered: run npm run deploy on your machine.",
  );
}
