// The Worker in workerd as a program of its own, so that it can be killed as a crash would, and started again on the same state.
import { freePort } from "../../../scripts/lib/free-port.ts";
import { startChild, type Child } from "../../support/child.ts";
import { serveCommand } from "../../support/world.ts";

/** The Worker while it comes and goes. */
export type Served = {
  url: string;
  /** Resolves when it can be asked. */
  up(): Promise<void>;
  /** Kills it at once and starts it again on the same state. */
  kill(): Promise<void>;
  /** The Worker's log so far, over all its lives. */
  log(): string;
  close(): Promise<void>;
};

type Where = {
  state: string;
  config: string;
  /** The emulator's URL. */
  api: string;
  vars: Record<string, string>;
};

/** Starts the Worker; resolves when it answers. */
export async function serve({ state, config, api, vars }: Where): Promise<Served> {
  const port = await freePort();
  const command = [...serveCommand(port, state, api, vars), "--config", config];
  const lives: Child[] = [];
  const begin = async () => {
    const life = startChild(command);
    lives.push(life);
    await life.says(/Ready on/);
  };
  const end = async () => {
    const life = lives.at(-1);
    life?.crash();
    await life?.ended();
  };
  // Whoever ends the soak ends the Worker with it.
  process.once("exit", () => lives.at(-1)?.crash());
  let ready = begin();
  await ready;
  return {
    url: `http://127.0.0.1:${port}`,
    up: () => ready,
    async kill() {
      ready = end().then(begin);
      await ready;
    },
    log: () => lives.map((life) => life.text()).join("\n"),
    close: end,
  };
}
