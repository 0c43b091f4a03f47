// Programs of this project as child processes. Each has a process group of its own, so that the whole group can be killed.
import { spawn, type ChildProcess } from "node:child_process";
import { captureOutput } from "../../scripts/lib/process-output.ts";
import { pollUntil } from "../../scripts/lib/retry.ts";

const POLL_INTERVAL_MS = 20;

export type Child = {
  /** The process id. */
  pid: number;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when the output matches; rejects when the program ends before. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code, once the program has ended. */
  waitForExit(): Promise<number | null>;
  /** Sends a signal to the program alone. */
  signal(name: NodeJS.Signals): void;
  /** Interrupts the whole process group, as Ctrl-C does. */
  interruptGroup(): void;
  /** Kills the whole process group at once, as a crash would. */
  killGroup(): void;
  /** Resolves when no process of the group runs any longer. */
  waitForGroupExit(): Promise<void>;
};

/**
 * Starts a program from the project's folder.
 * @param command The program and its arguments.
 * @param env Variables beyond PATH and HOME.
 */
export function startChild(command: string[], env: Record<string, string> = {}): Child {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: new URL("../..", import.meta.url),
    detached: true,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      WRANGLER_SEND_METRICS: "false",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      // See world.ts.
      X_LOCAL_OBSERVABILITY: "false",
      ...env,
    },
  });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = captureOutput(child, command.slice(0, 2).join(" "));
  return {
    pid: child.pid ?? 0,
    output: () => output.text(),
    waitForOutput: (pattern) => output.waitFor(pattern),
    waitForExit: () => exit,
    signal: (name) => void child.kill(name),
    interruptGroup: () => void signalGroup(child, "SIGINT"),
    killGroup: () => void signalGroup(child, "SIGKILL"),
    async waitForGroupExit() {
      await pollUntil(() => !signalGroup(child, 0), { intervalMs: POLL_INTERVAL_MS });
    },
  };
}

/** @returns Whether the group has a process that took the signal; signal 0 only asks. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}
