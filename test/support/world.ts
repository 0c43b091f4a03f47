// The world of a test: the emulator over HTTP, and the built Worker in workerd with its real KV and Workflow engine.
import { createTestHarness, type TestHarness } from "wrangler";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { BUILT } from "./build.ts";
import { contractOf } from "./contract.ts";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "./credentials.ts";

export { API_KEY, TOKEN, WEBHOOK_SECRET };

type Settings = NonNullable<Parameters<typeof startEmulator>[0]>;
type Vars = Record<string, string>;

export type World = {
  emulator: Emulator;
  worker: TestHarness;
  /** The Worker's URL, without a slash at its end. */
  url: string;
  /** Asks the Worker, with the access token unless `headers` say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Triggers and gives the id. */
  trigger(body?: unknown): Promise<string>;
  /** The record once it is settled. */
  settled(id: string): Promise<ResponseRecord>;
  /** Changes the emulator while it runs. */
  emulate(settings: Settings): Promise<void>;
  /** What the emulator says at one of its control routes. */
  told(path: string): Promise<unknown>;
  /** Adds a fault to the emulator. */
  fault(rule: Record<string, unknown>): Promise<void>;
  /** Takes all faults away. */
  clearFaults(): Promise<void>;
  /** The Worker's KV operations so far. */
  kv(): KvOperation[];
  close(): Promise<void>;
};

const KvOperation = z.object({ operation: z.string(), key: z.string(), ok: z.boolean() });
const Started = z.object({ id: z.string() });

export type KvOperation = z.infer<typeof KvOperation>;

/**
 * Starts a world.
 * @param settings The emulator's settings.
 * @param vars The Worker's, where they differ from wrangler.toml.
 * @param secrets The Worker's secrets, where they differ from the test's.
 * @param more `unlimited`: with rate limits that nobody reaches.
 */
export async function startWorld(
  settings: Settings = {},
  vars: Vars = {},
  secrets: Vars = {},
  more: { unlimited?: boolean } = {},
): Promise<World> {
  forgetEnvironment();
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    // Many tests run no Python.
    interpreters: 0,
    ...settings,
  });
  const built = process.env[more.unlimited === true ? BUILT.raised : BUILT.plain];
  // The screenshots are taken without vitest.
  const config = built ?? new URL("../../wrangler.toml", import.meta.url);
  const worker = createTestHarness({
    workers: [
      {
        configPath: config,
        vars: { OPENAI_BASE_URL: `${emulator.url}/v1`, REFETCH_DELAYS: "1", ...vars },
        secrets: {
          OPENAI_API_KEY: API_KEY,
          OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
          ACCESS_TOKEN: TOKEN,
          ...secrets,
        },
      },
    ],
  });
  const url = (await worker.listen()).url.origin;
  const world = connect(emulator, worker, url);
  if (settings.webhookUrl === undefined) await world.emulate({ webhookUrl: `${url}/webhook` });
  return world;
}

function connect(emulator: Emulator, worker: TestHarness, url: string): World {
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    return fetch(`${url}${path}`, { redirect: "manual", ...init, headers });
  };
  const check = contractOf(() => send("/openapi.json"));
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await send(path, init);
    await check(init.method ?? "GET", path, answer);
    return answer;
  };
  const control = (path: string, init?: RequestInit) =>
    fetch(`${emulator.url}/_emulator${path}`, {
      ...init,
      headers: { "content-type": "application/json" },
    });
  const post = async (path: string, method: string, body: unknown) => {
    const answer = await control(path, { method, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the emulator refused: ${await answer.text()}`);
  };
  return {
    emulator,
    worker,
    url,
    ask,
    async trigger(body = {}) {
      const answer = await ask("/trigger", { method: "POST", body: JSON.stringify(body) });
      const text = await answer.text();
      if (answer.status !== 202) throw new Error(`the trigger answered ${answer.status}: ${text}`);
      return Started.parse(JSON.parse(text)).id;
    },
    async settled(id) {
      const answer = await ask(`/results/${id}?wait=60`);
      return ResponseRecord.parse(await answer.json());
    },
    emulate: (settings) => post("/settings", "PATCH", settings),
    async told(path) {
      const answer: unknown = await (await control(path)).json();
      return answer;
    },
    fault: (rule) => post("/faults", "POST", rule),
    clearFaults: () => post("/faults", "DELETE", undefined),
    kv: () => worker.getLogs().flatMap((line) => operationOf(line.message)),
    async close() {
      await worker.close();
      await emulator.close();
    },
  };
}

function operationOf(line: string): KvOperation[] {
  if (!line.startsWith('{"event":"kv"')) return [];
  return [KvOperation.parse(JSON.parse(line))];
}

// wrangler and the SDK read these; a test must not depend on who runs it.
function forgetEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (/^(OPENAI|CLOUDFLARE|CF)_/.test(name)) delete process.env[name];
  }
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  // Its local collector of traces takes as much of the processor as the Workflow engine.
  process.env["X_LOCAL_OBSERVABILITY"] = "false";
}

/**
 * The command that serves the Worker as a program of its own, for tests that kill it or read its state.
 * @param port Where it listens.
 * @param state The folder of its KV and Workflows.
 * @param api The emulator's URL.
 * @param more Settings that differ from the test's.
 */
export function serveCommand(port: number, state: string, api: string, more: Vars = {}): string[] {
  const settings = {
    OPENAI_BASE_URL: `${api}/v1`,
    OPENAI_API_KEY: API_KEY,
    OPENAI_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ACCESS_TOKEN: TOKEN,
    REFETCH_DELAYS: "1",
    ...more,
  };
  const vars = Object.entries(settings).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const where = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "dev", "--persist-to", state];
  return [process.execPath, ...wrangler, "--show-interactive-dev-session=false", ...where, ...vars];
}
