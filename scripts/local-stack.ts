// The Worker on this machine, and the emulator beside it unless the real API is asked for.
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { startEmulator } from "../emulator/server.ts";
import { keepWebhooks } from "./live/supervisor-client.ts";
import { freePort } from "./lib/free-port.ts";

export type Here = {
  /** The Worker's URL, without a slash at its end. */
  url: string;
  /** What opens its doors. */
  token: string;
  /** True when it talks to the real API. */
  live: boolean;
  /** The response's status as the API itself says it now. */
  status(id: string): Promise<string>;
  close(): Promise<void>;
};

type Options = {
  live: boolean;
  port: number;
  token: string;
  state: string;
  /** The URL of a tunnel to `port` that is there already. */
  tunnel: string | undefined;
};

/** The real API; the variable is for tests. */
const REAL = process.env["LIVE_API"] ?? "https://api.openai.com/v1";

const Status = z.object({ status: z.string() });

/** The API as the Worker should know it. */
type Api = {
  baseUrl: string;
  key: string;
  webhookSecret: string;
  /** False when its webhooks can't come here. */
  sends: boolean;
  close(): Promise<void>;
};

/**
 * Starts what `npm start` needs. Where something fails, nothing is left running.
 * @param options `live` uses the real API; `port` 0 takes a free one; `state` is the folder that outlives the run.
 */
export async function startHere(options: Options): Promise<Here> {
  quietWrangler();
  const port = options.port === 0 ? await freePort() : options.port;
  const api = options.live ? await realApi(port, options.tunnel) : await emulatedApi(port);
  try {
    const worker = await startWorker(api, { ...options, port });
    const close = async () => {
      await worker.dispose();
      await api.close();
    };
    const status = (id: string) => statusOf(api, id);
    return {
      url: `http://127.0.0.1:${port}`,
      token: options.token,
      live: options.live,
      status,
      close,
    };
  } catch (error) {
    await api.close();
    throw error;
  }
}

async function emulatedApi(port: number): Promise<Api> {
  if (process.env["OPENAI_API_KEY"] !== undefined) {
    console.log(
      "OPENAI_API_KEY is set and ignored: this is the emulator. The real API: npm start -- --live\n",
    );
  }
  const webhookSecret = newSecret();
  const key = `sk-emulated-${createHash("sha256").update(webhookSecret).digest("hex").slice(0, 16)}`;
  const webhookUrl = `http://127.0.0.1:${port}/webhook`;
  // Slow enough to be watched.
  const pace = { queueSeconds: 0.5, runSeconds: 1 };
  const emulator = await startEmulator({ apiKey: key, webhookSecret, webhookUrl, ...pace });
  const close = () => emulator.close();
  return { baseUrl: `${emulator.url}/v1`, key, webhookSecret, sends: true, close };
}

async function realApi(port: number, tunnel: string | undefined): Promise<Api> {
  const key = process.env["OPENAI_API_KEY"];
  if (key === undefined || key === "") {
    throw new Error("--live needs OPENAI_API_KEY in the environment.");
  }
  const kept = await keepWebhooks({ key, baseUrl: REAL, port, tunnel: tunnel ?? null });
  return {
    baseUrl: REAL,
    key,
    webhookSecret: kept.secret ?? newSecret(),
    sends: kept.secret !== null,
    close: () => kept.close(),
  };
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

async function statusOf(api: Api, id: string): Promise<string> {
  const headers = { authorization: `Bearer ${api.key}` };
  const answer = await fetch(`${api.baseUrl}/responses/${id}`, { headers });
  return answer.ok ? Status.parse(await answer.json()).status : `HTTP ${answer.status}`;
}

async function startWorker(api: Api, options: Options) {
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL("../wrangler.toml", import.meta.url)),
    bindings: {
      OPENAI_BASE_URL: { type: "plain_text", value: api.baseUrl },
      OPENAI_API_KEY: { type: "secret_text", value: api.key },
      OPENAI_WEBHOOK_SECRET: { type: "secret_text", value: api.webhookSecret },
      ACCESS_TOKEN: { type: "secret_text", value: options.token },
      ...(api.sends ? {} : { WEBHOOK_DEADLINE: { type: "plain_text" as const, value: "5" } }),
    },
    dev: {
      server: { hostname: "127.0.0.1", port: options.port },
      persist: options.state,
      watch: false,
      inspector: false,
      logLevel: "error",
      // The Worker logs a line for each KV operation; `npm run dev` shows them.
      structuredLogsHandler: () => undefined,
    },
  });
  await worker.ready;
  return worker;
}

function quietWrangler(): void {
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  // Its local collector of traces takes as much of the processor as the Workflow engine.
  process.env["X_LOCAL_OBSERVABILITY"] = "false";
  process.env["WRANGLER_LOG"] = "error";
}
