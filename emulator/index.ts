import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import * as z from "zod";
import { startEmulator } from "./server.ts";
import { defaultSettings, Settings } from "./settings.ts";

const USAGE = `A local stand-in for OpenAI's Responses API: background runs, webhooks, containers.

Its model is scripted: it runs the Python it is given and understands nothing. Its Python is real.
Every setting but port, host and interpreters can be changed while it runs, at /_emulator/settings.

  npm run emulator -- --port 9000 --webhook-url http://127.0.0.1:8787/webhook
`;

const SETTING_NAMES = Settings.keyof().options;
const DEFAULT_PORT = 9000;

await main();

async function main(): Promise<void> {
  try {
    const { help, ...flags } = parseFlags();
    if (help) return console.log(`${USAGE}\n${formatSettings()}`);
    const emulator = await startEmulator({ port: DEFAULT_PORT, ...parseSettings(flags) });
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => process.exit(0));
    printEnvironment(emulator.url, emulator.webhookSecret);
  } catch (cause) {
    console.error(`The emulator could not start: ${explainStartFailure(cause)}`);
    process.exitCode = 1;
  }
}

function parseFlags(): Record<string, string | boolean | undefined> {
  const options: ParseArgsOptionsConfig = { help: { type: "boolean", short: "h" } };
  for (const name of SETTING_NAMES) options[toKebabCase(name)] = { type: "string" };
  const values: Record<string, unknown> = parseArgs({ options }).values;
  return z.record(z.string(), z.union([z.string(), z.boolean()])).parse(values);
}

function parseSettings(flags: Record<string, string | boolean | undefined>): Partial<Settings> {
  const given = SETTING_NAMES.filter((name) => flags[toKebabCase(name)] !== undefined);
  const values = given.map((name) => [
    name,
    parseFlagValue(name, String(flags[toKebabCase(name)])),
  ]);
  return Settings.partial().parse(Object.fromEntries(values));
}

/** A flag's text as the setting wants it: as it stands, or as the JSON that it is. */
function parseFlagValue(name: keyof Settings, text: string): unknown {
  const schema: z.ZodType = Settings.shape[name];
  if (schema.safeParse(text).success) return text;
  const candidate = text === "none" ? null : parseJsonOrText(text);
  const result = schema.safeParse(candidate);
  if (result.success) return candidate;
  throw new Error(
    `--${toKebabCase(name)} ${text}: ${result.error.issues[0]?.message ?? "not valid"}.`,
  );
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
    return `${flag}${Settings.shape[name].description ?? ""} (${initial[name] ?? "none"})`;
  });
  return rows.join("\n");
}

function toKebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function explainStartFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (!("code" in cause) || cause.code !== "EADDRINUSE") return cause.message;
  return `${cause.message}. Something listens there already: choose another --port.`;
}

function printEnvironment(url: string, secret: string): void {
  console.log(`The emulator listens at ${url}

  export OPENAI_BASE_URL=${url}/v1
  export OPENAI_API_KEY=any-key-will-do
  export OPENAI_WEBHOOK_SECRET=${secret}

Its model is scripted: it runs the Python blocks of the input, or prints the input back.
Settings, requests and webhook deliveries: ${url}/_emulator/settings, /requests, /deliveries
Ctrl-C ends it.`);
}
