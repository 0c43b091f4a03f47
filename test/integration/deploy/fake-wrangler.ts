// Stands in for the wrangler command: does what Cloudflare would have done, in a folder, and writes down how it was called.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const Values = z.record(z.string(), z.string());
const Failure = z.object({ command: z.string(), times: z.number() });

const folder = process.env["STAND_IN_FOLDER"] ?? ".";
const at = (name: string) => join(folder, name);
const args = process.argv.slice(2);
const input = args.join(" ") === "secret bulk" ? Values.parse(JSON.parse(read(0))) : {};
const command = [...args, ...Object.keys(input)].join(" ");

const seen = { command, args, environment: process.env };
appendFileSync(at("calls.ndjson"), `${JSON.stringify(seen)}\n`);
if (fails()) {
  console.error("It failed, as it was told to.");
  process.exit(1);
}
if (args[0] === "deploy") release();
if (args.join(" ") === "secret bulk") save({ ...secrets(), ...input });
if (args.join(" ") === "secret list") list();

function release(): void {
  if (!existsSync(at("secrets.json"))) save({});
  const targets = [process.env["STAND_IN_TARGET"], "workflow: recorder"];
  const lines = [{ type: "wrangler-session" }, { type: "deploy", targets }];
  const report = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  writeFileSync(process.env["WRANGLER_OUTPUT_FILE_PATH"] ?? "", report);
}

function list(): void {
  if (!existsSync(at("secrets.json"))) {
    console.error('Worker "response-recorder" not found.');
    process.exit(1);
  }
  const names = Object.keys(secrets()).map((name) => ({ name, type: "secret_text" }));
  console.log(JSON.stringify(names, null, 2));
}

function secrets(): Record<string, string> {
  return Values.parse(JSON.parse(read(at("secrets.json"))));
}

function save(values: Record<string, string>): void {
  // Whoever reads it meanwhile reads the old one or the new one, whole.
  writeFileSync(at("secrets.next.json"), JSON.stringify(values));
  renameSync(at("secrets.next.json"), at("secrets.json"));
}

function fails(): boolean {
  if (!existsSync(at("failure.json"))) return false;
  const failure = Failure.parse(JSON.parse(read(at("failure.json"))));
  if (failure.command !== command || failure.times === 0) return false;
  writeFileSync(at("failure.json"), JSON.stringify({ ...failure, times: failure.times - 1 }));
  return true;
}

function read(file: string | 0): string {
  return readFileSync(file, "utf8");
}
