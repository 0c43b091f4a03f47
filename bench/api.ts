// The emulator as the bench drives it, and the truth that results are checked against.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { API_KEY, WEBHOOK_SECRET } from "./servers.ts";
import { signWebhook } from "../test/support/sign-webhook.ts";

const Id = z.object({ id: z.string() });
const Truth = z.object({ ended_at: z.string().nullable() });
const Requests = z.array(z.object({ method: z.string(), path: z.string() }));
const Deliveries = z.array(
  z.object({ at: z.string(), response_id: z.string(), status: z.number().nullable() }),
);

const TOOLS = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];

/** A request whose Python prints what the number says. */
export function printing(n: number, seconds = 0) {
  const code = `print("number ${n}")`;
  const input = `emulator: run ${seconds} seconds\n\`\`\`python\n${code}\n\`\`\``;
  return { model: "gpt-5.2", input, tools: TOOLS };
}

/** A request whose Python prints so many bytes. */
export function printingBytes(bytes: number, seconds = 0) {
  const input = `emulator: run ${seconds} seconds\n\`\`\`python\nprint("x" * ${bytes}, end="")\n\`\`\``;
  return { model: "gpt-5.2", input, tools: TOOLS };
}

export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Changes the emulator's settings. */
  async set(settings: Record<string, unknown>): Promise<void> {
    const answer = await this.#control("/settings", "PATCH", settings);
    assert.equal(answer.status, 200, "the emulator takes its settings");
  }

  /** Starts a background response as another program would; gives its id. */
  async create(request: object): Promise<string> {
    const body = JSON.stringify({ ...request, background: true, store: true });
    const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
    const answer = await fetch(`${this.url}/v1/responses`, { method: "POST", body, headers });
    return Id.parse(await answer.json()).id;
  }

  /** The response as the API gives it. */
  async response(id: string): Promise<unknown> {
    const include = "include[]=code_interpreter_call.outputs";
    const headers = { authorization: `Bearer ${API_KEY}` };
    const answer = await fetch(`${this.url}/v1/responses/${id}?${include}`, { headers });
    return answer.json();
  }

  /** When a response ended, in milliseconds; waits until it has. */
  async ended(id: string): Promise<number> {
    for (;;) {
      const answer = await this.#control(`/responses/${id}`, "GET");
      const { ended_at } = Truth.parse(await answer.json());
      if (ended_at !== null) return Date.parse(ended_at);
      await sleep(50);
    }
  }

  /** Requests that the API was sent since the last call of `forget`. */
  async requests() {
    return Requests.parse(await (await this.#control("/requests", "GET")).json());
  }

  async forget(): Promise<void> {
    await this.#control("/requests", "DELETE");
  }

  /** When the webhook of a response was answered with 200, in milliseconds; null when it was not. */
  async answered(): Promise<Map<string, number>> {
    const all = Deliveries.parse(await (await this.#control("/deliveries", "GET")).json());
    const accepted = all.filter(({ status }) => status === 200);
    return new Map(accepted.map(({ response_id, at }) => [response_id, Date.parse(at)]));
  }

  #control(path: string, method: string, body?: unknown): Promise<Response> {
    const headers = { "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(`${this.url}/_emulator${path}`, { method, headers, ...sent });
  }
}

/**
 * Delivers a webhook as OpenAI would.
 * @param url The receiver.
 * @param id The response that has ended.
 * @throws When it isn't accepted.
 */
export async function deliver(url: string, id: string): Promise<void> {
  const event = { id: `evt_${id}`, object: "event", type: "response.completed", data: { id } };
  const body = JSON.stringify(event);
  const headers = signWebhook(body, WEBHOOK_SECRET);
  const answer = await fetch(url, { method: "POST", body, headers });
  assert.equal(answer.status, 200, `${url} accepts a webhook`);
  await answer.arrayBuffer();
}
