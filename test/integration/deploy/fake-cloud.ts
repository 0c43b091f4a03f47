// What a deploy meets: an emulator as OpenAI, a stand-in as wrangler, and what it deploys as the Worker.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startEmulator } from "../../../emulator/server.ts";
import { deploy } from "../../../scripts/deploy/deploy.ts";
import { verify } from "../../../src/openai/webhook-signature.ts";

export const KEY = "sk-proj-the-key-of-a-test";
export const WRANGLER = fileURLToPath(new URL("fake-wrangler.ts", import.meta.url));

const Values = z.record(z.string(), z.string());
const Call = z.object({
  command: z.string(),
  args: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
});
const Delivery = z.object({ status: z.number().nullable(), response_id: z.string() });
const Endpoints = z.object({
  data: z.array(z.object({ id: z.string(), url: z.string(), event_types: z.array(z.string()) })),
});

type Wishes = Parameters<typeof deploy>[0];
type Outcome = { said: string; asked: string[]; failed: string | null };

export type Cloud = Awaited<ReturnType<typeof startCloud>>;

/** Starts it all; nothing is deployed yet. */
export async function startCloud() {
  const folder = mkdtempSync(join(tmpdir(), "recorder-cloud-"));
  const emulator = await startEmulator({ apiKey: KEY, interpreters: 0, webhookBackoff: 0.05 });
  const worker = await startWorker(folder);
  const api = (path: string, init: RequestInit = {}) =>
    fetch(`${emulator.url}${path}`, { ...init, headers: { authorization: `Bearer ${KEY}` } });
  const post = (path: string, body: unknown) =>
    api(path, { method: "POST", body: JSON.stringify(body) });
  const environment = {
    PATH: process.env["PATH"] ?? "",
    STAND_IN_FOLDER: folder,
    // See build.ts: the stand-in is started some hundred times.
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    STAND_IN_TARGET: worker.url,
  };
  return {
    url: worker.url,
    api: `${emulator.url}/v1`,
    environment,
    /** Deploys, with a terminal unless `env` says otherwise. */
    run: (wishes: Partial<Wishes> = {}, env: NodeJS.ProcessEnv = {}, isThere = true) =>
      runDeploy(wishes, {
        env: { ...environment, OPENAI_API_KEY: KEY, ...env },
        isThere,
        api: `${emulator.url}/v1`,
      }),
    /** The Worker's secrets. */
    secrets: () => secretsIn(folder),
    calls: () =>
      readFileSync(join(folder, "calls.ndjson"), "utf8")
        .trim()
        .split("\n")
        .map((line) => Call.parse(JSON.parse(line))),
    /** Has a command of wrangler's fail. */
    fail: (command: string, times: number) =>
      writeFileSync(join(folder, "failure.json"), JSON.stringify({ command, times })),
    /** Has OpenAI's API fail. */
    fault: (rule: Record<string, unknown>) => post("/_emulator/faults", rule),
    /** Has /health say once that it isn't well. */
    sicken: () => worker.sicken(),
    send: (id: string) =>
      post("/_emulator/webhooks", { type: "response.completed", response_id: id }),
    deliveries: async () =>
      z.array(Delivery).parse(await (await api("/_emulator/deliveries")).json()),
    endpoints: async () => Endpoints.parse(await (await api("/v1/webhook_endpoints")).json()).data,
    post: (path: string, body: unknown) => post(`/v1${path}`, body),
    remove: (id: string) => api(`/v1/webhook_endpoints/${id}`, { method: "DELETE" }),
    async close() {
      await emulator.close();
      await worker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runDeploy(
  wishes: Partial<Wishes>,
  { env, isThere, api }: { env: NodeJS.ProcessEnv; isThere: boolean; api: string },
): Promise<Outcome> {
  const said: string[] = [];
  const asked: string[] = [];
  const askSecret = async (question: string) => {
    asked.push(question);
    return KEY;
  };
  const terminal = { isThere, say: (line: string) => void said.push(line), askSecret };
  const all = { newToken: false, newKey: false, rotate: false, url: undefined, ...wishes };
  const around = { env, terminal, wrangler: WRANGLER, api, patience: 0 };
  const failed = await deploy(all, around).then(
    () => null,
    (error: unknown) => String(error),
  );
  return { said: said.join("\n"), asked, failed };
}

function secretsIn(folder: string): Record<string, string> {
  const file = join(folder, "secrets.json");
  return existsSync(file) ? Values.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
}

// As much of the Worker as a deploy meets. Its secrets are those that wrangler stored.
async function startWorker(folder: string) {
  let sick = false;
  const health = () => {
    const names = ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "ACCESS_TOKEN"];
    const settings = Object.fromEntries(names.map((name) => [name, name in secretsIn(folder)]));
    const body = { ready: !sick, settings: { ...settings, WELL: !sick } };
    sick = false;
    return { status: body.ready ? 200 : 503, body };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = request.url === "/webhook" ? await receive(request, folder) : health();
    response.writeHead(status).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    sicken: () => void (sick = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function receive(request: IncomingMessage, folder: string) {
  const body = await text(request);
  const secret = secretsIn(folder)["OPENAI_WEBHOOK_SECRET"];
  if (secret === undefined) return { status: 503, body: {} };
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const verified = verify(body, headers, secret.split(/\s+/));
  const status = await verified.then(
    () => 200,
    () => 400,
  );
  return { status, body: {} };
}
