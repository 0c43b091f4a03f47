// What an integration test runs against: the emulator over HTTP, and the built Worker in workerd with its real KV and Durable Objects.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { z } from "zod";
import { startEmulator } from "../../emulator/server.ts";
import { ResponseRecord } from "../../src/record/schema.ts";
import { BUILT } from "./build.ts";
import { writeConfig } from "./config.ts";
import { createContractCheck } from "./contract.ts";
import { API_KEY, READ_TOKEN, TOKEN, WEBHOOK_SECRET } from "./credentials.ts";
import {
  createEmulatorClient,
  type EmulatorClient,
  type EmulatorSettings,
} from "./emulator-client.ts";

export { API_KEY, READ_TOKEN, TOKEN, WEBHOOK_SECRET };

type Vars = Record<string, string>;

export type World = {
  emulator: EmulatorClient;
  worker: TestHarness;
  /** The Worker's URL, without a slash at its end. */
  url: string;
  /** Sends the Worker a request, with the access token unless `init` has an authorization of its own. Throws when the answer breaks the contract. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** Starts a run; returns its id. */
  trigger(body?: unknown): Promise<string>;
  /** Returns the record once it is settled. */
  waitUntilSettled(id: string): Promise<ResponseRecord>;
  /** The Worker's KV operations since its log was cleared. */
  kvOperations(): KvOperation[];
  close(): Promise<void>;
};

const KvOperation = z.object({ operation: z.string(), key: z.string(), ok: z.boolean() });
const Started = z.object({ id: z.string() });

export type KvOperation = z.infer<typeof KvOperation>;

/**
 * Starts an emulator and a Worker.
 * @param settings The emulator's, where they differ from the test's.
 * @param vars The Worker's settings, where they differ from wrangler.toml.
 * @param secrets The Worker's secrets, where they differ from the test's.
 * @param options `unlimited`: with rate limits that no test reaches. `main`: another entry of the Worker, relative to the project's folder.
 */
export async function startWorld(
  settings: EmulatorSettings = {},
  vars: Vars = {},
  secrets: Vars = {},
  { unlimited = false, main }: { unlimited?: boolean; main?: string } = {},
): Promise<World> {
  isolateEnvironment();
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    // Many tests run no Python.
    interpreters: 0,
    ...settings,
  });
  const built = process.env[unlimited ? BUILT.raised : BUILT.plain];
  // The screenshots are taken without vitest.
  const configPath =
    main === undefined
      ? (built ?? new URL("../../wrangler.toml", import.meta.url))
      : writeConfig(mkdtempSync(join(tmpdir(), "response-recorder-main-")), {
          main,
          raised: unlimited,
        });
  const worker = createTestHarness({
    workers: [
      {
        configPath,
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
  const client = createEmulatorClient(emulator.url);
  if (settings.webhookUrl === undefined) await client.configure({ webhookUrl: `${url}/webhook` });
  return {
    emulator: client,
    worker,
    url,
    ...createRequests(url),
    kvOperations: () => worker.getLogs().flatMap(({ message }) => parseKvOperation(message)),
    async close() {
      await worker.close();
      await emulator.close();
    },
  };
}

function createRequests(url: string): Pick<World, "request" | "trigger" | "waitUntilSettled"> {
  const send = (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    return fetch(`${url}${path}`, { redirect: "manual", ...init, headers });
  };
  const checkContract = createContractCheck(() => send("/openapi.json"));
  const request = async (path: string, init: RequestInit = {}) => {
    const response = await send(path, init);
    await checkContract(init.method ?? "GET", path, response);
    return response;
  };
  return {
    request,
    async trigger(body = {}) {
      const response = await request("/trigger", { method: "POST", body: JSON.stringify(body) });
      const text = await response.text();
      if (response.status !== 202) throw new Error(`POST /trigger: ${response.status} ${text}`);
      return Started.parse(JSON.parse(text)).id;
    },
    async waitUntilSettled(id) {
      const response = await request(`/results/${id}?wait=60&until=settled`);
      return ResponseRecord.parse(await response.json());
    },
  };
}

function parseKvOperation(line: string): KvOperation[] {
  if (!line.startsWith('{"event":"kv"')) return [];
  return [KvOperation.parse(JSON.parse(line))];
}

// wrangler and the SDK read the environment; a test must not depend on it.
function isolateEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (/^(OPENAI|CLOUDFLARE|CF)_/.test(name)) delete process.env[name];
  }
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  // Its local collector of traces takes as much of the processor as the Worker.
  process.env["X_LOCAL_OBSERVABILITY"] = "false";
}
