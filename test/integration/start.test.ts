import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startChild, type Child } from "../support/child.ts";

const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

function npmStart(flags: string[], env: Record<string, string> = {}): Child {
  return startChild([process.execPath, "scripts/start.ts", "--state", state, ...flags], env);
}

test("npm start -- --once prints the run and the record, and leaves nothing running", async () => {
  const child = npmStart(["--once"], { OPENAI_API_KEY: "sk-of-the-user" });
  expect(await child.waitForExit()).toBe(0);
  await child.waitForGroupExit();
  const text = child.output();
  for (const event of ["queued", "in progress", "webhook", "refetch", "stored", "control"])
    expect(text).toMatch(new RegExp(` s {2}.*${event}`));
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
    const child = npmStart([]);
    const [, url = ""] = await child.waitForOutput(/Log in +(http\S+)\/login#token=/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    child.signal(signal);
    await child.waitForExit();
    await child.waitForGroupExit();
  },
);

test.each([
  { flags: ["--live"], message: /--live needs OPENAI_API_KEY/ },
  { flags: ["--port", "x"], message: /--port must be a number/ },
  { flags: ["--nonsense"], message: /--nonsense/ },
])("npm start -- $flags fails with $message", async ({ flags, message }) => {
  const child = npmStart(flags);
  expect(await child.waitForExit()).toBe(1);
  expect(child.output()).toMatch(message);
  await child.waitForGroupExit();
});
