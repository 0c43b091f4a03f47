// Parts of create requests that many tests need.

/** The tools of a request that runs Python. */
export const CODE_INTERPRETER = [{ type: "code_interpreter", container: { type: "auto" } }];

/** Returns an input that makes the emulator run each code in a call of its own. */
export function toPythonInput(...codes: string[]): string {
  return codes.map((code) => `\`\`\`python\n${code}\n\`\`\``).join("\n");
}
