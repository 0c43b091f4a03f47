// Starts programs of this project as child processes. Each has a process group of its own, so that a test can end it with all its children.
import { spawn, type ChildProcess } from "node:child_process";

export type Child = {
  pid: number;
  /** What it has printed so far, to stdout and stderr. */
  output(): string;
  /** Resolves when its output matches; rejects when it exits before. */
  waitForOutput(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves to the exit code; null after a signal. */
  waitForExit(): Promise<number | null>;
  /** Sends a signal to the program, but not to its children. */
  signal(name: NodeJS.Signals): void;
  /** Kills the program and its children with SIGKILL, as a crash would. */
  kill(): void;
  /** Whether the program or one of its children still runs. */
  isRunning(): boolean;
};

/**
 * Starts a program from the project's folder.
 * @param command The program and its arguments.
 * @param env Its environment, in addition to PATH, HOME and the settings of wrangler.
 */
export function startChild(command: string[], env: Record<string, string> = {}): Child {
  const [program = "", ...rest] = command;
  const child = spawn(program, rest, {
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
  const end = new Promise<number | null>((resolve) => child.once("close", resolve));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => (output += String(chunk)));
  const signalGroup = createGroupSignal(child);
  return {
    pid: child.pid ?? 0,
    output: () => output,
    waitForExit: () => end,
    signal: (name) => void child.kill(name),
    kill: () => void signalGroup("SIGKILL"),
    isRunning: () => signalGroup(0),
    async waitForOutput(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (child.exitCode !== null) {
          throw new Error(`The program exited before its output matched ${pattern}:\n${output}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

/** Returns a function that signals the child's process group, and says whether the group exists. */
function createGroupSignal(child: ChildProcess): (signal: NodeJS.Signals | 0) => boolean {
  return (signal) => {
    if (child.pid === undefined) return false;
    try {
      return process.kill(-child.pid, signal);
    } catch {
      return false;
    }
  };
}
