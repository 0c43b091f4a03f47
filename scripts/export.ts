// npm run export: copies all records of a recorder, and their files, into a folder.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Archive } from "./export/archive.ts";
import { exportRecords } from "./export/export-records.ts";
import { describeFailure, RecorderClient } from "./export/recorder-client.ts";

const USAGE = `npm run export -- --out DIR [OPTIONS]

Copies all records into DIR/records, a file of JSON each. The environment must have READ_TOKEN or ACCESS_TOKEN.
The same command again adds what is new: it skips settled records that are there, and goes on where it stopped.
It exits with 0 only when DIR is complete.

  --out DIR     the folder; it is created when it is missing
  --url URL     the recorder's URL; without it the environment must have RECORDER
  --since TIME  only runs whose recording began then or later: a date, or a time in ISO 8601 with its zone
  --files       also copies the files that the code wrote, into DIR/files
  --help        print this text`;

const OPTIONS = {
  out: { type: "string" },
  url: { type: "string", default: process.env["RECORDER"] },
  since: { type: "string" },
  files: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

try {
  await main();
} catch (error) {
  console.error(describeFailure(error));
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const { out, url, since, files: withFiles } = values;
  if (out === undefined) throw new Error(`--out is missing.\n\n${USAGE}`);
  const token = readToken(process.env);
  const client = new RecorderClient(parseUrl(url ?? ""), token, (line) => console.error(line));
  // npm runs this in the project's folder, wherever it was called.
  const folder = resolve(process.env["INIT_CWD"] ?? "", out);
  const totals = await exportRecords(client, new Archive(folder), { since, withFiles });
  const { added, refreshed, skipped, files, failures } = totals;
  console.log(
    `${folder}: ${added} records added, ${refreshed} refreshed, ${skipped} were there. ${files} files added.`,
  );
  if (failures.length === 0) return;
  const lines = failures.map(({ id, message }) => `  ${id}: ${message}`).join("\n");
  throw new Error(`The export is not complete. The recorder did not give:\n${lines}`);
}

// The token that can do less comes first.
function readToken(env: NodeJS.ProcessEnv): string {
  const token = env["READ_TOKEN"] || env["ACCESS_TOKEN"];
  if (token) return token;
  throw new Error("Set READ_TOKEN, or ACCESS_TOKEN, in the environment.");
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new Error("Give the recorder's URL: --url https://…");
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && isLocal)) return url;
  throw new Error("The recorder's URL must begin with https://, or the token could be read.");
}
