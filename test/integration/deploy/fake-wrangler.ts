// Stands in for the wrangler command: keeps in a folder what Cloudflare would have stored, and logs each call there.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Secrets = z.record(z.string(), z.string());
const Failure = z.object({ command: z.string(), times: z.number() });

const STDIN = 0;
const folder = process.env["STAND_IN_FOLDER"] ?? ".";
const toPath = (name: string) => join(folder, name);
const args = process.argv.slice(2);
const isBulk = args.join(" ") === "secret bulk";
const input = isBulk ? Secrets.parse(JSON.parse(readText(STDIN))) : {};
const command = [...args, ...Object.keys(input)].join(" ");

const call = { command, args, environment: process.env };
appendFileSync(toPath("calls.ndjson"), `${JSON.stringify(call)}\n`);
if (shouldFail()) {
  console.error("The test made this command fail.");
  process.exit(1);
}
if (args[0] === "deploy") writeDeployReport();
if (isBulk) writeSecrets({ ...readSecrets(), ...input });
if (args.join(" ") === "secret list") printSecretNames();

function writeDeployReport(): void {
  if (!existsSync(toPath("secrets.json"))) writeSecrets({});
  const targets = [process.env["STAND_IN_TARGET"], "schedule: */5 * * * *"];
  const lines = [{ type: "wrangler-session" }, { type: "deploy", targets }];
  const report = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(process.env["WRANGLER_OUTPUT_FILE_PATH"] ?? "", report);
}

function printSecretNames(): void {
  if (!existsSync(toPath("secrets.json"))) {
    console.error('Worker "response-recorder" not found.');
    process.exit(1);
  }
  const list = Object.keys(readSecrets()).map((name) => ({ name, type: "secret_text" }));
  console.log(JSON.stringify(list, null, 2));
}

function readSecrets(): Record<string, string> {
  return Secrets.parse(JSON.parse(readText(toPath("secrets.json"))));
}

function writeSecrets(secrets: Record<string, string>): void {
  // The rename is atomic: the fake Worker reads the file at the same time, and gets the old one or the new one.
  writeFileSync(toPath("secrets.next.json"), JSON.stringify(secrets));
  renameSync(toPath("secrets.next.json"), toPath("secrets.json"));
}

/** Whether the test wants this call to fail; counts the failure down. */
function shouldFail(): boolean {
  if (!existsSync(toPath("failure.json"))) return false;
  const failure = Failure.parse(JSON.parse(readText(toPath("failure.json"))));
  if (failure.command !== command || failure.times === 0) return false;
  const remaining = { ...failure, times: failure.times - 1 };
  writeFileSync(toPath("failure.json"), JSON.stringify(remaining));
  return true;
}

function readText(file: string | typeof STDIN): string {
  return readFileSync(file, "utf8");
}
