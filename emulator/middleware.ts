/** What every request to the API passes before its route: the middleware, in order. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import type { Env } from "./app.ts";
import { ApiError, usual } from "./errors.ts";
import type { Fault } from "./faults/rules.ts";
import { newId } from "./lib/ids.ts";
import { entry, type Entry } from "./request-log.ts";
import type { State } from "./state.ts";

type Middleware = MiddlewareHandler<Env>;
type Next = () => Promise<void>;

/** Writes the request down, and gives the answer the headers that OpenAI's have. */
export function stamp({ journal }: State): Middleware {
  return async (c, next) => {
    const began = performance.now();
    const requestId = newId("req");
    c.set("requestId", requestId);
    const seen = await entry(c.req, requestId);
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
export function auth({ settings }: State): Middleware {
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
export function wait({ settings }: State): Middleware {
  return async (c, next) => {
    if (settings.latency > 0) await pause(c, settings.latency);
    await next();
  };
}

/** Applies the first fault rule that fits. */
export function spoil(state: State): Middleware {
  return async (c, next) => {
    const { method, path } = c.req;
    const fault = state.faults.take({ method, path, metadata: metadata(state, c.get("seen")) });
    if (!fault) return next();
    c.get("seen").fault = fault.kind;
    let answer: Promise<void> | undefined;
    const once = () => (answer ??= next());
    if (fault.carry_out) await once();
    return SPOILERS[fault.kind](c, fault, once);
  };
}

/** The metadata of the response that a request creates, or names in its path. */
function metadata({ runs }: State, { path, body }: Entry): Record<string, string> {
  const id = /^\/v1\/responses\/([^/]+)/.exec(path)?.[1];
  const found = id === undefined ? body : runs.get(id)?.request;
  return Described.safeParse(found).data?.metadata ?? {};
}

const Described = z.object({ metadata: z.record(z.string(), z.string()) });

type Spoiler = (c: Context<Env>, fault: Fault, next: Next) => Promise<Response | void>;

const SPOILERS: Record<Fault["kind"], Spoiler> = {
  async status(c, { status = 500, body, headers }) {
    const content = typeof body === "string" ? body : JSON.stringify(error(status, body));
    replace(c, {
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
    if (seconds === undefined) return silence(c);
    await pause(c, seconds * 1000);
    c.env.outgoing.socket?.destroy();
    return silence(c);
  },
  async cut(c, { after_events }, next) {
    if (after_events !== undefined) {
      c.set("cutAfter", after_events);
      return next();
    }
    c.env.outgoing.socket?.destroy();
    return silence(c);
  },
  async truncate(c, _, next) {
    await next();
    const text = await c.res.text();
    replace(c, { body: text.slice(0, text.length / 2) });
  },
  async html(c, { status = 200 }) {
    const body = "<!doctype html><title>Just a moment...</title><h1>Just a moment...</h1>\n";
    replace(c, { status, body, headers: { "content-type": "text/html; charset=utf-8" } });
  },
  async delay(c, { seconds = 1 }, next) {
    await pause(c, seconds * 1000);
    await next();
  },
  async replace(c, { patch }, next) {
    await next();
    if (!c.res.headers.get("content-type")?.includes("json")) return;
    const real: unknown = await c.res.json();
    const merged = typeof real === "object" ? { ...real, ...patch } : patch;
    replace(c, { body: JSON.stringify(merged) });
  },
};

/** Statuses that come without a body. */
const BODILESS = new Set([204, 205, 304]);

interface Answer {
  status?: number;
  body: string;
  headers?: Record<string, string>;
}

function replace(c: Context<Env>, { status = c.res.status, body, headers }: Answer): void {
  const kept = headers ?? { "content-type": c.res.headers.get("content-type") ?? "" };
  c.res = undefined;
  c.res = new Response(BODILESS.has(status) ? null : body, { status, headers: kept });
}

/** The error of a status; what the rule says of it comes first. */
function error(status: number, body: unknown): unknown {
  const { error: fields } = usual(status).toJSON();
  if (typeof body !== "object" || body === null) return { error: fields };
  if (!("error" in body) || typeof body.error !== "object") return body;
  return { ...body, error: { ...fields, ...body.error } };
}

/** Waits, but no longer than the client does. */
async function pause(c: Context<Env>, milliseconds: number): Promise<void> {
  const gone = new AbortController();
  c.env.outgoing.once("close", () => gone.abort());
  await sleep(milliseconds, undefined, { signal: gone.signal }).catch(() => undefined);
}

/** Waits until the client has gone, for there will be no answer. */
async function silence(c: Context<Env>): Promise<void> {
  c.set("silent", true);
  await new Promise((resolve) => c.env.outgoing.once("close", resolve));
  c.res = new Response(null, { status: 204 });
}
