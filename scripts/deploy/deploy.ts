// `npm run deploy`, but for the terminal it runs in.
import { clientOf } from "./webhook-endpoint.ts";
import { stepsOf, unknown, type Terminal, type Wishes } from "./deployment-steps.ts";
import { take } from "./run-steps.ts";
import { wranglerAt } from "./wrangler.ts";

export type Surroundings = {
  env: NodeJS.ProcessEnv;
  terminal: Terminal & { askSecret(question: string): Promise<string> };
  /** wrangler's JavaScript file. */
  wrangler: string;
  /** Where OpenAI's API is. */
  api: string;
  /** Milliseconds to wait until what was changed is everywhere. */
  patience: number;
};

const SHORTEST_TOKEN = 16;

/**
 * Deploys, and leaves a recorder that works.
 * @param wishes What is asked for beyond that.
 * @param around Where it runs.
 * @throws Stopped when a step fails, Error when something it needs is missing.
 */
export async function deploy(wishes: Wishes, around: Surroundings): Promise<void> {
  const { env, terminal, wrangler: path, api, patience } = around;
  const key = await keyOf(around);
  const wrangler = wranglerAt(path, env);
  const client = clientOf(key, api);
  const token = givenToken(env["ACCESS_TOKEN"]);
  const known = unknown();
  const deployment = { wishes, key, token, client, wrangler, terminal, patience };
  await take(stepsOf(deployment, known), (line) => terminal.say(line));
  terminal.say(farewell(known.url));
}

async function keyOf({ env, terminal }: Surroundings): Promise<string> {
  const given = env["OPENAI_API_KEY"]?.trim() ?? "";
  if (given !== "") return given;
  if (!terminal.isThere) throw new Error("OPENAI_API_KEY is missing. Set it in the environment.");
  const typed = await terminal.askSecret("OPENAI_API_KEY");
  if (typed === "") throw new Error("Without OPENAI_API_KEY there is nothing to deploy.");
  return typed;
}

function givenToken(token: string | undefined): string | undefined {
  if (token === undefined || token === "") return undefined;
  if (token.length >= SHORTEST_TOKEN) return token;
  throw new Error(`ACCESS_TOKEN must have at least ${SHORTEST_TOKEN} characters.`);
}

function farewell(url: string): string {
  return `
The recorder works.

  ${url}
  curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN" ${url}/trigger

The test event is about a response that doesn't exist: it is listed as not_found.`;
}
