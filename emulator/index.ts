import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import * as z from "zod";
import { toErrorMessage } from "./lib/error-message.ts";
import { startEmulator } from "./server.ts";
import { defaultSettings, Settings } from "./settings.ts";

const USAGE = `A local stand-in for OpenAI's Responses API: background runs, webhooks, containers.

Its model is scripted: it executes the Python of the input and understands nothing. Its Python is real.
All settings except port, host and interpreters can be changed at runtime: PATCH /_emulator/settings

  npm run emulator -- --port 9000 --webhook-url http://127.0.0.1:8787/webhook
`;

const SETTING_NAMES = Settings.keyof().options;
const DEFAULT_PORT = 9000;

type Flags = Record<string, string | boolean | undefined>;

await main();

async function main(): Promise<void> {
  try {
    const { help, ...flags } = parseFlags();
    if (help) return console.log(`${USAGE}\n${formatSettings()}`);
    const emulator = await startEmulator(
      { port: DEFAULT_PORT, ...toSettings(flags) },
      { log: (line) => console.error(line) },
    );
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => process.exit(0));
    printEnvironment(emulator.url, emulator.webhookSecret);
  } catch (cause) {
    console.error(`The emulator could not start: ${explainStartFailure(cause)}`);
    process.exitCode = 1;
  }
}

function parseFlags(): Flags {
  const options: ParseArgsOptionsConfig = { help: { type: "boolean", short: "h" } };
  for (const name of SETTING_NAMES) options[toKebabCase(name)] = { type: "string" };
  const values: Record<string, unknown> = parseArgs({ options }).values;
  return z.record(z.string(), z.union([z.string(), z.boolean()])).parse(values);
}

function toSettings(flags: Flags): Partial<Settings> {
  const values = SETTING_NAMES.flatMap((name) => {
    const flag = flags[toKebabCase(name)];
    return flag === undefined ? [] : [[name, parseFlagValue(name, String(flag))]];
  });
  return Settings.partial().parse(Object.fromEntries(values));
}

/** Parses a flag's value for its setting: `none` as null if the setting can be null, as text if the setting takes text, otherwise as JSON. */
function parseFlagValue(name: keyof Settings, text: string): unknown {
  const schema: z.ZodType = Settings.shape[name];
  if (text === "none" && schema.safeParse(null).success) return null;
  if (schema.safeParse(text).success) return text;
  const value = parseJsonOrText(text);
  const result = schema.safeParse(value);
  if (result.success) return value;
  const reason = result.error.issues[0]?.message ?? "not valid";
  throw new Error(`--${toKebabCase(name)} ${text}: ${reason}.`);
}

function parseJsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function formatSettings(): string {
  const initial = { ...defaultSettings(), port: DEFAULT_PORT, webhookSecret: "generated" };
  const rows = SETTING_NAMES.map((name) => {
    const flag = `  --${toKebabCase(name)}`.padEnd(27);
    return `${flag}${Settings.shape[name].description ?? ""} (${String(initial[name] ?? "none")})`;
  });
  return rows.join("\n");
}

function toKebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function explainStartFailure(cause: unknown): string {
  const message = toErrorMessage(cause);
  const portInUse = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
  return portInUse ? `${message}. The port is in use: choose another with --port.` : message;
}

function printEnvironment(url: string, webhookSecret: string): void {
  console.log(`The emulator listens at ${url}

  export OPENAI_BASE_URL=${url}/v1
  export OPENAI_API_KEY=any-key-will-do
  export OPENAI_WEBHOOK_SECRET=${webhookSecret}

Its model is scripted: it executes the Python blocks of the input, or prints the input.
Settings, requests and webhook deliveries: ${url}/_emulator/settings, /requests, /deliveries
Press Ctrl-C to stop.`);
}
