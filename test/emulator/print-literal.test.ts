import { expect, test } from "vitest";
import { evaluatePrint } from "../../emulator/interpreter/print-literal.ts";

test.each([
  ['print("a")', "a\n"],
  ['print("")', "\n"],
  [String.raw`print("q\" b\\ n\n t\t é \u00e9 \u2028")`, 'q" b\\ n\n t\t é é \u2028\n'],
])("evaluatePrint(%j) returns %j", (code, text) => {
  expect(evaluatePrint(code)).toBe(text);
});

test.each([
  "print('a')",
  'print("a", end="")',
  'print("a")\nx = 1',
  'print("a" "b")',
  'print(f"a")',
  String.raw`print("\ud83d")`,
  String.raw`print("\/")`,
  String.raw`print("\x41")`,
  'print("a\nb")',
  "",
])("evaluatePrint(%j) leaves the code to Python", (code) => {
  expect(evaluatePrint(code)).toBeNull();
});
