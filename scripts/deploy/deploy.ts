// `npm run deploy` without its command line: the terminal, the environment and the API are given.
import { readDeployConfig } from "./config.ts";
import {
  createDeploymentSteps,
  createDeployState,
  findNamespace,
  type DeployOptions,
  type Terminal,
} from "./deployment-steps.ts";
import { findForeignWorker, SECRETS } from "./existing-worker.ts";
import { runSteps } from "./run-steps.ts";
import { createEndpointClient } from "./webhook-endpoint.ts";
import { createWrangler, type Wrangler } from "./wrangler.ts";

export type DeployContext = {
  env: NodeJS.ProcessEnv;
  terminal: Terminal & {
    askSecret(question: string): Promise<string>;
    /** Whether wrangler may use the terminal itself: to ask, and to print while it works. */
    isShared: boolean;
  };
  /** The path of wrangler.toml. */
  configPath: string;
  /** The path of wrangler's JavaScript file. */
  wranglerPath: string;
  /** The base URL of OpenAI's API. */
  apiUrl: string;
  /** How long a change may take to reach every location of Cloudflare. */
  propagationTimeoutMs: number;
};

const MIN_TOKEN_LENGTH = 16;

/**
 * Deploys the Worker with its secrets and its webhook endpoint, and tests them.
 * @throws StepFailed when a step fails; Error when a key or a token is missing or malformed.
 */
export async function deploy(options: DeployOptions, context: DeployContext): Promise<void> {
  const { env, terminal, apiUrl, propagationTimeoutMs } = context;
  const apiKey = await getApiKey(context);
  const { config, wrangler } = prepare(context);
  const deployment = {
    options,
    config,
    apiKey,
    hasAccount: isSet(env["CLOUDFLARE_API_TOKEN"]) && isSet(env["CLOUDFLARE_ACCOUNT_ID"]),
    givenToken: parseAccessToken(env["ACCESS_TOKEN"]),
    client: createEndpointClient(apiKey, apiUrl),
    wrangler,
    terminal,
    propagationTimeoutMs,
  };
  const state = createDeployState();
  await runSteps(createDeploymentSteps(deployment, state), (line) => terminal.print(line));
  terminal.print(toClosingText(state.url));
}

/**
 * Deploys the Worker alone, as Cloudflare's build does: it has no key of OpenAI's, and Cloudflare stores the secrets.
 * @throws When wrangler fails, or the account's Worker of this name is another program.
 */
export async function deployInBuild(context: DeployContext): Promise<void> {
  const { config, wrangler } = prepare(context);
  const worker = await wrangler.getWorker();
  const reason = findForeignWorker(config.name, worker);
  if (reason !== null) throw new Error(reason);
  await wrangler.deploy(await findNamespace(config, wrangler, worker));
  context.terminal.print(
    worker?.secrets.has(SECRETS.webhook)
      ? "\nThe Worker has the signing secret of its webhook endpoint, and keeps it."
      : "\nThe webhook endpoint is not registered yet: run npm run deploy on your own machine.",
  );
}

function prepare({ env, configPath, wranglerPath, terminal }: DeployContext): {
  config: ReturnType<typeof readDeployConfig>;
  wrangler: Wrangler;
} {
  const environment = isSet(env["CLOUDFLARE_ENV"]) ? env["CLOUDFLARE_ENV"] : undefined;
  const config = readDeployConfig(configPath, environment);
  return { config, wrangler: createWrangler(wranglerPath, env, config, terminal) };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

async function getApiKey({ env, terminal }: DeployContext): Promise<string> {
  const given = env["OPENAI_API_KEY"]?.trim() ?? "";
  if (given !== "") return given;
  if (!terminal.isInteractive) {
    throw new Error("OPENAI_API_KEY is missing. Set it in the environment.");
  }
  const typed = await terminal.askSecret("OPENAI_API_KEY");
  if (typed === "") throw new Error("OPENAI_API_KEY is required.");
  return typed;
}

function parseAccessToken(token: string | undefined): string | undefined {
  if (token === undefined || token === "") return undefined;
  if (token.length >= MIN_TOKEN_LENGTH) return token;
  throw new Error(`ACCESS_TOKEN must have at least ${MIN_TOKEN_LENGTH} characters.`);
}

function toClosingText(url: string): string {
  return `
The recorder works.

  ${url}
  curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN" ${url}/trigger

The test event named a response that doesn't exist; the Worker keeps no record of it.`;
}
