import { describe, expect, test } from "vitest";
import { Run } from "../../emulator/responses/run.ts";
import { Runs } from "../../emulator/responses/runs.ts";
import { Settings } from "../../emulator/settings.ts";
import { startRuns } from "./many-runs.ts";
import { getRawStatus } from "./raw-request.ts";
import { startTestEmulator } from "./setup.ts";

const { client, callControl, url } = await startTestEmulator({ runSeconds: 0 });

async function listKeptIds(): Promise<string[]> {
  const kept = await callControl("GET /responses");
  return Array.isArray(kept) ? kept.map(({ id }: { id: string }) => id) : [];
}

describe("ended responses", () => {
  test("are dropped, the oldest first, beyond maxResponses", async () => {
    await callControl("PATCH /settings", { maxResponses: 100 });
    const ids = await startRuns(client, { count: 300 });
    expect(await listKeptIds()).toHaveLength(100);
    await expect(client.responses.retrieve(ids[0] ?? "")).rejects.toMatchObject({ status: 404 });
    expect(await client.responses.retrieve(ids.at(-1) ?? "")).toMatchObject({ id: ids.at(-1) });
  });

  test("are dropped, the oldest first, beyond 256 MiB, their events counted", async () => {
    const settings = Settings.parse(await callControl("GET /settings"));
    const runs = new Runs({ ...settings, maxResponses: 100 });
    const ended = [0, 1, 2].map(() => {
      const run = new Run({ model: "gpt-5.2", input: "go", stream: true }, settings);
      run.events.add("response.output_text.delta", () => ({ delta: "a" }));
      const { estimatedBytes } = run.events;
      Reflect.defineProperty(run.events, "estimatedBytes", { value: estimatedBytes * 300_000 });
      runs.set(run.id, run);
      run.endedAt = Date.now();
      runs.settle(run);
      return run;
    });
    expect([...runs.values()]).toEqual(ended.slice(1));
  });

  test("are kept while they run, however many there are", async () => {
    await callControl("PATCH /settings", { maxResponses: 1 });
    const running = await client.responses.create({
      model: "gpt-5.2",
      background: true,
      input: "emulator: run 600 seconds",
    });
    await startRuns(client, { count: 5 });
    expect(await listKeptIds()).toHaveLength(2);
    const cancelled = await client.responses.cancel(running.id);
    expect(cancelled.status).toBe("cancelled");
  });

  test("are dropped after responseHours", async () => {
    await callControl("PATCH /settings", { maxResponses: 100, responseHours: 0 });
    const ids = await startRuns(client, { count: 3 });
    const kept = await listKeptIds();
    expect(kept).toHaveLength(1);
    expect(ids).toContain(kept[0]);
    await callControl("PATCH /settings", { responseHours: 24 });
  });
});

test("a string of the input beyond 10,485,760 characters is a 400", async () => {
  const text = "x".repeat(10_485_761);
  const rejection = { status: 400, code: "string_above_max_length" };
  const plain = client.responses.create({ model: "gpt-5.2", input: text });
  await expect(plain).rejects.toMatchObject({ ...rejection, param: "input" });
  const content = [{ type: "input_text" as const, text }];
  const parts = client.responses.create({ model: "gpt-5.2", input: [{ role: "user", content }] });
  await expect(parts).rejects.toMatchObject({
    ...rejection,
    param: "input[0].content[0].text",
  });
});

describe("a body beyond maxBodyBytes", () => {
  test("is a 413 in OpenAI's words", async () => {
    await callControl("PATCH /settings", { maxBodyBytes: 1000 });
    const input = "x".repeat(2000);
    await expect(client.responses.create({ model: "gpt-5.2", input })).rejects.toMatchObject({
      status: 413,
      type: "server_error",
      message: expect.stringMatching(
        /^413 Maximum content size limit \(1000\) exceeded \(2\d+ bytes read\)$/,
      ) as unknown,
    });
  });

  test("is a 413 when it comes in chunks, and on /_emulator", async () => {
    for (const path of ["/v1/responses", "/_emulator/faults"]) {
      const chunks = Array.from({ length: 20 }, () => "x".repeat(100));
      expect(await getRawStatus(`${url}${path}`, { method: "POST", chunks })).toBe(413);
    }
    await callControl("PATCH /settings", { maxBodyBytes: 64 * 2 ** 20 });
  });
});
