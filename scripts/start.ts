// npm start: the Worker and the emulator on this machine, and the report's request: lost in the background, there through /v1.
import { parseArgs } from "node:util";
import { runInBackground } from "./demo/background-run.ts";
import { runHeld } from "./demo/held-run.ts";
import { printTitle } from "./demo/print.ts";
import { startLocalStack, type LocalStack } from "./local-stack.ts";
import { readOrCreateToken } from "./local/access-token.ts";
import { choosePort } from "./local/choose-port.ts";

const USAGE = `npm start [-- OPTIONS]

  --once        end when the records are stored (exit code 0 only then)
  --verbose     print the Worker's log as well, on stderr
  --live        use the real API: needs OPENAI_API_KEY; its webhooks arrive through a tunnel while this program runs
  --tunnel URL  with --live: your own tunnel that leads to --port, instead of one of Cloudflare's
  --port N      the Worker's port (default: 8787, or a free one while another program listens there)
  --state DIR   the folder that keeps records and the access token from run to run (default: .wrangler/state)
  --help        print this text`;

const OPTIONS = {
  once: { type: "boolean", default: false },
  verbose: { type: "boolean", default: false },
  live: { type: "boolean", default: false },
  tunnel: { type: "string" },
  port: { type: "string" },
  state: { type: "string", default: ".wrangler/state" },
  help: { type: "boolean", default: false },
} as const;

/** The request's members that /v1 fills in itself. */
const OWN_MEMBERS = ["background", "metadata", "store"];

try {
  await main();
} catch (error) {
  console.error(`\n${toMessage(error)}`);
  process.exit(1);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const port = await choosePort(values.port, (message) => console.log(message));
  console.log("Starting the Worker…");
  const stack = await startLocalStack({
    live: values.live,
    port,
    token: readOrCreateToken(values.state),
    stateFolder: values.state,
    tunnelUrl: values.tunnel,
    log: values.verbose ? (line) => console.error(line) : () => undefined,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void closeAndExit(stack, 0));
  const id = await showLossAndCure(stack);
  if (values.once || id === null) return closeAndExit(stack, id === null ? 1 : 0);
  printWhereToGo(stack, id);
}

/** @returns The id of the run in the background; null when a run failed. */
async function showLossAndCure(stack: LocalStack): Promise<string | null> {
  try {
    printTitle("1. In the background");
    const lost = await runInBackground(stack);
    printTitle(`2. The same request through ${stack.url}/v1`);
    const printed = await runHeld(stack, withoutOwnMembers(lost.request ?? {}));
    printTitle("What the code printed");
    process.stdout.write(printed);
    return lost.id;
  } catch (error) {
    console.error(`\nThe run failed: ${toMessage(error)}`);
    return null;
  }
}

function withoutOwnMembers(request: Record<string, unknown>): Record<string, unknown> {
  const members = Object.entries(request);
  return Object.fromEntries(members.filter(([name]) => !OWN_MEMBERS.includes(name)));
}

// The token is in the link's fragment, which a browser sends to no server; the login page removes it from the history.
function printWhereToGo({ url, token, emulatorUrl }: LocalStack, id: string): void {
  printTitle("Look at both in a browser, logged in");
  console.log(`${url}/login?next=/results/${id}#token=${token}`);
  printTitle("Point your SDK here");
  console.log(`export OPENAI_BASE_URL=${url}/v1\nexport OPENAI_API_KEY=${token}`);
  if (emulatorUrl !== null) {
    printTitle("OpenAI's API, imitated, without the recorder: any key will do");
    console.log(`${emulatorUrl}/v1`);
  }
  console.log("\nPress Ctrl-C to end.");
}

async function closeAndExit(stack: LocalStack, exitCode: number): Promise<void> {
  await stack.close();
  process.exit(exitCode);
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
