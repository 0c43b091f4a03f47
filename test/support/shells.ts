// Commands as a reader pastes them: into an interactive shell, which takes no comments in zsh and fails where nothing matches `?` or `[`.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { captureOutput } from "../../scripts/lib/process-output.ts";

/** How each shell starts without the user's own settings. */
const SHELLS = {
  bash: ["bash", "--norc", "--noprofile", "-i"],
  zsh: ["zsh", "-f", "-i"],
} as const;

export type Shell = keyof typeof SHELLS;
export const SHELL_NAMES: readonly Shell[] = ["bash", "zsh"];

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Warns that `what` is skipped when a program is not installed. */
export function warnIfMissing(program: string, what: string): void {
  if (isInstalled(program)) return;
  process.stderr.write(
    `\n  SKIPPED, because ${program} is not installed: ${what}\n  Install it (apt-get install ${program})\n\n`,
  );
}

/**
 * Pastes commands into a shell; the first that fails ends it.
 * @returns What the commands printed, without the shell's prompts.
 * @throws When a command fails. The message has what was printed.
 */
export function pasteInto(
  shell: Shell,
  commands: string,
  options: { cwd: string; env: Record<string, string> },
): Promise<string> {
  const [program, ...args] = SHELLS[shell];
  return run(program, args, `set -e\n${commands}\n`, options);
}

/**
 * Runs a program with a text as its input.
 * @returns Its standard output.
 * @throws When it fails. The message has what was printed on both streams.
 */
export async function run(
  program: string,
  args: string[],
  input: string,
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<string> {
  const inherited = { PATH: process.env["PATH"], PYTHONPATH: process.env["PYTHONPATH"] };
  const child = spawn(program, args, { cwd, env: { ...inherited, HOME: cwd, ...env } });
  const output = captureOutput(child, program);
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += String(chunk)));
  // A shell that a command has ended reads no more.
  child.stdin.on("error", () => undefined).end(input);
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}:\n${output.text()}`);
  return printed;
}
