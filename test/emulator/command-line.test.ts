import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { startEmulator } from "../../emulator/server.ts";

const ENTRY = fileURLToPath(new URL("../../emulator/index.ts", import.meta.url));
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

interface Command {
  child: ChildProcess;
  text: () => string;
  ended: Promise<unknown[]>;
}

function command(...flags: string[]): Command {
  const child = spawn(process.execPath, [ENTRY, ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  }
  return { child, text: () => text, ended: once(child, "close") };
}

async function says({ child, text }: Command, words: RegExp): Promise<string> {
  while (!words.test(text())) await once(child.stdout ?? child, "data");
  return words.exec(text())?.[1] ?? "";
}

describe("the command", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("answers where it says, until %s", async (signal) => {
    const running = command("--port", "0", "--interpreters", "0", "--api-key", "sk-test");
    const url = await says(running, /listens at (\S+)[\s\S]*Press Ctrl-C/);
    const headers = { authorization: "Bearer sk-test" };
    expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
    running.child.kill(signal);
    expect(await running.ended).toEqual([0, null]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  test("ends at once while its interpreters are starting", async () => {
    const running = command("--port", "0");
    await says(running, /(Press Ctrl-C)/);
    running.child.kill("SIGTERM");
    expect(await running.ended).toEqual([0, null]);
  });

  test("explains itself", async () => {
    const help = command("--help");
    expect(await help.ended).toEqual([0, null]);
    expect(help.text()).toMatch("--background-outputs");
    expect(help.text()).toMatch("scripted");
  });

  test.each([
    [["--colour", "red"], "Unknown option '--colour'"],
    [["--port", "many"], "--port many: "],
    [["--webhook-drop", "maybe"], "--webhook-drop maybe: "],
    [["stray"], "Unexpected argument 'stray'"],
  ])("refuses %j", async (flags, message) => {
    const refused = command(...flags);
    expect(await refused.ended).toEqual([1, null]);
    expect(refused.text()).toMatch(message);
  });

  test("says so when its port is taken", async () => {
    const first = await startEmulator({ interpreters: 0 });
    const second = command("--port", String(first.port));
    expect(await second.ended).toEqual([1, null]);
    expect(second.text()).toMatch(`127.0.0.1:${first.port}`);
    expect(second.text()).toMatch("--port");
    await first.close();
  });
});
