import { expect, test } from "vitest";
import { CreatedResponse, parseResponse, toCreatedFields } from "../../../src/openai/response.ts";

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

const WHOLE = {
  input_tokens: 90,
  input_tokens_details: { cached_tokens: 40 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 12 },
  total_tokens: 120,
};
const COUNTED = { input: 90, cached: 40, output: 30, reasoning: 12, total: 120 };

test.each([
  { name: "whole", usage: WHOLE, counted: COUNTED },
  {
    name: "without details and total",
    usage: { input_tokens: 90, output_tokens: 30 },
    counted: { ...COUNTED, cached: 0, reasoning: 0 },
  },
  {
    name: "with a count beyond reason",
    usage: { ...WHOLE, input_tokens: 1e18 },
    counted: { ...COUNTED, input: 0 },
  },
  { name: "without output tokens", usage: { input_tokens: 1 }, counted: null },
  { name: "of null", usage: null, counted: null },
])("parseResponse reads a usage $name", ({ usage, counted }) => {
  const parsed = parseResponse({ id: "resp_1", status: "completed", output: [], usage });
  expect(parsed?.fields.usage).toEqual(counted);
});
