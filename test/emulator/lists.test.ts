import { readFile } from "node:fs/promises";
import { toFile } from "openai";
import { describe, expect, test } from "vitest";
import { EVENT_TYPES } from "../../emulator/webhooks/event-types.ts";
import { startTestEmulator } from "./setup.ts";

const { client } = await startTestEmulator();

describe("GET /v1/files", () => {
  test("filters by purpose, and takes a limit of up to 10,000", async () => {
    const upload = async (purpose: "user_data" | "batch") => {
      const file = await toFile(Buffer.from("x"), `${purpose}.txt`);
      return client.files.create({ file, purpose });
    };
    const batch = await upload("batch");
    for (let count = 0; count < 25; count++) await upload("user_data");
    expect((await client.files.list({ purpose: "batch" })).data).toEqual([batch]);
    expect((await client.files.list({ limit: 10_000 })).data).toHaveLength(26);
    expect((await client.files.list()).data).toHaveLength(26);
    const page = await client.files.list({ purpose: "user_data", limit: 10 });
    expect(page.data).toHaveLength(10);
    expect(page.has_more).toBe(true);
    const tooMany = client.files.list({ limit: 10_001 });
    await expect(tooMany).rejects.toMatchObject({ code: "integer_above_max_value" });
    const tooFew = client.files.list({ limit: 0 });
    await expect(tooFew).rejects.toMatchObject({ code: "integer_below_min_value" });
  });
});

describe("GET /v1/containers", () => {
  test("filters by name", async () => {
    const made = await client.containers.create({ name: "wanted" });
    await client.containers.create({ name: "other" });
    const { data } = await client.containers.list({ name: "wanted" });
    expect(data.map(({ id }) => id)).toEqual([made.id]);
    await expect(client.containers.list({ limit: 101 })).rejects.toMatchObject({ status: 400 });
  });
});

test.each(["constructor", "__proto__", "toString"])("GET /v1/models/%s is a 404", async (id) => {
  await expect(client.models.retrieve(id)).rejects.toMatchObject({
    status: 404,
    code: "model_not_found",
  });
});

describe("the event types of webhook endpoints", () => {
  test("are those of the SDK", async () => {
    const url = new URL("./resources/webhooks/webhooks.d.ts", import.meta.resolve("openai"));
    const types = await readFile(url, "utf8");
    const union = /interface WebhookCreateParams \{[^}]*?event_types: Array<([^>]+)>/.exec(
      types,
    )?.[1];
    const names = union?.split(" | ").map((name) => name.replaceAll("'", ""));
    expect(names).toEqual([...EVENT_TYPES]);
  });

  test("can all be subscribed to", async () => {
    const endpoint = await client.webhooks.create({
      name: "all",
      url: "https://example.com/webhook",
      event_types: [...EVENT_TYPES],
    });
    expect(endpoint.event_types).toEqual(EVENT_TYPES);
    await client.webhooks.delete(endpoint.id);
  });

  test("are listed", async () => {
    expect(await client.webhooks.eventTypes.list()).toEqual({ object: "list", data: EVENT_TYPES });
  });
});
