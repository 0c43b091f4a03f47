// The steps of `npm run deploy`, from a clone to a recorder that works.
import { randomBytes } from "node:crypto";
import type OpenAI from "openai";
import { retryUntil } from "../lib/retry.ts";
import { fetchMissingSettings, parseWorkerUrl } from "./deployed-worker.ts";
import type { Step } from "./run-steps.ts";
import {
  addMissingEventTypes,
  listEndpoints,
  registerEndpoint,
  rotateSecret,
  sendTestEvent,
} from "./webhook-endpoint.ts";
import type { Wrangler } from "./wrangler.ts";

export type Terminal = {
  /** False in CI: then no question is asked, and no token is printed. */
  isInteractive: boolean;
  print(line: string): void;
};

export type DeployOptions = {
  /** Replace the access token. */
  newToken: boolean;
  /** Store `OPENAI_API_KEY` again. */
  newKey: boolean;
  /** Rotate the signing secret. */
  rotate: boolean;
  /** The Worker's URL, where wrangler names none. */
  url: string | undefined;
};

export type Deployment = {
  options: DeployOptions;
  apiKey: string;
  /** The access token to store, where the environment gives one. */
  givenToken: string | undefined;
  client: OpenAI;
  wrangler: Wrangler;
  terminal: Terminal;
  /** How long a change may take to reach every location of Cloudflare. */
  propagationTimeoutMs: number;
};

/** What the steps find out for the steps after them. */
type DeployState = {
  storedSecrets: Set<string>;
  /** The access token to store, if one has to be. */
  newToken: string | null;
  url: string;
  endpointId: string;
  /** The signing secret to store, if one has to be. */
  newWebhookSecret: string | null;
};

const ENDPOINT_NAME = "response-recorder";
const WEBHOOK_SECRET = "OPENAI_WEBHOOK_SECRET";
const MAX_STORE_ATTEMPTS = 3;
const TOKEN_BYTES = 24;
const RUN_AGAIN = "correct that and run npm run deploy again. It changes only what is missing.";

/** Creates the state that `createDeploymentSteps` needs, with nothing in it yet. */
export function createDeployState(): DeployState {
  return {
    storedSecrets: new Set(),
    newToken: null,
    url: "",
    endpointId: "",
    newWebhookSecret: null,
  };
}

/**
 * Lists the steps to a recorder that works.
 * @param state The steps fill it in. After the last one its `url` is the Worker's.
 */
export function createDeploymentSteps(deployment: Deployment, state: DeployState): Step[] {
  return [
    {
      title: "Check the current state",
      run: () => checkCurrentState(deployment, state),
      onFailure: RUN_AGAIN,
    },
    {
      title: "Deploy the Worker, with its KV namespace and its objects",
      run: () => deployWorker(deployment, state),
      onFailure: RUN_AGAIN,
    },
    {
      title: "Store the key and the access token",
      run: () => storeKeyAndToken(deployment, state),
      onFailure: RUN_AGAIN,
    },
    {
      title: "Register the webhook endpoint at OpenAI",
      run: () => ensureEndpoint(deployment, state),
      onFailure: `${RUN_AGAIN} OpenAI retries undelivered webhooks for 72 hours.`,
    },
    {
      title: "Store its signing secret",
      run: () => storeWebhookSecret(deployment, state),
      onFailure: deployment.options.rotate
        ? "run npm run deploy -- --rotate again: OpenAI shows a secret once, so a newer one is needed. Until then the Worker has the old one, and OpenAI signs with that as well for 24 hours."
        : "run npm run deploy again: OpenAI shows a secret once, so the next run requests a new one. Until then /webhook answers 503, and OpenAI retries for 72 hours.",
    },
    {
      title: "Send a test event",
      run: () => testEndpoint(deployment, state),
      onFailure:
        "run npm run deploy again. If the Worker rejects the event (400), it has another signing secret: npm run deploy -- --rotate.",
    },
    {
      title: "Check /health",
      run: () => checkHealth(deployment, state),
      onFailure: RUN_AGAIN,
    },
  ];
}

// Every refusal that can be foreseen happens in this step, before anything has changed.
async function checkCurrentState(deployment: Deployment, state: DeployState): Promise<string> {
  const { client, wrangler, options } = deployment;
  const endpoints = await listEndpoints(client);
  if (!(await wrangler.isLoggedIn())) await logIn(deployment);
  state.storedSecrets = await wrangler.listSecrets();
  if (options.newToken || !state.storedSecrets.has("ACCESS_TOKEN")) {
    state.newToken = resolveNewToken(deployment);
  }
  const secrets = [...state.storedSecrets].join(", ");
  return `OpenAI accepts the key and has ${endpoints.length} endpoints; the Worker has ${secrets === "" ? "no secret yet" : secrets}`;
}

async function logIn({ terminal, wrangler }: Deployment): Promise<void> {
  if (!terminal.isInteractive) {
    throw new Error("wrangler is not logged in to Cloudflare. Set CLOUDFLARE_API_TOKEN.");
  }
  await wrangler.logIn();
}

function resolveNewToken({ givenToken, terminal }: Deployment): string {
  if (givenToken !== undefined) return givenToken;
  if (terminal.isInteractive) return randomBytes(TOKEN_BYTES).toString("base64url");
  throw new Error(
    "ACCESS_TOKEN is missing. Set it in the environment: at least 16 characters. Without a terminal no token is created, because it could not be shown.",
  );
}

async function deployWorker(deployment: Deployment, state: DeployState): Promise<string> {
  const targets = await deployment.wrangler.deploy();
  state.url = deployment.options.url ?? parseWorkerUrl(targets);
  return `The Worker is at ${state.url}`;
}

async function storeKeyAndToken(deployment: Deployment, state: DeployState): Promise<string> {
  const { apiKey, options, givenToken, terminal, wrangler } = deployment;
  const { storedSecrets, newToken } = state;
  const storesKey = options.newKey || !storedSecrets.has("OPENAI_API_KEY");
  const secrets = {
    ...(storesKey ? { OPENAI_API_KEY: apiKey } : {}),
    ...(newToken === null ? {} : { ACCESS_TOKEN: newToken }),
  };
  const names = Object.keys(secrets);
  if (names.length === 0) return "OPENAI_API_KEY and ACCESS_TOKEN exist already and are kept";
  await wrangler.storeSecrets(secrets);
  if (newToken !== null && givenToken === undefined) {
    terminal.print(`\n      Your access token, shown only now:\n\n      ${newToken}\n`);
  }
  return `${names.join(" and ")} stored`;
}

async function ensureEndpoint(deployment: Deployment, state: DeployState): Promise<string> {
  const { client, options } = deployment;
  const url = `${state.url}/webhook`;
  const existing = (await listEndpoints(client)).find((endpoint) => endpoint.url === url);
  if (existing === undefined) {
    const { id, secret } = await registerEndpoint(client, ENDPOINT_NAME, url);
    state.endpointId = id;
    state.newWebhookSecret = secret;
    return `${id} sends to ${url}`;
  }
  state.endpointId = existing.id;
  const hadGaps = await addMissingEventTypes(client, existing);
  const added = hadGaps ? "; its missing event types were added" : "";
  // Where the Worker has no secret, the old one verifies nothing, so OpenAI need not sign with it any longer.
  const hasSecret = state.storedSecrets.has(WEBHOOK_SECRET);
  if (!options.rotate && hasSecret) return `${existing.id} exists already${added}`;
  state.newWebhookSecret = await rotateSecret(client, existing.id, hasSecret);
  const overlap = hasSecret ? "; OpenAI signs with the old one as well for 24 hours" : "";
  return `${existing.id} has a new signing secret${overlap}${added}`;
}

// During the overlap OpenAI signs with both secrets, so the Worker rejects no webhook, whichever of the two it has.
async function storeWebhookSecret(
  { wrangler }: Deployment,
  { newWebhookSecret }: DeployState,
): Promise<string> {
  if (newWebhookSecret === null) return `${WEBHOOK_SECRET} exists already and is kept`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await wrangler.storeSecrets({ [WEBHOOK_SECRET]: newWebhookSecret });
      return `${WEBHOOK_SECRET} stored`;
    } catch (error) {
      if (attempt === MAX_STORE_ATTEMPTS) throw error;
    }
  }
}

async function testEndpoint(deployment: Deployment, state: DeployState): Promise<string> {
  const check = async () => {
    const status = await sendTestEvent(deployment.client, state.endpointId);
    const isAccepted = status >= 200 && status < 300;
    return isAccepted ? null : `The Worker answered the test event with ${status}.`;
  };
  await retryUntil(check, deployment.propagationTimeoutMs);
  return "OpenAI's test event arrived, and its signature was accepted";
}

async function checkHealth(deployment: Deployment, state: DeployState): Promise<string> {
  const check = async () => {
    const missing = await fetchMissingSettings(state.url);
    return missing.length === 0 ? null : `Missing or malformed: ${missing.join(", ")}.`;
  };
  await retryUntil(check, deployment.propagationTimeoutMs);
  return "Every setting is in place";
}
