// `npm run deploy` without its command line: the terminal, the environment and the API are given.
import {
  createDeploymentSteps,
  createDeployState,
  type DeployOptions,
  type Terminal,
} from "./deployment-steps.ts";
import { runSteps } from "./run-steps.ts";
import { createEndpointClient } from "./webhook-endpoint.ts";
import { createWrangler } from "./wrangler.ts";

export type DeployContext = {
  env: NodeJS.ProcessEnv;
  terminal: Terminal & { askSecret(question: string): Promise<string> };
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
  const { env, terminal, wranglerPath, apiUrl, propagationTimeoutMs } = context;
  const apiKey = await getApiKey(context);
  const deployment = {
    options,
    apiKey,
    givenToken: parseAccessToken(env["ACCESS_TOKEN"]),
    client: createEndpointClient(apiKey, apiUrl),
    wrangler: createWrangler(wranglerPath, env),
    terminal,
    propagationTimeoutMs,
  };
  const state = createDeployState();
  await runSteps(createDeploymentSteps(deployment, state), (line) => terminal.print(line));
  terminal.print(toClosingText(state.url));
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

The test event names a response that doesn't exist: its record will say not_found.`;
}
