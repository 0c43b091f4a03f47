import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterEach, describe, expect, test } from "vitest";
import { startEmulator } from "../../emulator/server.ts";
import { INTERPRETER_TOOL, toPythonInput } from "./setup.ts";

const ENTRY_POINT = fileURLToPath(new URL("../../emulator/index.ts", import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface RunningCommand {
  child: ChildProcess;
  text: () => string;
  ended: Promise<unknown[]>;
}

function startCommand(...flags: string[]): RunningCommand {
  const child = spawn(process.execPath, [ENTRY_POINT, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  }
  return { child, text: () => text, ended: once(child, "close") };
}

async function waitForOutput({ child, text }: RunningCommand, words: RegExp): Promise<string> {
  while (!words.test(text())) await once(child.stdout ?? child, "data");
  return words.exec(text())?.[1] ?? "";
}

describe("npm run emulator", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "serves the API at the printed URL until %s",
    async (signal) => {
      const running = startCommand("--port", "0", "--interpreters", "0", "--api-key", "sk-test");
      const url = await waitForOutput(running, /listens at (\S+)[\s\S]*Press Ctrl-C/);
      const headers = { authorization: "Bearer sk-test" };
      expect((await fetch(`${url}/v1/models`, { headers })).status).toBe(200);
      running.child.kill(signal);
      expect(await running.ended).toEqual([0, null]);
      await expect(fetch(url)).rejects.toThrow("fetch failed");
    },
  );

  test("prints the last line of a call's error", async () => {
    const running = startCommand("--port", "0", "--interpreters", "0", "--run-seconds", "0");
    const url = await waitForOutput(running, /listens at (\S+)[\s\S]*Press Ctrl-C/);
    const { id } = await new OpenAI({ apiKey: "sk-test", baseURL: `${url}/v1` }).responses.create({
      model: "gpt-5.2",
      tools: [INTERPRETER_TOOL],
      input: toPythonInput("import pandas"),
    });
    const line = await waitForOutput(running, /^(resp_.*Error.*)$/m);
    expect(line).toBe(`${id}: ModuleNotFoundError: No module named 'pandas'`);
  });

  test("exits on SIGTERM while its interpreters are starting", async () => {
    const running = startCommand("--port", "0");
    await waitForOutput(running, /(Press Ctrl-C)/);
    running.child.kill("SIGTERM");
    expect(await running.ended).toEqual([0, null]);
  });

  test("takes none, and lists as JSON", async () => {
    const list = '["file_search_call.results"]';
    const flags = ["--port", "0", "--interpreters", "0", "--api-key", "none", "--refused-include"];
    const running = startCommand(...flags, list);
    const url = await waitForOutput(running, /listens at (\S+)[\s\S]*Press Ctrl-C/);
    const settings: unknown = await (await fetch(`${url}/_emulator/settings`)).json();
    const refusedInclude = ["file_search_call.results"];
    expect(settings).toMatchObject({ apiKey: null, refusedInclude });
  });

  test("--help prints the settings", async () => {
    const help = startCommand("--help");
    expect(await help.ended).toEqual([0, null]);
    expect(help.text()).toMatch("--background-outputs");
    expect(help.text()).toMatch("scripted");
  });

  test.each([
    [["--colour", "red"], "Unknown option '--colour'"],
    [["--port", "many"], "--port many: "],
    [["--webhook-drop", "maybe"], "--webhook-drop maybe: "],
    [["stray"], "Unexpected argument 'stray'"],
  ])("rejects the arguments %j", async (flags, message) => {
    const refused = startCommand(...flags);
    expect(await refused.ended).toEqual([1, null]);
    expect(refused.text()).toMatch(message);
  });

  test("reports a port that is in use", async () => {
    const first = await startEmulator({ interpreters: 0 });
    const second = startCommand("--port", String(first.port));
    expect(await second.ended).toEqual([1, null]);
    expect(second.text()).toMatch(`127.0.0.1:${first.port}`);
    expect(second.text()).toMatch("--port");
    await first.close();
  });
});
