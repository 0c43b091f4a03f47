import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startChild, type Child } from "../support/child.ts";

const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

function start(more: string[], env: Record<string, string> = {}): Child {
  return startChild([process.execPath, "scripts/start.ts", "--state", state, ...more], env);
}

async function gone(child: Child): Promise<void> {
  while (child.isRunning()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("npm start -- --once shows the run, prints what was observed, and leaves nothing running", async () => {
  const child = start(["--once"], { OPENAI_API_KEY: "sk-of-the-user" });
  expect(await child.waitForExit()).toBe(0);
  await gone(child);
  const text = child.output();
  for (const step of ["queued", "in progress", "webhook", "look 1", "stored", "control"])
    expect(text).toMatch(new RegExp(` s {2}.*${step}`));
  expect(text).toContain('print("BG_STDOUT_OK")');
  expect(text).toMatch(/background[^]*outputs +\[\]\n[^]*foreground[^]*BG_STDOUT_OK\\n/);
  expect(text).toMatch(/Verdict +.*lost/);
  expect(text).toMatch(/http:\/\/127\.0\.0\.1:\d+\/results\/resp_/);
  expect(text).toContain("OPENAI_API_KEY is set and ignored");
  expect(text).not.toContain("sk-of-the-user");
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "npm start stays up until %s, and leaves nothing running",
  async (signal) => {
    const child = start([]);
    const [, url = ""] = await child.waitForOutput(/Log in +(http\S+)\/login#token=/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    child.signal(signal);
    await child.waitForExit();
    await gone(child);
  },
);

test.each([
  { more: ["--live"], about: /--live needs OPENAI_API_KEY/ },
  { more: ["--port", "x"], about: /--port must be a number/ },
  { more: ["--nonsense"], about: /--nonsense/ },
])("npm start -- $more says what is wrong and ends", async ({ more, about }) => {
  const child = start(more);
  expect(await child.waitForExit()).toBe(1);
  expect(child.output()).toMatch(about);
  await gone(child);
});
