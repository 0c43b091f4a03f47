import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { askSecret } from "../../../scripts/deploy/ask-secret.ts";

class FakeInput extends EventEmitter {
  rawModes: boolean[] = [];
  setRawMode(on: boolean) {
    this.rawModes.push(on);
  }
  resume() {
    return this;
  }
  pause() {
    return this;
  }
}

function ask(input: FakeInput, printed: string[]): Promise<string> {
  return askSecret("OPENAI_API_KEY", input, (text) => void printed.push(text));
}

test.each([
  { chunks: ["sk-typed\r"], text: "sk-typed" },
  { chunks: ["s", "k", "-", "x", "\u007f", "\n"], text: "sk-" },
  { chunks: [" pasted \n"], text: "pasted" },
])("askSecret reads $chunks as $text and does not show it", async ({ chunks, text }) => {
  const [input, printed] = [new FakeInput(), new Array<string>()];
  const answer = ask(input, printed);
  for (const chunk of chunks) input.emit("data", chunk);
  expect(await answer).toBe(text);
  expect(printed.join("")).toBe("OPENAI_API_KEY (not shown): \n");
  expect(input.rawModes).toEqual([true, false]);
});

test("askSecret rejects on Ctrl-C and lets the terminal show input again", async () => {
  const input = new FakeInput();
  const answer = ask(input, []);
  input.emit("data", "sk-\u0003");
  await expect(answer).rejects.toThrow(/Ctrl-C/);
  expect(input.rawModes).toEqual([true, false]);
});
