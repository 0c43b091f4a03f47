// npm start: the emulator and the Worker on this machine, one request in background mode, and what came of it.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startHere, type Here } from "./local-stack.ts";
import { settle, showEvidence, trigger } from "./print-run.ts";

const USAGE = `npm start [-- OPTIONS]

  --once        end when the record is stored (exit code 0 only then)
  --live        use the real API: needs OPENAI_API_KEY; its webhooks come through a tunnel, as long as this runs
  --tunnel URL  with --live: a tunnel of your own that leads to --port, instead of one of Cloudflare's
  --port N      the Worker's port (default: a free one)
  --state DIR   where records are kept from run to run (default: .wrangler/state)
  --help        this text`;

const OPTIONS = {
  once: { type: "boolean", default: false },
  live: { type: "boolean", default: false },
  tunnel: { type: "string" },
  port: { type: "string", default: "0" },
  state: { type: "string", default: ".wrangler/state" },
  help: { type: "boolean", default: false },
} as const;

try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  console.log("Starting the Worker…\n");
  const token = process.env["ACCESS_TOKEN"] ?? randomBytes(16).toString("hex");
  const { live, state, tunnel } = values;
  const here = await startHere({ live, state, tunnel, port: portOf(values.port), token });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void end(here, 0));
  const stored = await run(here);
  if (values.once || !stored) return end(here, stored ? 0 : 1);
  console.log(`
Log in   ${here.url}/login#token=${here.token}
Again    curl -X POST -H "Authorization: Bearer ${here.token}" ${here.url}/trigger

Ctrl-C ends it.`);
}

async function run(here: Here): Promise<boolean> {
  try {
    const record = await settle(here, await trigger(here));
    showEvidence(here, record);
    return true;
  } catch (error) {
    console.error(`\nThe run failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function end(here: Here, code: number): Promise<void> {
  await here.close();
  process.exit(code);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--port must be a number from 0 to 65535, not ${text}.`);
}
