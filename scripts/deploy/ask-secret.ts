// Asks for a secret in the terminal, without showing it.

/** As much of a terminal's input as is needed here. */
export type Keyboard = {
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
 * Asks a question; what is typed is not shown.
 * @param question What is asked.
 * @param keyboard The terminal's input.
 * @param print Writes to the terminal.
 * @throws When Ctrl-C is pressed.
 */
export async function askSecret(
  question: string,
  keyboard: Keyboard,
  print: (text: string) => void,
): Promise<string> {
  print(`${question} (not shown): `);
  keyboard.setRawMode(true);
  keyboard.resume();
  try {
    return await typed(keyboard);
  } finally {
    keyboard.setRawMode(false);
    keyboard.pause();
    print("\n");
  }
}

function typed(keyboard: Keyboard): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const listen = (chunk: Buffer | string) => {
      for (const key of String(chunk)) {
        if (key === CTRL_C) return settle(() => reject(new Error("Ctrl-C ended it.")));
        if (ENTER.has(key)) return settle(() => resolve(text.trim()));
        text = BACKSPACE.has(key) ? text.slice(0, -1) : text + key;
      }
    };
    const settle = (how: () => void) => {
      keyboard.off("data", listen);
      how();
    };
    keyboard.on("data", listen);
  });
}
