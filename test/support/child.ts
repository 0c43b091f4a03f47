// Programs of this project as children, in a process group of their own, so that nothing of them is left behind.
import { spawn, type ChildProcess } from "node:child_process";

export type Child = {
  /** Its process id. */
  pid: number;
  /** Everything printed so far. */
  text(): string;
  /** Resolves when what it prints matches; rejects when it ends before. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The exit code, once it has ended. */
  ended(): Promise<number | null>;
  /** Sends a signal to the program alone. */
  signal(name: NodeJS.Signals): void;
  /** Kills the program and all that it has started, as a crash would. */
  crash(): void;
  /** Whether anything of it still runs. */
  runs(): boolean;
};

/**
 * Starts a program from the project's folder.
 * @param command The program and its arguments.
 * @param env What its environment has besides PATH and HOME.
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
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => (text += String(chunk)));
  const group = groupOf(child);
  return {
    pid: child.pid ?? 0,
    text: () => text,
    ended: () => end,
    signal: (name) => void child.kill(name),
    crash: () => group("SIGKILL"),
    runs: () => group(0),
    async says(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match !== null) return match;
        if (child.exitCode !== null)
          throw new Error(`it ended before it said ${pattern}:\n${text}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

function groupOf(child: ChildProcess): (signal: NodeJS.Signals | 0) => boolean {
  return (signal) => {
    if (child.pid === undefined) return false;
    try {
      return process.kill(-child.pid, signal);
    } catch {
      return false;
    }
  };
}
