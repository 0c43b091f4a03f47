import { expect, test } from "vitest";
import { CreatedResponse, toCreatedFields } from "../../../src/openai/response.ts";

const CREATED = { id: "resp_1", status: "queued" };

test("a new response has OpenAI's time of creation", () => {
  const { created_at } = toCreatedFields(
    CreatedResponse.parse({ ...CREATED, created_at: 1_767_225_600 }),
  );
  expect(created_at).toBe("2026-01-01T00:00:00.000Z");
});

test.each([undefined, null, 0, 1e15, -1e15, "now", {}])(
  "a new response with %s as its time of creation was created now",
  (created_at) => {
    const before = Date.now();
    const fields = toCreatedFields(CreatedResponse.parse({ ...CREATED, created_at }));
    expect(Date.parse(fields.created_at ?? "")).toBeGreaterThanOrEqual(before);
  },
);
