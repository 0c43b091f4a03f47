import { describe, expect, test } from "vitest";
import { emulate } from "./setup.ts";

const { client, control, url } = await emulate({ apiKey: "sk-right" });
const right = client.withOptions({ apiKey: "sk-right" });

describe("a key", () => {
  test("that is wrong is refused", async () => {
    await expect(client.models.list()).rejects.toMatchObject({
      status: 401,
      code: "invalid_api_key",
      type: "invalid_request_error",
    });
  });

  test("that is missing is refused", async () => {
    const response = await fetch(`${url}/v1/models`);
    expect(response.status).toBe(401);
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("that is right is accepted", async () => {
    const { data } = await right.models.list();
    const model = await right.models.retrieve(data[0]?.id ?? "");
    expect(model).toMatchObject({ object: "model" });
    await expect(right.models.retrieve("none")).rejects.toMatchObject({ code: "model_not_found" });
  });

  test("is not looked at when the setting is taken away", async () => {
    await control("PATCH /settings", { apiKey: null });
    await expect(client.models.list()).resolves.toBeDefined();
    await control("PATCH /settings", { apiKey: "sk-right" });
  });
});

describe("settings", () => {
  test("are shown, and changed in part", async () => {
    expect(await control("PATCH /settings", { latency: 5 })).toMatchObject({ latency: 5 });
    const now = await control("GET /settings");
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
  ])("refuse %j", async (changes, message) => {
    const refusal = await control("PATCH /settings", changes);
    expect(refusal).toMatchObject({
      error: { message: expect.stringContaining(message) as unknown },
    });
  });
});
