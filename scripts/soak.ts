// npm run soak: many responses at once through the real Worker, with faults drawn from a seed and kill -9 in between; at the end it counts what was lost.
import { parseArgs } from "node:util";
import { findFailures } from "../test/resilience/soak/assertions.ts";
import type { Evidence } from "../test/resilience/soak/evidence.ts";
import { soak } from "../test/resilience/soak/index.ts";
import { formatRunLog } from "../test/resilience/soak/run-log.ts";
import { formatTable, createTable } from "../test/resilience/soak/table.ts";
import { parseWholeNumber } from "./lib/parse-whole-number.ts";

const USAGE = `npm run soak [-- OPTIONS]

  --responses N  how many responses are planned (default: 1000)
  --seed N       draws the schedule (default: 1). The machine also affects which of them run at once
  --rate N       how many start in a second (default: 8)
  --at-once N    at most so many are under way at once (default: 80)
  --kills N      how often workerd is killed (default: once for 150 responses, at least twice)
  --tell N       print the log of response N even if nothing is wrong with it
  --help         print this text`;

/** So many logs of failed responses are printed in full. */
const MAX_PRINTED_LOGS = 3;
const RESPONSES_PER_KILL = 150;
const MIN_KILLS = 2;
/** Seconds, as in `wrangler.toml`, but shorter. */
const REFETCH_DELAYS = "1 2 4 8 16";
/** So long after the last start the soak waits for missing records. */
const RECORD_TIMEOUT_SECONDS = 240;

const { values } = parseArgs({
  options: {
    responses: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "8" },
    "at-once": { type: "string", default: "80" },
    kills: { type: "string" },
    tell: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
if (values.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  const seed = parseWholeNumber("seed", values.seed);
  const responses = parseWholeNumber("responses", values.responses);
  const rate = parseWholeNumber("rate", values.rate);
  const defaultKills = Math.max(MIN_KILLS, Math.round(responses / RESPONSES_PER_KILL));
  console.log(
    `${responses} responses, ${rate} a second, seed ${seed}. The Worker refetches after 1, 3, 7, 15 and 31 s; its webhook deadline is 5 s.`,
  );
  const startedAt = performance.now();
  const evidence = await soak({
    seed,
    responses,
    startsPerSecond: rate,
    kills: values.kills === undefined ? defaultKills : parseWholeNumber("kills", values.kills),
    maxInFlight: parseWholeNumber("at-once", values["at-once"]),
    refetchDelays: REFETCH_DELAYS,
    recordTimeoutSeconds: RECORD_TIMEOUT_SECONDS,
    onProgress: (line) => console.log(line),
  });
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(`\n${responses} responses, seed ${seed}, ${minutes} minutes\n`);
  printFindings(evidence, seed);
}

/** Prints the table, the failures, and some of the failed responses' logs; a failure sets the exit code. */
function printFindings(evidence: Evidence, seed: number): void {
  const findings = findFailures(evidence);
  console.log(formatTable(createTable(evidence, findings)));
  if (values.tell !== undefined) printLog(evidence, parseWholeNumber("tell", values.tell));
  if (findings.length === 0) return;
  process.exitCode = 1;
  for (const { failure, number, id, why } of findings)
    console.log(`\n${failure.toUpperCase()}: seed ${seed}, response ${number}, ${id}: ${why}`);
  const byId = new Map(findings.map((finding) => [finding.id, finding]));
  for (const { number } of [...byId.values()].slice(0, MAX_PRINTED_LOGS))
    printLog(evidence, number);
}

function printLog(evidence: Evidence, number: number): void {
  console.log(`\nThe log of response ${number}`);
  for (const line of formatRunLog(evidence, number)) console.log(line);
}
