// Asks for a secret in the terminal, without showing it.

/** As much of a terminal's input stream as the question needs. */
export type TerminalInput = {
  setRawMode(on: boolean): unknown;
  on(event: "data", listener: (chunk: Buffer | string) => void): unknown;
  off(event: "data", listener: (chunk: Buffer | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
};

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ENTER = new Set(["\r", "\n", CTRL_D]);
const BACKSPACE = new Set(["\b", "\u007f"]);

/**
 * Asks a question and reads the answer without showing it.
 * @returns The answer, without white space around it.
 * @throws When Ctrl-C is pressed.
 */
export async function askSecret(
  question: string,
  input: TerminalInput,
  print: (text: string) => void,
): Promise<string> {
  print(`${question} (not shown): `);
  input.setRawMode(true);
  input.resume();
  try {
    return await readTypedLine(input);
  } finally {
    input.setRawMode(false);
    input.pause();
    print("\n");
  }
}

function readTypedLine(input: TerminalInput): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer | string) => {
      for (const key of String(chunk)) {
        if (key === CTRL_C) return stop(() => reject(new Error("Cancelled by Ctrl-C.")));
        if (ENTER.has(key)) return stop(() => resolve(text.trim()));
        text = BACKSPACE.has(key) ? text.slice(0, -1) : text + key;
      }
    };
    const stop = (settle: () => void) => {
      input.off("data", onData);
      settle();
    };
    input.on("data", onData);
  });
}
