import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../../scripts/lib/free-port.ts";
import { startChild, type Child } from "../support/child.ts";

const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

function npmStart(flags: string[], env: Record<string, string> = {}): Child {
  const command = [process.execPath, "scripts/run.mjs", "scripts/start.ts", "--state", state];
  return startChild([...command, ...flags], env);
}

/** Listens on a port of this machine, as another program would. */
function occupy(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

test("npm start -- --once shows the run lost and then held, and leaves nothing running", async () => {
  const child = npmStart(["--once", "--port", "0"], { OPENAI_API_KEY: "sk-of-the-user" });
  expect(await child.waitForExit()).toBe(0);
  await child.waitForGroupExit();
  const text = child.output();
  for (const event of ["queued", "in progress", "webhook", "refetch", "stored", "control"])
    expect(text).toMatch(new RegExp(` s {2}.*${event}`));
  expect(text).toMatch(/background\n.*print\("BG_STDOUT_OK"\)\n +outputs +\[\]\n/);
  expect(text).toMatch(/foreground\n.*\n +outputs +.*BG_STDOUT_OK\\n/);
  expect(text).toMatch(/Verdict: .*lost[^]*through \/v1\n.*\n +outputs +.*BG_STDOUT_OK\\n/);
  expect(text).toMatch(/Verdict: .*captured[^]*What the code printed.*\n\nBG_STDOUT_OK\n$/);
  expect(text).toContain("OPENAI_API_KEY is set and ignored");
  expect(text).not.toContain("sk-of-the-user");
  expect(text).not.toContain('{"event"');
});

test("npm start stays up until a signal, and has the same token the next time", async () => {
  const tokens = [];
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const child = npmStart(["--port", "0", "--verbose"]);
    await child.waitForOutput(/Press Ctrl-C to end/);
    expect(child.output()).toContain('{"event":"trigger"');
    const [base, token, emulator] = [
      /^export OPENAI_BASE_URL=(\S+)$/m,
      /^export OPENAI_API_KEY=(\S+)$/m,
      /^(http\S+\/v1)$/m,
    ].map((pattern) => pattern.exec(child.output())?.[1]);
    const link = new RegExp(
      `${base?.slice(0, -3)}/login\\?next=/results/resp_\\w+#token=${token}\n`,
    );
    expect(child.output()).toMatch(link);
    for (const url of [base, emulator]) {
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${url}/models`, { headers })).status).toBe(200);
    }
    expect(emulator).not.toBe(base);
    tokens.push(token);
    child.signal(signal);
    await child.waitForExit();
    await child.waitForGroupExit();
  }
  expect(tokens[1]).toBe(tokens[0]);
  expect(statSync(join(state, "access-token")).mode & 0o777).toBe(0o600);
});

test("npm start takes another port than 8787 where a program listens, and says so", async () => {
  const other = await occupy(8787).catch(() => null);
  const child = npmStart(["--once"]);
  expect(await child.waitForExit()).toBe(0);
  other?.close();
  expect(child.output()).toMatch(/Another program listens on port 8787, so the Worker takes \d+/);
});

test("npm start -- --port fails where another program listens", async () => {
  const port = await freePort();
  const other = await occupy(port);
  const child = npmStart(["--once", "--port", String(port)]);
  expect(await child.waitForExit()).toBe(1);
  other.close();
  expect(child.output()).toContain(`Another program listens on port ${port}.`);
});

test("npm start before npm ci says so in one sentence", () => {
  const folder = mkdtempSync(join(state, "clone-"));
  mkdirSync(join(folder, "scripts"));
  copyFileSync("scripts/run.mjs", join(folder, "scripts/run.mjs"));
  const options = { cwd: folder, encoding: "utf8" } as const;
  const child = spawnSync(process.execPath, ["scripts/run.mjs", "scripts/start.ts"], options);
  expect(child.stderr).toBe("node_modules is missing or incomplete: run npm ci first.\n");
  expect(child.stdout).toBe("");
  expect(child.status).toBe(1);
});

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
