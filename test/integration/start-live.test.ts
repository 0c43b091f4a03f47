import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/lib/free-port.ts";
import { pollUntil } from "../../scripts/lib/retry.ts";
import { startChild, type Child } from "../support/child.ts";

const API_KEY = "sk-of-the-user";
const folder = mkdtempSync(join(tmpdir(), "response-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let emulator: Emulator;
let client: OpenAI;
beforeEach(async () => {
  emulator = await startEmulator({ apiKey: API_KEY, interpreters: 0 });
  client = new OpenAI({ apiKey: API_KEY, baseURL: `${emulator.url}/v1`, maxRetries: 0 });
});
afterEach(() => emulator.close());

const Deliveries = z.array(z.object({ status: z.number().nullable() }));

async function listDeliveryStatuses(): Promise<(number | null)[]> {
  const answer = await fetch(`${emulator.url}/_emulator/deliveries`);
  return Deliveries.parse(await answer.json()).map(({ status }) => status);
}

async function listEndpointUrls(): Promise<string[]> {
  const urls: string[] = [];
  for await (const { url } of client.webhooks.list()) urls.push(url);
  return urls;
}

// The supervisor, which deletes the endpoint, outlives the program by a moment.
async function waitUntilEndpointsAreDeleted(): Promise<void> {
  await pollUntil(async () => (await listEndpointUrls()).length === 0, { intervalMs: 20 });
}

/** Runs `npm start -- --live` with the emulator as the real API. */
function npmStartLive(flags: string[], env: Record<string, string> = {}): Child {
  const state = mkdtempSync(join(folder, "state-"));
  const start = [process.execPath, "scripts/start.ts", "--live", "--state", state, "--port", "0"];
  return startChild([...start, ...flags], {
    OPENAI_API_KEY: API_KEY,
    LIVE_API: `${emulator.url}/v1`,
    ...env,
  });
}

/** Writes a cloudflared that runs this script; gives the variable that makes wrangler use it. */
function writeFakeCloudflared(script: string): Record<string, string> {
  const path = join(folder, "cloudflared");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { CLOUDFLARED_PATH: path };
}

test("npm start -- --live receives real webhooks through a tunnel, and deletes its endpoint", async () => {
  const port = await freePort();
  const tunnel = `http://127.0.0.1:${port}`;
  const child = npmStartLive(["--once", "--port", String(port), "--tunnel", `${tunnel}/`]);
  await child.waitForOutput(new RegExp(`OpenAI sends its webhooks to ${tunnel}/webhook`));
  expect(await listEndpointUrls()).toEqual([`${tunnel}/webhook`]);
  expect(await child.waitForExit()).toBe(0);
  expect(child.output()).toMatch(/webhook +response\.completed/);
  expect(await listDeliveryStatuses()).toEqual([200]);
  expect(await listEndpointUrls()).toEqual([]);
  expect(child.output()).not.toContain(API_KEY);
  await child.waitForGroupExit();
});

test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
  "npm start -- --live deletes its endpoint after %s, even while it is starting",
  async (signal) => {
    const child = npmStartLive(["--tunnel", "http://127.0.0.1:9"]);
    await child.waitForOutput(/OpenAI sends its webhooks/);
    expect(await listEndpointUrls()).toHaveLength(1);
    child.signal(signal);
    await child.waitForExit();
    await waitUntilEndpointsAreDeleted();
    child.killGroup();
  },
);

test("npm start -- --live deletes an endpoint that a crash left, and no other", async () => {
  const leftover = `response-recorder npm start --live on ${hostname()}`;
  for (const name of [leftover, "response-recorder"])
    await client.webhooks.create({
      name,
      url: `https://${name.length}.example/webhook`,
      event_types: ["response.completed"],
    });
  const child = npmStartLive(["--once"], writeFakeCloudflared("exit 1"));
  await child.waitForExit();
  expect(child.output()).toContain("Removed 1 webhook endpoint");
  const other = `https://${"response-recorder".length}.example/webhook`;
  expect(await listEndpointUrls()).toEqual([other]);
  await child.waitForGroupExit();
});

test("npm start -- --live reports that no tunnel opens, and records after the deadline", async () => {
  const env = writeFakeCloudflared("echo no network >&2; exit 1");
  const child = npmStartLive(["--once"], env);
  expect(await child.waitForExit()).toBe(0);
  expect(child.output()).toMatch(/Could not open a tunnel[\s\S]*no network[\s\S]*deadline/);
  expect(await listDeliveryStatuses()).toEqual([]);
  await child.waitForGroupExit();
});

test("npm start -- --live opens a tunnel with wrangler, and closes it at the end", async () => {
  const url = "https://a-quick-one.trycloudflare.com";
  const child = npmStartLive([], writeFakeCloudflared(`echo ${url} >&2; exec sleep 600`));
  await child.waitForOutput(/webhooks to https:\/\/a-quick-one\.trycloudflare\.com\/webhook/);
  expect(await listEndpointUrls()).toEqual([`${url}/webhook`]);
  child.signal("SIGTERM");
  await child.waitForExit();
  await waitUntilEndpointsAreDeleted();
  await child.waitForGroupExit();
});
