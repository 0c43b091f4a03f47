// What a deploy meets in tests: the real wrangler, the stand-in for Cloudflare, and the emulator as OpenAI.
import { mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startEmulator } from "../../../emulator/server.ts";
import { deploy, deployInBuild } from "../../../scripts/deploy/deploy.ts";
import { EVENT_TYPES } from "../../../scripts/deploy/webhook-endpoint.ts";
import { BUILT } from "../build.ts";
import { writeConfig } from "../config.ts";
import { getDeployedVersion, type Account, type Script } from "./account.ts";
import { routeWorkersDev, startCloudflare } from "./stand-in.ts";

export const API_KEY = "sk-proj-the-key-of-a-test";
export const NAME = "response-recorder";
export const WORKER_URL = `https://${NAME}.acme.workers.dev`;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** What `bin/wrangler.js` starts, in a process of its own. */
const WRANGLER = join(ROOT, "node_modules/wrangler/wrangler-dist/cli.js");

const Delivery = z.object({ status: z.number().nullable(), response_id: z.string() });
const Endpoint = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  event_types: z.array(z.string()),
});
const Endpoints = z.object({ data: z.array(Endpoint) });
const Registered = z.object({ id: z.string(), signing_secret: z.string() });

type DeployOptions = Parameters<typeof deploy>[0];
export type DeployContext = {
  /** Variables of the environment, beyond those of every deploy. */
  env?: NodeJS.ProcessEnv;
  /** Whether there is a terminal; true unless given. */
  isInteractive?: boolean;
  /** What is answered to the terminal's questions. */
  answers?: string[];
  /** Another JavaScript file to run as wrangler. */
  wranglerPath?: string;
};
/** What the deploy printed, what it asked, and its error if it failed. */
type DeployResult = { printed: string; asked: string[]; error: string | null };

export type DeployWorld = Awaited<ReturnType<typeof startDeployWorld>>;

let recorder: Promise<Account> | undefined;

/** Starts all of it, with a recorder that `npm run deploy` deployed. */
export async function startDeployedWorld(): Promise<DeployWorld> {
  recorder ??= deployOnce();
  const account = await recorder;
  const world = await startDeployWorld();
  await world.restore(account);
  return world;
}

async function deployOnce(): Promise<Account> {
  const world = await startDeployWorld();
  try {
    const { error } = await world.deploy();
    if (error !== null) throw new Error(error);
    return structuredClone(world.account);
  } finally {
    await world.close();
  }
}

/** Starts all of it; nothing is deployed yet. */
export async function startDeployWorld() {
  const folder = mkdtempSync(join(tmpdir(), "recorder-project-"));
  const emulator = await startEmulator({
    apiKey: API_KEY,
    interpreters: 0,
    webhookBackoff: 0.05,
    webhookTimeout: 60,
  });
  const cloudflare = await startCloudflare({ OPENAI_BASE_URL: `${emulator.url}/v1` });
  const unroute = routeWorkersDev(cloudflare.url);
  const configPath = writeProject(folder);
  const environment = {
    PATH: process.env["PATH"] ?? "",
    // wrangler keeps its login and its logs there.
    HOME: folder,
    // See build.ts.
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_API_BASE_URL: cloudflare.apiUrl,
    CLOUDFLARE_API_TOKEN: "a-token-of-cloudflare",
    CLOUDFLARE_ACCOUNT_ID: cloudflare.account.id,
    OPENAI_API_KEY: API_KEY,
  };
  const common = {
    configPath,
    wranglerPath: WRANGLER,
    apiUrl: `${emulator.url}/v1`,
    propagationTimeoutMs: 0,
  };
  const { request, post } = createClient(emulator.url);
  const endpoints = async () =>
    Endpoints.parse(await (await request("/v1/webhook_endpoints")).json()).data;
  return {
    ...cloudflare,
    /** The environment of every deploy. */
    environment,
    openaiUrl: `${emulator.url}/v1`,
    configPath,
    deploy: (options: Partial<DeployOptions> = {}, context: DeployContext = {}) =>
      runDeploy(options, { ...context, env: { ...environment, ...context.env } }, common),
    /** Deploys as Cloudflare's build does. */
    deployInBuild: async () => {
      const printed: string[] = [];
      const terminal = createTerminal(printed, [], { isInteractive: false });
      await deployInBuild({ ...common, env: environment, terminal });
      return printed.join("\n");
    },
    /** Changes wrangler.toml. */
    editConfig: (edit: (text: string) => string) =>
      writeFileSync(configPath, edit(readFileSync(configPath, "utf8"))),
    /** The secrets of the Worker. */
    secrets: (name = NAME): Record<string, string> => ({
      ...cloudflare.account.scripts.get(name)?.secrets,
    }),
    /** Makes OpenAI's API fail. */
    failOpenAI: (rule: Record<string, unknown>) => post("/_emulator/faults", rule),
    sendWebhook: (id: string) =>
      post("/_emulator/webhooks", { type: "response.completed", response_id: id }),
    deliveries: async () =>
      z.array(Delivery).parse(await (await request("/_emulator/deliveries")).json()),
    endpoints,
    /** Changes something at OpenAI. */
    post: (path: string, body: unknown) => post(`/v1${path}`, body),
    async deleteEndpoints() {
      for (const { id } of await endpoints())
        await request(`/v1/webhook_endpoints/${id}`, { method: "DELETE" });
    },
    /** Puts a recorder that was deployed before into the account, and its endpoint at OpenAI. */
    async restore(account: Account) {
      const { namespaces, scripts } = structuredClone(account);
      cloudflare.account.namespaces.push(...namespaces);
      for (const [name, script] of scripts) cloudflare.account.scripts.set(name, script);
      const params = { name: NAME, url: `${WORKER_URL}/webhook`, event_types: EVENT_TYPES };
      const answer = await post("/v1/webhook_endpoints", params);
      const { signing_secret } = Registered.parse(await answer.json());
      const script = scripts.get(NAME);
      if (script !== undefined) script.secrets["OPENAI_WEBHOOK_SECRET"] = signing_secret;
    },
    async close() {
      unroute();
      await Promise.all([emulator.close(), cloudflare.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function createClient(url: string) {
  const headers = { authorization: `Bearer ${API_KEY}` };
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers });
  const post = (path: string, body: unknown) =>
    request(path, { method: "POST", body: JSON.stringify(body) });
  return { request, post };
}

/** Writes a wrangler.toml whose Worker is built already, so that a deploy takes less time. */
function writeProject(folder: string): string {
  const built = dirname(process.env[BUILT.plain] ?? "");
  const main = relative(ROOT, join(built, "index.js"));
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, readFileSync(writeConfig(folder, { main, bundled: true })));
  return path;
}

async function runDeploy(
  options: Partial<DeployOptions>,
  context: DeployContext & { env: NodeJS.ProcessEnv },
  common: Omit<Parameters<typeof deploy>[1], "env" | "terminal">,
): Promise<DeployResult> {
  const printed: string[] = [];
  const asked: string[] = [];
  const terminal = createTerminal(printed, asked, context);
  const error = await deploy(
    { newToken: false, newKey: false, rotate: false, url: undefined, ...options },
    {
      ...common,
      wranglerPath: context.wranglerPath ?? common.wranglerPath,
      env: context.env,
      terminal,
    },
  ).then(
    () => null,
    (cause: unknown) => String(cause),
  );
  return { printed: printed.join("\n"), asked, error };
}

function createTerminal(
  printed: string[],
  asked: string[],
  { isInteractive = true, answers = [] }: DeployContext,
) {
  const ask = async (question: string) => {
    asked.push(question);
    return answers[asked.length - 1] ?? "";
  };
  const print = (line: string) => void printed.push(line);
  return { isInteractive, isShared: false, print, ask, askSecret: ask };
}

/** Gives the id of the KV namespace that a Worker's deployed version is bound to. */
export function getRecordsId(script: Script | undefined): unknown {
  const version = script === undefined ? undefined : getDeployedVersion(script);
  return version?.bindings.find(({ name }) => name === "RECORDS")?.["namespace_id"];
}
