import { expect, test } from "vitest";
import { toSentence } from "../../../src/lib/sentence.ts";

test.each([
  ["Bad gateway", "Bad gateway."],
  ["Bad gateway. ", "Bad gateway."],
  ["What now?", "What now?"],
  ["", ""],
])("toSentence makes %j a sentence: %j", (text, sentence) => {
  expect(toSentence(text)).toBe(sentence);
});
