// npm start: the emulator and the Worker on this machine, one request in background mode, and what the Worker recorded of it.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startLocalStack, type LocalStack } from "./local-stack.ts";
import { followRun, printRecord, triggerExample } from "./print-run.ts";

const USAGE = `npm start [-- OPTIONS]

  --once        end when the record is stored (exit code 0 only then)
  --live        use the real API: needs OPENAI_API_KEY; its webhooks arrive through a tunnel while this program runs
  --tunnel URL  with --live: your own tunnel that leads to --port, instead of one of Cloudflare's
  --port N      the Worker's port (default: a free one)
  --state DIR   the folder that keeps records from run to run (default: .wrangler/state)
  --help        print this text`;

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
  const stack = await startLocalStack({
    live: values.live,
    port: parsePort(values.port),
    token: process.env["ACCESS_TOKEN"] ?? randomBytes(16).toString("hex"),
    stateFolder: values.state,
    tunnelUrl: values.tunnel,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void closeAndExit(stack, 0));
  const isStored = await recordExample(stack);
  if (values.once || !isStored) return closeAndExit(stack, isStored ? 0 : 1);
  console.log(`
Log in     ${stack.url}/login#token=${stack.token}
Run again  curl -X POST -H "Authorization: Bearer ${stack.token}" ${stack.url}/trigger

Press Ctrl-C to end.`);
}

async function recordExample(stack: LocalStack): Promise<boolean> {
  try {
    const id = await triggerExample(stack);
    printRecord(stack, await followRun(stack, id));
    return true;
  } catch (error) {
    console.error(`\nThe run failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function closeAndExit(stack: LocalStack, exitCode: number): Promise<void> {
  await stack.close();
  process.exit(exitCode);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--port must be a number from 0 to 65535, not ${text}.`);
}
