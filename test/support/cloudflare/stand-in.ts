// A stand-in for Cloudflare: its API under /client/v4, and the deployed Workers under every other path.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { z } from "zod";
import { pollUntil } from "../../../scripts/lib/retry.ts";
import { createAccount, type Account, type Script } from "./account.ts";
import { ApiError, createApi } from "./api.ts";
import { WorkerRuntime } from "./worker-runtime.ts";

const API_PATH = "/client/v4";
/** The header in which `routeWorkersDev` says for which host a request is. */
const HOST_HEADER = "x-stand-in-host";
const RESTART_POLL = { intervalMs: 100, timeoutMs: 60_000 };
const HOP_BY_HOP_HEADERS = ["connection", "content-length", "host", "transfer-encoding"];

/** A call of the API that goes wrong. */
export type Fault = {
  method?: string;
  /** Matches the path, from /accounts on. */
  path: RegExp;
  status: 400 | 403 | 500 | 502 | 503;
  /** The error's code; 10000 is missing permission. */
  code?: number;
  message?: string;
  /** Whether the call is carried out although it fails. */
  carriedOut?: boolean;
  /** How often; 1 unless given. */
  times?: number;
};

export type Call = { method: string; path: string };

export type Cloudflare = Awaited<ReturnType<typeof startCloudflare>>;

/**
 * Starts the stand-in, with one account in which nothing is deployed.
 * @param vars Variables of the deployed Workers that differ from those of their upload.
 */
export async function startCloudflare(vars: Record<string, string>) {
  const account = createAccount("acme", "Acme");
  const accounts = [account];
  const faults: Fault[] = [];
  const calls: Call[] = [];
  const runtimes = new Map<Script, WorkerRuntime>();
  const state = { accounts, faults, calls, runtimes, vars, isBehindAccess: false };
  const server = createServer();
  const listener = getRequestListener(createApp(state).fetch);
  server.on("request", (incoming, outgoing) => void listener(incoming, outgoing));
  const url = `http://127.0.0.1:${await listen(server)}`;
  return {
    /** Where it answers. A request for no host at workers.dev is for the only Worker. */
    url,
    apiUrl: `${url}${API_PATH}`,
    account,
    /** Adds an account that the user may choose. */
    addAccount: (id: string, name: string): Account => {
      const added = createAccount(id, name);
      accounts.push(added);
      return added;
    },
    /** The calls of the API. */
    calls,
    /** Makes calls of the API go wrong. */
    fail: (fault: Fault) => void faults.push(fault),
    /** Puts every Worker behind Cloudflare Access, which asks a stranger to log in. */
    protect: () => void (state.isBehindAccess = true),
    async close() {
      server.closeAllConnections();
      const closed = once(server, "close");
      server.close();
      await Promise.all([closed, ...Array.from(runtimes.values(), (runtime) => runtime.close())]);
    },
  };
}

type State = {
  accounts: Account[];
  faults: Fault[];
  calls: Call[];
  runtimes: Map<Script, WorkerRuntime>;
  vars: Record<string, string>;
  isBehindAccess: boolean;
};

function createApp(state: State): Hono {
  const app = new Hono();
  app.all(`${API_PATH}/*`, async (c) => {
    const path = c.req.path.slice(API_PATH.length);
    state.calls.push({ method: c.req.method, path });
    const fault = takeFault(state.faults, c.req.method, path);
    // The accounts may have changed since the last call.
    const api = new Hono().route(API_PATH, createApi(state.accounts));
    if (fault === undefined) return api.fetch(c.req.raw);
    if (fault.carriedOut === true) await api.fetch(c.req.raw);
    const { status, code = 1, message = "The test made this call fail." } = fault;
    return new ApiError(status, code, message).getResponse();
  });
  app.all("*", (c) => serveWorker(state, c.req.raw));
  return app;
}

function takeFault(faults: Fault[], method: string, path: string): Fault | undefined {
  const fault = faults.find(
    (rule) => (rule.method ?? method) === method && rule.path.test(path) && rule.times !== 0,
  );
  if (fault !== undefined) fault.times = (fault.times ?? 1) - 1;
  return fault;
}

async function serveWorker(state: State, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (state.isBehindAccess) {
    return Response.redirect(`https://acme.cloudflareaccess.com/cdn-cgi/access/login${pathname}`);
  }
  const script = findScript(state.accounts, request.headers.get(HOST_HEADER));
  if (script === undefined) return new Response("error code: 1042", { status: 404 });
  const runtime = state.runtimes.get(script) ?? new WorkerRuntime(state.vars);
  state.runtimes.set(script, runtime);
  const body = request.body === null ? null : await request.arrayBuffer();
  const { method } = request;
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP_HEADERS) headers.delete(name);
  const send = async () => {
    const url = `${await runtime.getUrl(script)}${pathname}${search}`;
    return fetch(url, { method, headers, body, redirect: "manual" });
  };
  // workerd starts again for a new version or secret, and drops the requests that it has. Cloudflare doesn't.
  const response = await pollUntil(() => send().catch(() => null), RESTART_POLL);
  const { status, headers: answered } = response;
  // `fetch` has unpacked the body.
  const kept = [...answered].filter(([name]) => !/^content-(encoding|length)$/.test(name));
  return new Response(response.body, { status, headers: kept });
}

function findScript(accounts: Account[], host: string | null): Script | undefined {
  for (const account of accounts) {
    for (const [name, script] of account.scripts) {
      const isNamed = host === null || host === `${name}.${account.subdomain}.workers.dev`;
      if (isNamed && script.deployed.length > 0) return script;
    }
  }
  return undefined;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return z.object({ port: z.number() }).parse(server.address()).port;
}

/**
 * Sends this process's requests for hosts at workers.dev to the stand-in.
 * @returns Ends that.
 */
export function routeWorkersDev(url: string): () => void {
  const before = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const target = new URL(input instanceof Request ? input.url : input);
    if (!target.hostname.endsWith(".workers.dev")) return before(input, init);
    const request = new Request(input, init);
    request.headers.set(HOST_HEADER, target.hostname);
    return before(new Request(`${url}${target.pathname}${target.search}`, request));
  };
  return () => void (globalThis.fetch = before);
}
