// The Worker on this machine, with the emulator or with the real API.
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { unstable_startWorker } from "wrangler";
import { z } from "zod";
import { startEmulator } from "../emulator/server.ts";
import { startSupervisor } from "./live/supervisor-client.ts";

export type LocalStack = {
  /** The Worker's URL, without a slash at its end. */
  url: string;
  /** The Worker's access token. */
  token: string;
  /** The emulator's URL, without a slash at its end; null when the Worker uses the real API. */
  emulatorUrl: string | null;
  /** Fetches a response's status from the API, without the Worker. */
  fetchStatus(id: string): Promise<string>;
  close(): Promise<void>;
};

export type LocalStackOptions = {
  /** Whether to use the real API. */
  live: boolean;
  /** The Worker's port. */
  port: number;
  token: string;
  /** The folder where the Worker's KV and objects outlive the run. */
  stateFolder: string;
  /** The URL of a tunnel to `port` that is open already. */
  tunnelUrl: string | undefined;
  /** Gets each line of the Worker's log. */
  log: (line: string) => void;
};

/** The API that the Worker uses. */
type Api = {
  url: string;
  key: string;
  webhookSecret: string;
  /** Whether its webhooks reach this machine. */
  deliversWebhooks: boolean;
  emulatorUrl: string | null;
  close(): Promise<void>;
};

// The tests set this variable, to use another API.
const REAL_API_URL = process.env["LIVE_API"] ?? "https://api.openai.com/v1";
/** The emulator takes any key. */
const EMULATED_KEY = "sk-emulated";
/** The Worker's `WEBHOOK_DEADLINE` where no webhook can arrive. */
const DEADLINE_WITHOUT_WEBHOOKS_SECONDS = 5;
/** Slow enough to be watched. */
const EMULATED_DURATIONS = { queueSeconds: 0.5, runSeconds: 1 };

const Status = z.object({ status: z.string() });

/** Starts what `npm start` needs. When a part fails, nothing is left running. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  silenceWrangler();
  const { port } = options;
  const api = options.live
    ? await connectRealApi(port, options.tunnelUrl)
    : await startEmulatedApi(port);
  try {
    const worker = await startWorker(api, options);
    return {
      url: `http://127.0.0.1:${port}`,
      token: options.token,
      emulatorUrl: api.emulatorUrl,
      fetchStatus: (id) => fetchStatus(api, id),
      async close() {
        await worker.dispose();
        await api.close();
      },
    };
  } catch (error) {
    await api.close();
    throw error;
  }
}

async function startEmulatedApi(port: number): Promise<Api> {
  if (process.env["OPENAI_API_KEY"] !== undefined) {
    console.log(
      "OPENAI_API_KEY is set and ignored: this run uses the emulator. For the real API: npm start -- --live\n",
    );
  }
  const webhookSecret = createWebhookSecret();
  const emulator = await startEmulator({
    webhookSecret,
    webhookUrl: `http://127.0.0.1:${port}/webhook`,
    ...EMULATED_DURATIONS,
  });
  return {
    url: `${emulator.url}/v1`,
    key: EMULATED_KEY,
    webhookSecret,
    deliversWebhooks: true,
    emulatorUrl: emulator.url,
    close: () => emulator.close(),
  };
}

async function connectRealApi(port: number, tunnelUrl: string | undefined): Promise<Api> {
  const apiKey = process.env["OPENAI_API_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw new Error("--live needs OPENAI_API_KEY in the environment.");
  }
  const webhooks = await startSupervisor({
    apiKey,
    apiUrl: REAL_API_URL,
    port,
    tunnelUrl: tunnelUrl ?? null,
  });
  return {
    url: REAL_API_URL,
    key: apiKey,
    webhookSecret: webhooks.secret ?? createWebhookSecret(),
    deliversWebhooks: webhooks.secret !== null,
    emulatorUrl: null,
    close: () => webhooks.close(),
  };
}

function createWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

async function fetchStatus(api: Api, id: string): Promise<string> {
  const headers = { authorization: `Bearer ${api.key}` };
  const answer = await fetch(`${api.url}/responses/${id}`, { headers });
  return answer.ok ? Status.parse(await answer.json()).status : `HTTP ${answer.status}`;
}

async function startWorker(api: Api, options: LocalStackOptions) {
  const deadline = {
    WEBHOOK_DEADLINE: {
      type: "plain_text" as const,
      value: String(DEADLINE_WITHOUT_WEBHOOKS_SECONDS),
    },
  };
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL("../wrangler.toml", import.meta.url)),
    bindings: {
      OPENAI_BASE_URL: { type: "plain_text", value: api.url },
      OPENAI_API_KEY: { type: "secret_text", value: api.key },
      OPENAI_WEBHOOK_SECRET: { type: "secret_text", value: api.webhookSecret },
      ACCESS_TOKEN: { type: "secret_text", value: options.token },
      ...(api.deliversWebhooks ? {} : deadline),
    },
    dev: {
      server: { hostname: "127.0.0.1", port: options.port },
      persist: options.stateFolder,
      watch: false,
      inspector: false,
      logLevel: "error",
      structuredLogsHandler: ({ message }: { message: string }) => options.log(message),
    },
  });
  await worker.ready;
  // The first request waits until workerd has the Worker.
  await fetch(`http://127.0.0.1:${options.port}/health`);
  return worker;
}

function silenceWrangler(): void {
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  // wrangler's local collector of traces takes as much of the processor as the Worker.
  process.env["X_LOCAL_OBSERVABILITY"] = "false";
  process.env["WRANGLER_LOG"] = "error";
}
