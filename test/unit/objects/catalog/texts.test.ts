import { expect, test } from "vitest";
import { MAX_SEARCH_TEXT_BYTES, toSearchText } from "../../../../src/objects/catalog/texts.ts";

function toItems(logs: string, said: string): Uint8Array {
  const items = [
    { type: "reasoning", id: "rs_1" },
    {
      type: "code_interpreter_call",
      id: "ci_1",
      code: "secret()",
      outputs: [{ type: "logs", logs }],
    },
    { type: "message", content: [{ type: "output_text", text: said, annotations: [] }] },
  ];
  return new TextEncoder().encode(JSON.stringify(items));
}

test("toSearchText has what was asked, printed and said", () => {
  const items = toItems("printed", "said");
  expect(toSearchText({ request: { input: "asked" }, input: null }, [items])).toBe(
    "asked\nprinted\nsaid",
  );
  expect(toSearchText({ request: null, input: null }, [items])).toBe("printed\nsaid");
  expect(toSearchText({ request: { input: "asked" }, input: null }, [null, undefined])).toBe(
    "asked",
  );
  expect(toSearchText({ request: null, input: null }, [])).toBe("");
});

test("toSearchText has at most 4 KiB, and none of its parts crowds out another", () => {
  const long = "é🙂".repeat(1_000_000);
  const text = toSearchText({ request: { input: `asked ${long}` }, input: null }, [
    toItems(`printed ${long}`, "said"),
  ]);
  const bytes = new TextEncoder().encode(text).byteLength;
  expect(bytes).toBeLessThanOrEqual(MAX_SEARCH_TEXT_BYTES);
  expect(bytes).toBeGreaterThan(MAX_SEARCH_TEXT_BYTES - 20);
  expect(text.isWellFormed()).toBe(true);
  const parts = text.split("\n");
  expect(parts.map((part) => part.split(" ", 1)[0])).toEqual(["asked", "printed", "said"]);
  expect(Math.abs((parts[0]?.length ?? 0) - (parts[1]?.length ?? 0))).toBeLessThan(20);
});
