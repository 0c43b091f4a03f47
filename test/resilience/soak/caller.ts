// Requests to the Worker while it is killed and started again: each is one that a caller would make, and its fate is known.
import { API_KEY, TOKEN } from "../../support/world.ts";
import type { WorkerProcess } from "../../support/worker-process.ts";

/** What came of one request. `unsent`: nobody listened, so nothing was done. `cut`: nobody knows what was done. */
export type Fate =
  | { kind: "answered"; status: number; body: unknown }
  | { kind: "unsent" }
  | { kind: "cut" };

/** Seconds that a caller waits at the most. */
const PATIENCE = 90;

/** Asks the Worker, and knows how many of its requests are under way. */
export class Caller {
  /** Triggers, webhooks and wishes without an answer yet. */
  underWay = 0;
  /** Those that were cut off, or took too long. */
  cut = 0;
  readonly #worker: WorkerProcess;

  constructor(worker: WorkerProcess) {
    this.#worker = worker;
  }

  /** A request of somebody who has the token and so many seconds, once the Worker is up. */
  async ask(path: string, init: RequestInit = {}, patience = PATIENCE): Promise<Fate> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${TOKEN}`);
    return this.send(path, { ...init, headers }, patience);
  }

  /** A request as it stands, once the Worker is up. */
  async send(path: string, init: RequestInit, patience = PATIENCE): Promise<Fate> {
    await this.#worker.ready();
    const acts = (init.method ?? "GET") !== "GET";
    if (acts) this.underWay += 1;
    try {
      const signal = AbortSignal.timeout(patience * 1000);
      const answer = await fetch(`${this.#worker.url}${path}`, { ...init, signal });
      return { kind: "answered", status: answer.status, body: parse(await answer.text()) };
    } catch (error) {
      if (isRefused(error)) return { kind: "unsent" };
      if (acts) this.cut += 1;
      return { kind: "cut" };
    } finally {
      if (acts) this.underWay -= 1;
    }
  }

  /** What is stored at a path as it stands, or null. */
  async read(path: string): Promise<string | null> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const answer = await fetch(`${this.#worker.url}${path}`, { headers });
    const body = await answer.text();
    return answer.ok ? body : null;
  }
}

/** A request of another program of the same project, straight to the API. */
export async function askApi(api: string, path: string, body: unknown): Promise<Fate> {
  try {
    const answer = await fetch(`${api}/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { kind: "answered", status: answer.status, body: parse(await answer.text()) };
  } catch {
    return { kind: "cut" };
  }
}

// undici says the cause; both of "localhost"'s addresses come as an AggregateError.
function isRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
