import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toTerminalText } from "../../../../../src/views/text/printed/terminal-text.ts";
import { runs } from "../../../../support/property-runs.ts";

test.each([
  ["\u001b[1;31mred\u001b[0m \u001b[38;2;1;2;3mx", "red x"],
  ["a\u001b[2Kb\u001b[3A", "ab"],
  ["\rloading 10%\rloading 100%", "loading 100%"],
  ["10%\r100%\r\ndone\r\n", "100%\ndone\n"],
  ["50%\r\u001b[K", "50%"],
  ["one\r\ntwo\r\r\n", "one\ntwo\n"],
  ["\r\r", ""],
  ["\u001b]8;;https://example.com\u0007link", "\u001b]8;;https://example.com\u0007link"],
  ["", ""],
])("toTerminalText turns %j into %j", (text, shown) => {
  expect(toTerminalText(text)).toBe(shown);
});

test("toTerminalText leaves a text without carriage returns and escapes as it is", () => {
  const plain = fc
    .string({ unit: "binary" })
    .map((text) => text.replaceAll("\r", "").replaceAll("\u001b", ""));
  fc.assert(
    fc.property(plain, (text) => {
      expect(toTerminalText(text)).toBe(text);
    }),
    runs(300),
  );
});

test("toTerminalText leaves no carriage return", () => {
  const pieces = fc.array(fc.constantFrom("\r", "\n", "\r\n", "50%", " ", "\u001b[32m", "\u001b["));
  fc.assert(
    fc.property(pieces, (parts) => {
      expect(toTerminalText(parts.join(""))).not.toContain("\r");
    }),
    runs(300),
  );
});
