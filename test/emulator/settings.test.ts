import { describe, expect, test } from "vitest";
import { startTestEmulator } from "./setup.ts";

const { client, callControl, url } = await startTestEmulator({ apiKey: "sk-right" });
const right = client.withOptions({ apiKey: "sk-right" });

describe("GET /v1/models", () => {
  test("rejects a wrong key", async () => {
    await expect(client.models.list()).rejects.toMatchObject({
      status: 401,
      code: "invalid_api_key",
      type: "invalid_request_error",
    });
  });

  test("rejects a missing key", async () => {
    const response = await fetch(`${url}/v1/models`);
    expect(response.status).toBe(401);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("accepts the right key", async () => {
    const { data } = await right.models.list();
    const model = await right.models.retrieve(data[0]?.id ?? "");
    expect(model).toMatchObject({ object: "model" });
    await expect(right.models.retrieve("none")).rejects.toMatchObject({ code: "model_not_found" });
  });

  test("accepts any key while apiKey is null", async () => {
    await callControl("PATCH /settings", { apiKey: null });
    await expect(client.models.list()).resolves.toBeDefined();
    await callControl("PATCH /settings", { apiKey: "sk-right" });
  });
});

describe("PATCH /_emulator/settings", () => {
  test("changes one setting and keeps the others", async () => {
    expect(await callControl("PATCH /settings", { latency: 5 })).toMatchObject({ latency: 5 });
    const now = await callControl("GET /settings");
    expect(now).toMatchObject({ latency: 5, apiKey: "sk-right", backgroundOutputs: "empty" });
  });

  test.each([
    [{ colour: "red" }, "Unknown parameter: 'colour'."],
    [
      { latency: "5" },
      "Invalid value for 'latency': Invalid input: expected number, received string.",
    ],
    [{ port: 9000 }, "'port' can't change while the emulator runs."],
    [{ backgroundOutputs: "sometimes" }, "backgroundOutputs"],
  ])("rejects %j", async (changes, message) => {
    const refusal = await callControl("PATCH /settings", changes);
    expect(refusal).toMatchObject({
      error: { message: expect.stringContaining(message) as unknown },
    });
  });
});
