import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startEmulator, type Emulator } from "../../emulator/server.ts";
import { freePort } from "../../scripts/port.ts";
import { startChild, type Child } from "../support/child.ts";

const KEY = "sk-of-the-user";
const folder = mkdtempSync(join(tmpdir(), "response-recorder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let api: Emulator;
let client: OpenAI;
beforeEach(async () => {
  api = await startEmulator({ apiKey: KEY, interpreters: 0 });
  client = new OpenAI({ apiKey: KEY, baseURL: `${api.url}/v1`, maxRetries: 0 });
});
afterEach(() => api.close());

const Deliveries = z.array(z.object({ status: z.number().nullable() }));

async function deliveries(): Promise<(number | null)[]> {
  const answer = await fetch(`${api.url}/_emulator/deliveries`);
  return Deliveries.parse(await answer.json()).map(({ status }) => status);
}

async function endpoints(): Promise<string[]> {
  const urls: string[] = [];
  for await (const { url } of client.webhooks.list()) urls.push(url);
  return urls;
}

// Who takes it away outlives the program by a moment.
async function endpointsGone(): Promise<void> {
  while ((await endpoints()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** `npm start -- --live`, with the emulator as the real API. */
function live(more: string[], env: Record<string, string> = {}): Child {
  const state = mkdtempSync(join(folder, "state-"));
  return startChild([process.execPath, "scripts/start.ts", "--live", "--state", state, ...more], {
    OPENAI_API_KEY: KEY,
    LIVE_API: `${api.url}/v1`,
    ...env,
  });
}

async function gone(child: Child): Promise<void> {
  while (child.isRunning()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A cloudflared that behaves as it is told to. */
function cloudflared(script: string): Record<string, string> {
  const path = join(folder, "cloudflared");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { CLOUDFLARED_PATH: path };
}

test("npm start -- --live gets real webhooks through a tunnel, and takes its endpoint away", async () => {
  const port = await freePort();
  const tunnel = `http://127.0.0.1:${port}`;
  const child = live(["--once", "--port", String(port), "--tunnel", `${tunnel}/`]);
  await child.waitForOutput(new RegExp(`OpenAI sends its webhooks to ${tunnel}/webhook`));
  expect(await endpoints()).toEqual([`${tunnel}/webhook`]);
  expect(await child.waitForExit()).toBe(0);
  expect(child.output()).toMatch(/webhook +response\.completed/);
  expect(await deliveries()).toEqual([200]);
  expect(await endpoints()).toEqual([]);
  expect(child.output()).not.toContain(KEY);
  await gone(child);
});

test.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)(
  "after %s the endpoint is gone, even while it is starting",
  async (signal) => {
    const child = live(["--tunnel", "http://127.0.0.1:9"]);
    await child.waitForOutput(/OpenAI sends its webhooks/);
    expect(await endpoints()).toHaveLength(1);
    child.signal(signal);
    await child.waitForExit();
    await endpointsGone();
    child.kill();
  },
);

test("an endpoint that a crash left is removed at the next start, and no other", async () => {
  const left = `response-recorder npm start --live on ${hostname()}`;
  for (const name of [left, "response-recorder"])
    await client.webhooks.create({
      name,
      url: `https://${name.length}.example/webhook`,
      event_types: ["response.completed"],
    });
  const child = live(["--once"], cloudflared("exit 1"));
  await child.waitForExit();
  expect(child.output()).toContain("Removed 1 webhook endpoint");
  expect(await endpoints()).toEqual([`https://${"response-recorder".length}.example/webhook`]);
  await gone(child);
});

test("without a tunnel it says so, and the deadline does its work", async () => {
  const child = live(["--once"], cloudflared("echo no network >&2; exit 1"));
  expect(await child.waitForExit()).toBe(0);
  expect(child.output()).toMatch(/A tunnel can't be had[\s\S]*no network[\s\S]*the deadline/);
  expect(await deliveries()).toEqual([]);
  await gone(child);
});

test("wrangler's tunnel is used, and ended with the rest", async () => {
  const env = cloudflared("echo https://a-quick-one.trycloudflare.com >&2; exec sleep 600");
  const child = live([], env);
  await child.waitForOutput(/webhooks to https:\/\/a-quick-one\.trycloudflare\.com\/webhook/);
  expect(await endpoints()).toEqual(["https://a-quick-one.trycloudflare.com/webhook"]);
  child.signal("SIGTERM");
  await child.waitForExit();
  await endpointsGone();
  await gone(child);
});
