// The steps of `npm run deploy`, from a clone to a recorder that works.
import { randomBytes } from "node:crypto";
import type OpenAI from "openai";
import { retryUntil } from "../lib/retry.ts";
import type { DeployConfig } from "./config.ts";
import { fetchMissingSettings, LOGIN_IN_FRONT, parseWorkerUrl } from "./deployed-worker.ts";
import {
  describeOthers,
  findForeignWorker,
  findOtherProject,
  findRecordsId,
  SECRETS,
  type ExistingWorker,
} from "./existing-worker.ts";
import type { Step } from "./run-steps.ts";
import {
  addMissingEventTypes,
  listEndpoints,
  registerEndpoint,
  rotateSecret,
  sendTestEvent,
} from "./webhook-endpoint.ts";
import type { Account, Wrangler } from "./wrangler.ts";

export type Terminal = {
  /** False in CI: then no question is asked, and no token is printed. */
  isInteractive: boolean;
  print(line: string): void;
  /** Asks a question, and gives the answer. */
  ask(question: string): Promise<string>;
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
  config: DeployConfig;
  apiKey: string;
  /** Whether the environment names the account and has a token for it, so that there is nothing to ask. */
  hasAccount: boolean;
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
  worker: ExistingWorker | null;
  /** The KV namespace that the deploy must name; null where wrangler chooses it. */
  recordsId: string | null;
  /** The access token to store, if one has to be. */
  newToken: string | null;
  url: string;
  endpointId: string;
  /** The signing secret to store, if one has to be. */
  newWebhookSecret: string | null;
};

const MAX_STORE_ATTEMPTS = 3;
const TOKEN_BYTES = 24;
const RUN_AGAIN = "correct that and run npm run deploy again. It changes only what is missing.";

/** Creates the state that `createDeploymentSteps` needs, with nothing in it yet. */
export function createDeployState(): DeployState {
  return {
    worker: null,
    recordsId: null,
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
      title: "Register the webhook endpoint at OpenAI",
      run: () => ensureEndpoint(deployment, state),
      onFailure: `${RUN_AGAIN} OpenAI retries undelivered webhooks for 72 hours.`,
    },
    {
      title: "Store the secrets",
      run: () => storeSecrets(deployment, state),
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
  const { client, config, wrangler, options, hasAccount } = deployment;
  const endpoints = await listEndpoints(client);
  if (!hasAccount) await chooseAccount(deployment);
  state.worker = await wrangler.getWorker();
  const reason =
    findForeignWorker(config.name, state.worker) ??
    (options.newKey ? null : findOtherProject(config.name, state.worker, endpoints));
  if (reason !== null) throw new Error(reason);
  if (options.newToken || !hasSecret(state, SECRETS.token)) {
    state.newToken = resolveNewToken(deployment);
  }
  state.recordsId = await findNamespace(config, wrangler, state.worker);
  const secrets = [...(state.worker?.secrets ?? [])].join(", ");
  const found = state.worker === null ? "isn't there yet" : `has ${secrets || "no secret yet"}`;
  const records = state.recordsId === null ? "" : `; its KV namespace is ${state.recordsId}`;
  return `OpenAI accepts the key and has ${endpoints.length} endpoints; the Worker ${config.name} ${found}${records}${describeOthers(config.name, state.worker, endpoints)}`;
}

/**
 * Finds the KV namespace that the deploy must name.
 * @returns Its id, or null where wrangler chooses.
 */
export async function findNamespace(
  config: DeployConfig,
  wrangler: Wrangler,
  worker: ExistingWorker | null,
): Promise<string | null> {
  if (config.recordsId !== undefined) return null;
  return (
    findRecordsId(config.name, worker, null) ??
    findRecordsId(config.name, worker, await wrangler.listNamespaces())
  );
}

// Without a terminal nothing can be asked: there the calls that need an account say what they lack.
async function chooseAccount(deployment: Deployment): Promise<void> {
  const { terminal, wrangler, config } = deployment;
  if (!terminal.isInteractive) return;
  const accounts = await wrangler.listAccounts();
  if (accounts === null) {
    await wrangler.logIn();
    return chooseAccount(deployment);
  }
  if (accounts.length < 2 || config.accountId !== undefined) return;
  wrangler.useAccount((await askForAccount(terminal, accounts)).id);
}

async function askForAccount(terminal: Terminal, accounts: Account[]): Promise<Account> {
  const lines = accounts.map(({ id, name }, index) => `  ${index + 1}  ${name} (${id})`);
  const question = `Deploy to which account?\n${lines.join("\n")}\nNumber: `;
  const chosen = accounts[Number(await terminal.ask(question)) - 1];
  return chosen ?? askForAccount(terminal, accounts);
}

function hasSecret({ worker }: DeployState, name: string): boolean {
  return worker?.secrets.has(name) ?? false;
}

function resolveNewToken({ givenToken, terminal }: Deployment): string {
  if (givenToken !== undefined) return givenToken;
  if (terminal.isInteractive) return randomBytes(TOKEN_BYTES).toString("base64url");
  throw new Error(
    "ACCESS_TOKEN is missing. Set it in the environment: at least 16 characters. Without a terminal no token is created, because it could not be shown.",
  );
}

async function deployWorker(deployment: Deployment, state: DeployState): Promise<string> {
  const targets = await deployment.wrangler.deploy(state.recordsId);
  state.url = deployment.options.url ?? parseWorkerUrl(targets);
  return `The Worker is at ${state.url}`;
}

async function ensureEndpoint(deployment: Deployment, state: DeployState): Promise<string> {
  const { client, config, options } = deployment;
  const url = `${state.url}/webhook`;
  const existing = (await listEndpoints(client)).find((endpoint) => endpoint.url === url);
  if (existing === undefined) {
    const { id, secret } = await registerEndpoint(client, config.name, url);
    state.endpointId = id;
    state.newWebhookSecret = secret;
    return `${id} sends to ${url}`;
  }
  state.endpointId = existing.id;
  const hadGaps = await addMissingEventTypes(client, existing);
  const added = hadGaps ? "; its missing event types were added" : "";
  // Where the Worker has no secret, the old one verifies nothing, so OpenAI need not sign with it any longer.
  const hasOld = hasSecret(state, SECRETS.webhook);
  if (!options.rotate && hasOld) return `${existing.id} exists already${added}`;
  state.newWebhookSecret = await rotateSecret(client, existing.id, hasOld);
  const overlap = hasOld ? "; OpenAI signs with the old one as well for 24 hours" : "";
  return `${existing.id} has a new signing secret${overlap}${added}`;
}

// During the overlap OpenAI signs with both secrets, so the Worker rejects no webhook, whichever of the two it has.
async function storeSecrets(deployment: Deployment, state: DeployState): Promise<string> {
  const { apiKey, options, givenToken, terminal, wrangler } = deployment;
  const { newToken, newWebhookSecret } = state;
  const storesKey = options.newKey || !hasSecret(state, SECRETS.key);
  const secrets = {
    ...(storesKey ? { [SECRETS.key]: apiKey } : {}),
    ...(newToken === null ? {} : { [SECRETS.token]: newToken }),
    ...(newWebhookSecret === null ? {} : { [SECRETS.webhook]: newWebhookSecret }),
  };
  const names = Object.keys(secrets);
  if (names.length === 0) return "The Worker has all secrets already, and keeps them";
  // Before it is stored: Cloudflare may take it although the command fails, and then no later run shows it.
  if (newToken !== null && givenToken === undefined) {
    terminal.print(`\n      Your access token, shown only now:\n\n      ${newToken}\n`);
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      await wrangler.storeSecrets(secrets);
      return `${names.join(", ")} stored`;
    } catch (error) {
      if (attempt === MAX_STORE_ATTEMPTS) throw error;
    }
  }
}

async function testEndpoint(deployment: Deployment, state: DeployState): Promise<string> {
  let status = 0;
  const check = async () => {
    status = await sendTestEvent(deployment.client, state.endpointId);
    const problem = `The Worker answered the test event with ${status}.`;
    return status >= 200 && status < 400 ? null : problem;
  };
  await retryUntil(check, deployment.propagationTimeoutMs);
  if (status >= 300) throw new Error(`/webhook answered ${status}. ${LOGIN_IN_FRONT}`);
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
