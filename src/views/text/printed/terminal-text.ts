// Printed text as a terminal would leave it on the screen: without colours, and with the last state of each line.

/** Control sequences: colours, and movements of the cursor. Others, such as links, stay: they could hide something. https://en.wikipedia.org/wiki/ANSI_escape_code#CSI */
const CONTROL_SEQUENCE = new RegExp(String.raw`${"\u001b"}\[[0-?]*[ -/]*[@-~]`, "g");

/** Removes colours, and what a carriage return overwrote. */
export function toTerminalText(text: string): string {
  const plain = text.replaceAll(CONTROL_SEQUENCE, "").replaceAll(/\r+\n/g, "\n");
  if (!plain.includes("\r")) return plain;
  return plain.split("\n").map(lastState).join("\n");
}

// A progress bar begins its line again and again.
function lastState(line: string): string {
  return line.split("\r").findLast((state) => state.trim() !== "") ?? "";
}
