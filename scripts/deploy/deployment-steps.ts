// From clone to production: what `npm run deploy` does, step by step.
import { randomBytes } from "node:crypto";
import type OpenAI from "openai";
import { complete, listEndpoints, register, rotate, sendTest } from "./webhook-endpoint.ts";
import type { Step } from "./run-steps.ts";
import { missingAt, patiently, urlOf } from "./deployed-worker.ts";
import type { Wrangler } from "./wrangler.ts";

export type Terminal = {
  /** False where nobody sits: then nothing is asked, and no token is shown. */
  isThere: boolean;
  say(line: string): void;
};

export type Wishes = {
  /** Replace the access token. */
  newToken: boolean;
  /** Store the key again. */
  newKey: boolean;
  /** Rotate the signing secret. */
  rotate: boolean;
  /** The Worker's URL, where wrangler can't tell it. */
  url: string | undefined;
};

export type Deployment = {
  wishes: Wishes;
  key: string;
  /** The access token to store, where one is given. */
  token: string | undefined;
  client: OpenAI;
  wrangler: Wrangler;
  terminal: Terminal;
  /** Milliseconds to wait until what was changed is everywhere. */
  patience: number;
};

const NAME = "response-recorder";
const SECRET = "OPENAI_WEBHOOK_SECRET";
const AGAIN = "correct that and run npm run deploy again. It changes only what is missing.";
const TRIES = 3;

/** What is found out on the way. */
type Known = {
  stored: Set<string>;
  /** The token to store, if one has to be. */
  token: string | null;
  url: string;
  endpoint: string;
  /** The signing secret to store, if one has to be. */
  secret: string | null;
};

/**
 * The steps to a working recorder.
 * @param deployment What to deploy with.
 * @param known Filled in on the way; its `url` is the Worker's.
 */
export function stepsOf(deployment: Deployment, known: Known): Step[] {
  return [
    {
      title: "Look at what is there",
      run: () => lookAround(deployment, known),
      otherwise: AGAIN,
    },
    {
      title: "Deploy the Worker, with its KV namespace and its Workflow",
      run: () => deployWorker(deployment, known),
      otherwise: AGAIN,
    },
    {
      title: "Store the key and the access token",
      run: () => storeKeys(deployment, known),
      otherwise: AGAIN,
    },
    {
      title: "Register the webhook endpoint at OpenAI",
      run: () => settleEndpoint(deployment, known),
      otherwise: `${AGAIN} Webhooks that could not be delivered meanwhile are sent again for 72 hours.`,
    },
    {
      title: "Store its signing secret",
      run: () => storeSecret(deployment, known),
      otherwise: deployment.wishes.rotate
        ? "run npm run deploy -- --rotate again: OpenAI shows a secret once, so there has to be a newer one. Until then the Worker has the old one, which signs as well for 24 hours."
        : "run npm run deploy again: OpenAI shows a secret once, so it asks for a new one. Until then /webhook answers 503, and OpenAI sends again for 72 hours.",
    },
    {
      title: "Send a test event",
      run: () => testEndpoint(deployment, known),
      otherwise:
        "run npm run deploy again. If the Worker refuses the event (400), its signing secret is another one: npm run deploy -- --rotate.",
    },
    {
      title: "Check /health",
      run: () => checkHealth(deployment, known),
      otherwise: AGAIN,
    },
  ];
}

/** Nothing is known yet. */
export function unknown(): Known {
  return { stored: new Set(), token: null, url: "", endpoint: "", secret: null };
}

// Whatever can be refused is refused here, before anything has changed.
async function lookAround(deployment: Deployment, known: Known): Promise<string> {
  const { client, wrangler, wishes } = deployment;
  const endpoints = await listEndpoints(client);
  if (!(await wrangler.isLoggedIn())) await logIn(deployment);
  known.stored = await wrangler.secrets();
  if (wishes.newToken || !known.stored.has("ACCESS_TOKEN")) known.token = tokenOf(deployment);
  const secrets = known.stored.size === 0 ? "no secret yet" : [...known.stored].join(", ");
  return `OpenAI accepts the key and knows ${endpoints.length} endpoints; the Worker has ${secrets}`;
}

async function logIn({ terminal, wrangler }: Deployment): Promise<void> {
  if (!terminal.isThere) {
    throw new Error("wrangler is not logged in to Cloudflare. Set CLOUDFLARE_API_TOKEN.");
  }
  await wrangler.logIn();
}

function tokenOf({ token, terminal }: Deployment): string {
  if (token !== undefined) return token;
  if (terminal.isThere) return randomBytes(24).toString("base64url");
  throw new Error(
    "ACCESS_TOKEN is missing. Without a terminal none is made, for it could not be shown. Set it in the environment: at least 16 characters.",
  );
}

async function deployWorker({ wrangler, wishes }: Deployment, known: Known): Promise<string> {
  const targets = await wrangler.deploy();
  known.url = wishes.url ?? urlOf(targets);
  return `The Worker is at ${known.url}`;
}

async function storeKeys(deployment: Deployment, known: Known): Promise<string> {
  const { key, wishes, terminal, wrangler } = deployment;
  const { stored, token } = known;
  const values = {
    ...(wishes.newKey || !stored.has("OPENAI_API_KEY") ? { OPENAI_API_KEY: key } : {}),
    ...(token === null ? {} : { ACCESS_TOKEN: token }),
  };
  const names = Object.keys(values);
  if (names.length === 0) return "OPENAI_API_KEY and ACCESS_TOKEN are there already, and kept";
  await wrangler.store(values);
  if (token !== null && deployment.token === undefined) {
    terminal.say(`\n      Your access token, shown only now:\n\n      ${token}\n`);
  }
  return `${names.join(" and ")} stored`;
}

async function settleEndpoint(deployment: Deployment, known: Known): Promise<string> {
  const { client, wishes } = deployment;
  const url = `${known.url}/webhook`;
  const found = (await listEndpoints(client)).find((endpoint) => endpoint.url === url);
  if (found === undefined) {
    const { id, secret } = await register(client, NAME, url);
    Object.assign(known, { endpoint: id, secret });
    return `${id} sends to ${url}`;
  }
  known.endpoint = found.id;
  const more = (await complete(client, found)) ? "; it lacked events, and has them now" : "";
  // A secret that the Worker doesn't have is of no use to anybody: no overlap is needed.
  const isHeld = known.stored.has(SECRET);
  if (!wishes.rotate && isHeld) return `${found.id} is there already${more}`;
  known.secret = await rotate(client, found.id, isHeld);
  return `${found.id} has a new signing secret${isHeld ? "; the old one signs as well for 24 hours" : ""}${more}`;
}

// During the overlap OpenAI signs with both secrets, so the Worker refuses nothing, whichever of the two it has.
async function storeSecret({ wrangler }: Deployment, { secret }: Known): Promise<string> {
  if (secret === null) return `${SECRET} is there already, and kept`;
  for (let attempt = 1; ; attempt++) {
    try {
      await wrangler.store({ [SECRET]: secret });
      return `${SECRET} stored`;
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}

async function testEndpoint({ client, patience }: Deployment, known: Known): Promise<string> {
  await patiently(async () => {
    const status = await sendTest(client, known.endpoint);
    return status >= 200 && status < 300
      ? null
      : `The Worker answered the test event with ${status}.`;
  }, patience);
  return "OpenAI's test event arrived, and its signature was accepted";
}

async function checkHealth({ patience }: Deployment, { url }: Known): Promise<string> {
  await patiently(async () => {
    const missing = await missingAt(url);
    return missing.length === 0 ? null : `Missing or malformed: ${missing.join(", ")}.`;
  }, patience);
  return "Every setting is in place";
}
