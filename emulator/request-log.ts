import type { HonoRequest } from "hono";
import type { Fault } from "./faults/rules.ts";
import type { Settings } from "./settings.ts";

/** One request to the API, as `/_emulator/requests` shows it. */
export interface LoggedRequest {
  at: string;
  method: string;
  path: string;
  query: Record<string, string[]>;
  headers: Record<string, string>;
  body: unknown;
  /** Null while there is no answer, and when there never was one. */
  status: number | null;
  request_id: string;
  /** The kind of the fault that spoiled its answer, or null. */
  fault: Fault["kind"] | null;
}

/** The requests seen, oldest first; only the newest are kept. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  add(seen: LoggedRequest): void {
    this.#entries.push(seen);
    this.#entries.splice(0, this.#entries.length - this.#settings.remembered);
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

/** Writes a request down. Its body is read when it is JSON. */
export async function toLoggedRequest(
  request: HonoRequest,
  requestId: string,
): Promise<LoggedRequest> {
  return {
    at: new Date().toISOString(),
    method: request.method,
    path: request.path,
    query: request.queries(),
    headers: redactHeaders(request.header()),
    body: await readJsonBody(request),
    status: null,
    request_id: requestId,
    fault: null,
  };
}

function redactHeaders(pairs: Record<string, string>): Record<string, string> {
  return "authorization" in pairs ? { ...pairs, authorization: "Bearer …" } : pairs;
}

async function readJsonBody(request: HonoRequest): Promise<unknown> {
  if (!request.header("content-type")?.includes("json")) return null;
  try {
    return JSON.parse(await request.text());
  } catch {
    return null;
  }
}
