import OpenAI, { APIConnectionError } from "openai";
import { expect, test } from "vitest";
import { startEmulator } from "../../emulator/server.ts";
import { INTERPRETER_TOOL, toPythonInput } from "./setup.ts";

test("close() breaks open requests and stops runs, and a second call has no effect", async () => {
  const emulator = await startEmulator({ queueSeconds: 0, interpreters: 1 });
  const baseURL = `${emulator.url}/v1`;
  const client = new OpenAI({ apiKey: "sk-test", baseURL, maxRetries: 0 });
  const hang = { kind: "hang", path: "^/v1/models" };
  const body = JSON.stringify(hang);
  await fetch(`${emulator.url}/_emulator/faults`, { method: "POST", body });
  const request = {
    model: "gpt-5.2",
    tools: [INTERPRETER_TOOL],
    input: toPythonInput("while True: pass"),
  };
  await client.responses.create({ ...request, background: true });
  const lost = [client.models.list(), client.responses.create(request)];
  const ends = lost.map((promise) => expect(promise).rejects.toThrow(APIConnectionError));
  await expect(client.files.list()).resolves.toBeDefined();
  await emulator.close();
  await emulator.close();
  await Promise.all(ends);
  await expect(client.files.list()).rejects.toThrow(APIConnectionError);
});
