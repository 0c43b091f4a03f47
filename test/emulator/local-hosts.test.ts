import { describe, expect, test } from "vitest";
import { getRawStatus } from "./raw-request.ts";
import { startTestEmulator } from "./setup.ts";

const { url, callControl } = await startTestEmulator();
const { port } = new URL(url);

function getStatus(path: string, headers: Record<string, string>): Promise<number | undefined> {
  return getRawStatus(`${url}${path}`, { headers });
}

describe.each(["/v1/models", "/_emulator/settings"])("GET %s", (path) => {
  test.each([
    "127.0.0.1",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "localhost:9000",
    `127.0.0.1:${port}`,
  ])("accepts the Host %s", async (host) => {
    expect(await getStatus(path, { host })).toBe(200);
  });

  test.each([
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1.evil.example",
    "localhost.",
    "10.0.0.1",
  ])("rejects the Host %s", async (host) => {
    expect(await getStatus(path, { host })).toBe(403);
  });

  test.each(["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"])(
    "accepts the Origin %s",
    async (origin) => {
      expect(await getStatus(path, { origin })).toBe(200);
    },
  );

  test.each([
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://localhost@evil.example",
    "file://",
  ])("rejects the Origin %s", async (origin) => {
    expect(await getStatus(path, { origin })).toBe(403);
  });
});

test("a rejected request starts no run and changes nothing", async () => {
  const origin = "https://evil.example";
  const rejected = await fetch(`${url}/_emulator/faults`, {
    method: "POST",
    headers: { origin },
    body: JSON.stringify({ kind: "cut" }),
  });
  expect(rejected.status).toBe(403);
  expect(await callControl("GET /faults")).toEqual([]);
});

test("allowedHosts adds names", async () => {
  await callControl("PATCH /settings", { allowedHosts: "emulator, other.internal" });
  expect(await getStatus("/v1/models", { host: "emulator:9000" })).toBe(200);
  expect(await getStatus("/v1/models", { origin: "http://other.internal" })).toBe(200);
  expect(await getStatus("/v1/models", { host: "evil.example" })).toBe(403);
  await callControl("PATCH /settings", { allowedHosts: null });
});
