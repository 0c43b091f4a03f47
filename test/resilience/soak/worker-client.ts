// Sends requests to the Worker while it is killed and restarted, and returns the outcome of each.
import { setTimeout as sleep } from "node:timers/promises";
import { API_KEY, TOKEN } from "../../support/world.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";

/** `unsent`: nothing listened, so nothing was done. `cut`: it is not known what was done. */
export type RequestOutcome =
  | { kind: "answered"; status: number; body: unknown }
  | { kind: "unsent" }
  | { kind: "cut" };

const ANSWER_TIMEOUT_SECONDS = 90;
const ERROR_DELAY_MS = 500;

/** Sends requests, and counts those in flight. */
export class WorkerClient {
  /** Triggers, webhooks and refetches without an answer. */
  inFlight = 0;
  /** How many of these were cut off, or took too long. */
  cutOff = 0;
  readonly #worker: WorkerProcess;

  constructor(worker: WorkerProcess) {
    this.#worker = worker;
  }

  /** Sends a request with the access token once the Worker is ready. */
  async request(
    path: string,
    init: RequestInit = {},
    timeoutSeconds = ANSWER_TIMEOUT_SECONDS,
  ): Promise<RequestOutcome> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${TOKEN}`);
    return this.send(path, { ...init, headers }, timeoutSeconds);
  }

  /** Sends a request once the Worker is ready. */
  async send(
    path: string,
    init: RequestInit,
    timeoutSeconds = ANSWER_TIMEOUT_SECONDS,
  ): Promise<RequestOutcome> {
    await this.#worker.ready();
    const isCounted = (init.method ?? "GET") !== "GET";
    if (isCounted) this.inFlight += 1;
    try {
      const signal = AbortSignal.timeout(timeoutSeconds * 1000);
      const answer = await fetch(`${this.#worker.url}${path}`, { ...init, signal });
      return { kind: "answered", status: answer.status, body: parseBody(await answer.text()) };
    } catch (error) {
      if (isRefused(error)) return { kind: "unsent" };
      if (isCounted) this.cutOff += 1;
      return { kind: "cut" };
    } finally {
      if (isCounted) this.inFlight -= 1;
    }
  }

  /** Returns the text at a path; null unless the answer is a success. */
  async read(path: string): Promise<string | null> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (;;) {
      const answer = await fetch(`${this.#worker.url}${path}`, { headers });
      const body = await answer.text();
      // A Recorder may die while it answers.
      if (answer.status < 500) return answer.ok ? body : null;
      await sleep(ERROR_DELAY_MS);
    }
  }
}

/** Posts to OpenAI as another program of the same project. */
export async function postToApi(
  emulatorUrl: string,
  path: string,
  body: unknown,
): Promise<RequestOutcome> {
  try {
    const answer = await fetch(`${emulatorUrl}/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { kind: "answered", status: answer.status, body: parseBody(await answer.text()) };
  } catch {
    return { kind: "cut" };
  }
}

// undici gives the reason as the cause.
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
