import type { HonoRequest } from "hono";
import type { Fault } from "./faults/rules.ts";

/** One request to the API, as `/_emulator/requests` shows it. */
export interface LoggedRequest {
  at: string;
  method: string;
  path: string;
  query: Record<string, string[]>;
  headers: Record<string, string>;
  body: unknown;
  /** Null until a response is sent; it stays null when a fault withholds the response. */
  status: number | null;
  request_id: string;
  /** The kind of the fault that was injected, or null. */
  fault: Fault["kind"] | null;
}

/** Reads what is logged of a request: without the API key, and the body only if it is JSON. */
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

/** Hides the API key. */
export function redactHeaders(headers: Record<string, string>): Record<string, string> {
  return "authorization" in headers ? { ...headers, authorization: "Bearer …" } : headers;
}

async function readJsonBody(request: HonoRequest): Promise<unknown> {
  if (!request.header("content-type")?.includes("json")) return null;
  try {
    return JSON.parse(await request.text());
  } catch {
    return null;
  }
}
