import { expect, test } from "vitest";
import { escapeHidden } from "../../../../../src/views/text/printed/hidden-characters.ts";

test.each([
  ["\u001b[31mred", "<ESC>[31mred"],
  ["\u202egnp.exe", "<U+202E>gnp.exe"],
  ["a\u200bb\ufeff", "a<U+200B>b<U+FEFF>"],
  ["\ud800", "\ufffd"],
  ["one\r\ntwo\tthree", "one\ntwo\tthree"],
  ["👩\u200d🔬", "👩\u200d🔬"],
  ["", ""],
])("escapeHidden turns %j into %j", (text, escaped) => {
  expect(escapeHidden(text)).toBe(escaped);
});
