import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { askSecret } from "../../../scripts/deploy/ask-secret.ts";

class Keys extends EventEmitter {
  raw: boolean[] = [];
  setRawMode(on: boolean) {
    this.raw.push(on);
  }
  resume() {
    return this;
  }
  pause() {
    return this;
  }
}

function ask(keys: Keys, printed: string[]): Promise<string> {
  return askSecret("OPENAI_API_KEY", keys, (text) => void printed.push(text));
}

test.each([
  { chunks: ["sk-typed\r"], text: "sk-typed" },
  { chunks: ["s", "k", "-", "x", "\u007f", "\n"], text: "sk-" },
  { chunks: [" pasted \n"], text: "pasted" },
])("what is typed as $chunks is $text, and not shown", async ({ chunks, text }) => {
  const [keys, printed] = [new Keys(), new Array<string>()];
  const answer = ask(keys, printed);
  for (const chunk of chunks) keys.emit("data", chunk);
  expect(await answer).toBe(text);
  expect(printed.join("")).toBe("OPENAI_API_KEY (not shown): \n");
  expect(keys.raw).toEqual([true, false]);
});

test("Ctrl-C ends the question, and the terminal shows what is typed again", async () => {
  const keys = new Keys();
  const answer = ask(keys, []);
  keys.emit("data", "sk-\u0003");
  await expect(answer).rejects.toThrow(/Ctrl-C/);
  expect(keys.raw).toEqual([true, false]);
});
