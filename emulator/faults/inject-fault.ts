import type { Context, MiddlewareHandler } from "hono";
import * as z from "zod";
import type { AppEnv } from "../app-env.ts";
import { defaultError } from "../errors.ts";
import { sleepWhileConnected } from "../lib/sleep.ts";
import type { LoggedRequest } from "../request-log.ts";
import type { State } from "../state.ts";
import type { Fault } from "./rules.ts";

/** Applies the first matching fault rule to the response. */
export function injectFault(state: State): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const loggedRequest = c.get("loggedRequest");
    const { method, path, query } = loggedRequest;
    const metadata = findMetadata(state, loggedRequest);
    const fault = state.faults.takeMatching({ method, path, query, metadata });
    if (!fault) return next();
    loggedRequest.fault = fault.kind;
    let execution: Promise<void> | undefined;
    const executeOnce = () => (execution ??= next());
    if (fault.carry_out) await executeOnce();
    return FAULT_HANDLERS[fault.kind](c, fault, executeOnce);
  };
}

/** The metadata of the response that the request creates, or names in its path. */
function findMetadata({ runs }: State, { path, body }: LoggedRequest): Record<string, string> {
  const id = /^\/v1\/responses\/([^/]+)/.exec(path)?.[1];
  const params = id === undefined ? body : runs.get(id)?.params;
  return WithMetadata.safeParse(params).data?.metadata ?? {};
}

const WithMetadata = z.object({ metadata: z.record(z.string(), z.string()) });

/** Spoils a response. `execute` runs the route, at most once. */
type FaultHandler = (
  c: Context<AppEnv>,
  fault: Fault,
  execute: () => Promise<void>,
) => Promise<void>;

const FAULT_HANDLERS: Record<Fault["kind"], FaultHandler> = {
  async status(c, { status = 500, body, headers }) {
    const text = typeof body === "string" ? body : JSON.stringify(toErrorBody(status, body));
    replaceResponse(c, {
      status,
      body: text,
      headers: { "content-type": "application/json", ...headers },
    });
  },
  async gateway(c, { status = 502, headers }) {
    const error = { code: status, message: "Bad gateway.", param: null, type: "cf_bad_gateway" };
    replaceResponse(c, {
      status,
      body: JSON.stringify({ error }),
      headers: { "content-type": "application/json", ...headers },
    });
  },
  async hang(c, fault, execute) {
    if (interruptsStream(fault)) return executeInterrupted(c, fault, execute);
    const { seconds } = fault;
    if (seconds === undefined) return neverRespond(c);
    await sleepWhileConnected(c.env.outgoing, seconds);
    c.env.outgoing.socket?.destroy();
    return neverRespond(c);
  },
  async cut(c, fault, execute) {
    if (interruptsStream(fault)) return executeInterrupted(c, fault, execute);
    c.env.outgoing.socket?.destroy();
    return neverRespond(c);
  },
  async truncate(c, _, execute) {
    await execute();
    const text = await c.res.text();
    replaceResponse(c, { body: text.slice(0, text.length / 2) });
  },
  async html(c, { status = 200 }) {
    const body = "<!doctype html><title>Just a moment...</title><h1>Just a moment...</h1>\n";
    replaceResponse(c, { status, body, headers: { "content-type": "text/html; charset=utf-8" } });
  },
  async delay(c, { seconds = 1 }, execute) {
    await sleepWhileConnected(c.env.outgoing, seconds);
    await execute();
  },
  async replace(c, { patch }, execute) {
    await execute();
    if (!c.res.headers.get("content-type")?.includes("json")) return;
    const body: unknown = await c.res.json();
    const patched = typeof body === "object" ? { ...body, ...patch } : patch;
    replaceResponse(c, { body: JSON.stringify(patched) });
  },
};

function interruptsStream({ after_events, after_item }: Fault): boolean {
  return after_events !== undefined || after_item !== undefined;
}

/** Carries out the request, and interrupts its stream where the rule says. */
async function executeInterrupted(
  c: Context<AppEnv>,
  { kind, after_events = Infinity, after_item: afterItem }: Fault,
  execute: () => Promise<void>,
): Promise<void> {
  c.set("streamFault", { afterEvents: after_events, afterItem, staysOpen: kind === "hang" });
  return execute();
}

/** `Response` rejects a body with these statuses. */
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
  const newHeaders = headers ?? { "content-type": c.res.headers.get("content-type") ?? "" };
  // hono merges the old headers into a new response, unless the old one is removed first.
  c.res = undefined;
  c.res = new Response(STATUSES_WITHOUT_BODY.has(status) ? null : body, {
    status,
    headers: newHeaders,
  });
}

/** The usual error of a status, with the rule's `body` in place of it or merged into it. */
function toErrorBody(status: number, body: unknown): unknown {
  const { error } = defaultError(status).toJSON();
  if (typeof body !== "object" || body === null) return { error };
  if (!("error" in body) || typeof body.error !== "object") return body;
  return { ...body, error: { ...error, ...body.error } };
}

/** Sends nothing, and waits until the client closes the connection. */
async function neverRespond(c: Context<AppEnv>): Promise<void> {
  c.set("neverResponds", true);
  await new Promise((resolve) => c.env.outgoing.once("close", resolve));
  c.res = new Response(null, { status: 204 });
}
