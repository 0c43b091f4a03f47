// A Worker in workerd, run by `wrangler dev` as a program of its own: it can be killed as by a crash, and started again on the same state.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/lib/free-port.ts";
import { startChild, type Child } from "./child.ts";

type Vars = Record<string, string>;

export type WorkerProcess = {
  /** The Worker's URL, without a slash at its end. */
  url: string;
  /** The folder of its KV and its objects. */
  state: string;
  /** The process id of wrangler, which is also the id of the process group. */
  pid(): number;
  /** Everything printed so far, since the first start. */
  output(): string;
  /** Resolves when the Worker accepts requests. */
  ready(): Promise<void>;
  /** Kills it at once, as a crash would. */
  kill(): Promise<void>;
  /**
   * Kills it and starts it again on the same state.
   * @param vars Settings that differ from those of the first start.
   */
  restart(vars?: Vars): Promise<void>;
  /** Kills it, and removes the state's folder unless that was given. */
  close(): Promise<void>;
};

export type WorkerOptions = {
  /** Its settings and secrets, where they differ from the configuration. */
  vars: Vars;
  /** Without it a free port is found. */
  port?: number | undefined;
  /** Without it the state lies in a folder that `close` removes. */
  state?: string | undefined;
  /** The path of its wrangler.toml, if not the project's. */
  config?: string | undefined;
  /** Environment variables of wrangler. */
  env?: Record<string, string> | undefined;
};

/** Starts a Worker; resolves when it accepts requests. */
export async function startWorkerProcess(options: WorkerOptions): Promise<WorkerProcess> {
  const port = options.port ?? (await freePort());
  const state = options.state ?? mkdtempSync(join(tmpdir(), "response-recorder-"));
  const children: Child[] = [];
  const start = async (vars: Vars) => {
    const command = toCommand({ ...options, port, state, vars: { ...options.vars, ...vars } });
    const child = startChild(command, options.env);
    children.push(child);
    await child.waitForOutput(/Ready on/);
  };
  const killGroup = () => children.at(-1)?.killGroup();
  const kill = async () => {
    killGroup();
    await children.at(-1)?.waitForExit();
  };
  // When this program ends, the Worker ends with it.
  process.once("exit", killGroup);
  let ready = start({});
  const worker: WorkerProcess = {
    url: `http://127.0.0.1:${port}`,
    state,
    pid: () => children.at(-1)?.pid ?? 0,
    output: () => children.map((child) => child.output()).join("\n"),
    ready: () => ready,
    kill,
    async restart(vars = {}) {
      ready = kill().then(() => start(vars));
      await ready;
    },
    async close() {
      await kill();
      process.off("exit", killGroup);
      if (options.state === undefined) rmSync(state, { recursive: true, force: true });
    },
  };
  try {
    await ready;
  } catch (error) {
    await worker.close();
    throw error;
  }
  return worker;
}

function toCommand({ port, state, config, vars }: WorkerOptions & { state: string }): string[] {
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "dev"];
  const flags = {
    ...(config === undefined ? {} : { config }),
    "persist-to": state,
    ip: "127.0.0.1",
    port: String(port),
    "inspector-port": "0",
    "show-interactive-dev-session": "false",
  };
  return [
    process.execPath,
    ...wrangler,
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ];
}
