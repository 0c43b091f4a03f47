// What a deploy meets in tests: the emulator as OpenAI, a stand-in for wrangler, and a stand-in for the deployed Worker.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startEmulator } from "../../../emulator/server.ts";
import { deploy } from "../../../scripts/deploy/deploy.ts";
import { verifyWebhook } from "../../../src/openai/webhook-signature.ts";

export const API_KEY = "sk-proj-the-key-of-a-test";
export const FAKE_WRANGLER = fileURLToPath(new URL("fake-wrangler.ts", import.meta.url));

const Secrets = z.record(z.string(), z.string());
const Call = z.object({
  command: z.string(),
  args: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
});
const Delivery = z.object({ status: z.number().nullable(), response_id: z.string() });
const Endpoints = z.object({
  data: z.array(z.object({ id: z.string(), url: z.string(), event_types: z.array(z.string()) })),
});

type DeployOptions = Parameters<typeof deploy>[0];
/** What the deploy printed, which secrets it asked for, and its error if it failed. */
type DeployResult = { printed: string; asked: string[]; error: string | null };

export type FakeCloud = Awaited<ReturnType<typeof startFakeCloud>>;

/** Starts all three; nothing is deployed yet. */
export async function startFakeCloud() {
  const folder = mkdtempSync(join(tmpdir(), "recorder-cloud-"));
  const emulator = await startEmulator({ apiKey: API_KEY, interpreters: 0, webhookBackoff: 0.05 });
  const worker = await startFakeWorker(folder);
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${emulator.url}${path}`, { ...init, headers: { authorization: `Bearer ${API_KEY}` } });
  const post = (path: string, body: unknown) =>
    request(path, { method: "POST", body: JSON.stringify(body) });
  const environment = {
    PATH: process.env["PATH"] ?? "",
    STAND_IN_FOLDER: folder,
    // See build.ts: the stand-in is started some hundred times.
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    STAND_IN_TARGET: worker.url,
  };
  return {
    url: worker.url,
    apiUrl: `${emulator.url}/v1`,
    environment,
    /** Deploys, with a terminal unless the last argument is false. */
    deploy: (
      options: Partial<DeployOptions> = {},
      env: NodeJS.ProcessEnv = {},
      isInteractive = true,
    ) =>
      runDeploy(options, {
        env: { ...environment, OPENAI_API_KEY: API_KEY, ...env },
        isInteractive,
        apiUrl: `${emulator.url}/v1`,
      }),
    /** The Worker's secrets. */
    secrets: () => readSecrets(folder),
    /** The calls of wrangler. */
    calls: () =>
      readFileSync(join(folder, "calls.ndjson"), "utf8")
        .trim()
        .split("\n")
        .map((line) => Call.parse(JSON.parse(line))),
    /** Makes a command of wrangler fail so many times. */
    failWrangler: (command: string, times: number) =>
      writeFileSync(join(folder, "failure.json"), JSON.stringify({ command, times })),
    /** Makes OpenAI's API fail. */
    failApi: (rule: Record<string, unknown>) => post("/_emulator/faults", rule),
    /** Makes the next answer of /health report a missing setting. */
    failHealth: () => worker.failHealth(),
    sendWebhook: (id: string) =>
      post("/_emulator/webhooks", { type: "response.completed", response_id: id }),
    deliveries: async () =>
      z.array(Delivery).parse(await (await request("/_emulator/deliveries")).json()),
    endpoints: async () =>
      Endpoints.parse(await (await request("/v1/webhook_endpoints")).json()).data,
    post: (path: string, body: unknown) => post(`/v1${path}`, body),
    deleteEndpoint: (id: string) => request(`/v1/webhook_endpoints/${id}`, { method: "DELETE" }),
    async close() {
      await emulator.close();
      await worker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runDeploy(
  options: Partial<DeployOptions>,
  context: { env: NodeJS.ProcessEnv; isInteractive: boolean; apiUrl: string },
): Promise<DeployResult> {
  const { env, isInteractive, apiUrl } = context;
  const printed: string[] = [];
  const asked: string[] = [];
  const askSecret = async (question: string) => {
    asked.push(question);
    return API_KEY;
  };
  const error = await deploy(
    { newToken: false, newKey: false, rotate: false, url: undefined, ...options },
    {
      env,
      terminal: { isInteractive, print: (line) => void printed.push(line), askSecret },
      wranglerPath: FAKE_WRANGLER,
      apiUrl,
      propagationTimeoutMs: 0,
    },
  ).then(
    () => null,
    (cause: unknown) => String(cause),
  );
  return { printed: printed.join("\n"), asked, error };
}

function readSecrets(folder: string): Record<string, string> {
  const file = join(folder, "secrets.json");
  return existsSync(file) ? Secrets.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
}

// The two routes of the Worker that a deploy uses. Its secrets are those that the fake wrangler stored.
async function startFakeWorker(folder: string) {
  let isHealthy = true;
  const health = () => {
    const names = ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "ACCESS_TOKEN"];
    const settings = Object.fromEntries(names.map((name) => [name, name in readSecrets(folder)]));
    const body = { ready: isHealthy, settings: { ...settings, HEALTHY: isHealthy } };
    isHealthy = true;
    return { status: body.ready ? 200 : 503, body };
  };
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const isWebhook = request.url === "/webhook";
    const { status, body } = isWebhook ? await receiveWebhook(request, folder) : health();
    response.writeHead(status).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    failHealth: () => void (isHealthy = false),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receiveWebhook(request: IncomingMessage, folder: string) {
  const body = await text(request);
  const secret = readSecrets(folder)["OPENAI_WEBHOOK_SECRET"];
  if (secret === undefined) return { status: 503, body: {} };
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const status = await verifyWebhook(body, headers, secret.split(/\s+/)).then(
    () => 200,
    () => 400,
  );
  return { status, body: {} };
}
