/** What every request to the API passes before its route: the middleware, in order. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import type { AppEnv } from "./app.ts";
import { ApiError, defaultError } from "./errors.ts";
import type { Fault } from "./faults/rules.ts";
import { newId } from "./lib/ids.ts";
import { toLoggedRequest, type LoggedRequest } from "./request-log.ts";
import type { State } from "./state.ts";

type Middleware = MiddlewareHandler<AppEnv>;
type Next = () => Promise<void>;

/** Writes the request down, and gives the answer the headers that OpenAI's have. */
export function logRequest({ requestLog: journal }: State): Middleware {
  return async (c, next) => {
    const began = performance.now();
    const requestId = newId("req");
    c.set("requestId", requestId);
    const seen = await toLoggedRequest(c.req, requestId);
    c.set("seen", seen);
    journal.add(seen);
    await next();
    if (c.get("silent")) return;
    seen.status = c.res.status;
    c.header("x-request-id", requestId);
    c.header("openai-version", "2020-10-01");
    c.header("openai-processing-ms", String(Math.round(performance.now() - began)));
  };
}

/** Asks for a key. */
export function requireApiKey({ settings }: State): Middleware {
  return async (c, next) => {
    const key = /^Bearer\s+(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (key === undefined) {
      throw new ApiError(401, "Missing bearer authentication in header", {
        code: "invalid_api_key",
      });
    }
    if (settings.apiKey !== null && key !== settings.apiKey) {
      const shown = key.length > 8 ? `${key.slice(0, 4)}****${key.slice(-4)}` : "****";
      throw new ApiError(401, `Incorrect API key provided: ${shown}.`, { code: "invalid_api_key" });
    }
    await next();
  };
}

/** Makes the network slower than it is. */
export function addLatency({ settings }: State): Middleware {
  return async (c, next) => {
    if (settings.latency > 0) await sleepWhileConnected(c, settings.latency);
    await next();
  };
}

/** Applies the first fault rule that fits. */
export function injectFault(state: State): Middleware {
  return async (c, next) => {
    const { method, path } = c.req;
    const fault = state.faults.takeMatching({
      method,
      path,
      metadata: findMetadata(state, c.get("seen")),
    });
    if (!fault) return next();
    c.get("seen").fault = fault.kind;
    let answer: Promise<void> | undefined;
    const once = () => (answer ??= next());
    if (fault.carry_out) await once();
    return FAULT_HANDLERS[fault.kind](c, fault, once);
  };
}

/** The metadata of the response that a request creates, or names in its path. */
function findMetadata({ runs }: State, { path, body }: LoggedRequest): Record<string, string> {
  const id = /^\/v1\/responses\/([^/]+)/.exec(path)?.[1];
  const found = id === undefined ? body : runs.get(id)?.params;
  return WithMetadata.safeParse(found).data?.metadata ?? {};
}

const WithMetadata = z.object({ metadata: z.record(z.string(), z.string()) });

type FaultHandler = (c: Context<AppEnv>, fault: Fault, next: Next) => Promise<Response | void>;

const FAULT_HANDLERS: Record<Fault["kind"], FaultHandler> = {
  async status(c, { status = 500, body, headers }) {
    const content = typeof body === "string" ? body : JSON.stringify(toErrorBody(status, body));
    replaceResponse(c, {
      status,
      body: content,
      headers: { "content-type": "application/json", ...headers },
    });
  },
  async hang(c, { seconds, after_events }, next) {
    if (after_events !== undefined) {
      c.set("cutAfter", after_events);
      c.set("stalls", true);
      return next();
    }
    if (seconds === undefined) return neverRespond(c);
    await sleepWhileConnected(c, seconds * 1000);
    c.env.outgoing.socket?.destroy();
    return neverRespond(c);
  },
  async cut(c, { after_events }, next) {
    if (after_events !== undefined) {
      c.set("cutAfter", after_events);
      return next();
    }
    c.env.outgoing.socket?.destroy();
    return neverRespond(c);
  },
  async truncate(c, _, next) {
    await next();
    const text = await c.res.text();
    replaceResponse(c, { body: text.slice(0, text.length / 2) });
  },
  async html(c, { status = 200 }) {
    const body = "<!doctype html><title>Just a moment...</title><h1>Just a moment...</h1>\n";
    replaceResponse(c, { status, body, headers: { "content-type": "text/html; charset=utf-8" } });
  },
  async delay(c, { seconds = 1 }, next) {
    await sleepWhileConnected(c, seconds * 1000);
    await next();
  },
  async replace(c, { patch }, next) {
    await next();
    if (!c.res.headers.get("content-type")?.includes("json")) return;
    const real: unknown = await c.res.json();
    const merged = typeof real === "object" ? { ...real, ...patch } : patch;
    replaceResponse(c, { body: JSON.stringify(merged) });
  },
};

/** Statuses that come without a body. */
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

interface Replacement {
  status?: number;
  body: string;
  headers?: Record<string, string>;
}

function replaceResponse(
  c: Context<AppEnv>,
  { status = c.res.status, body, headers }: Replacement,
): void {
  const kept = headers ?? { "content-type": c.res.headers.get("content-type") ?? "" };
  c.res = undefined;
  c.res = new Response(STATUSES_WITHOUT_BODY.has(status) ? null : body, { status, headers: kept });
}

/** The error of a status; what the rule says of it comes first. */
function toErrorBody(status: number, body: unknown): unknown {
  const { error: fields } = defaultError(status).toJSON();
  if (typeof body !== "object" || body === null) return { error: fields };
  if (!("error" in body) || typeof body.error !== "object") return body;
  return { ...body, error: { ...fields, ...body.error } };
}

/** Waits, but no longer than the client does. */
async function sleepWhileConnected(c: Context<AppEnv>, milliseconds: number): Promise<void> {
  const gone = new AbortController();
  c.env.outgoing.once("close", () => gone.abort());
  await sleep(milliseconds, undefined, { signal: gone.signal }).catch(() => undefined);
}

/** Waits until the client has gone, for there will be no answer. */
async function neverRespond(c: Context<AppEnv>): Promise<void> {
  c.set("silent", true);
  await new Promise((resolve) => c.env.outgoing.once("close", resolve));
  c.res = new Response(null, { status: 204 });
}
