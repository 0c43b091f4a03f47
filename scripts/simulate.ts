// npm run simulate: plays many responses in virtual time, with faults drawn from a seed, and checks the invariants of each.
import { parseArgs } from "node:util";
import { simulateOne, type Totals } from "../test/resilience/simulation/index.ts";
import { INVARIANTS } from "../test/resilience/simulation/invariants.ts";
import { simulateInThreads } from "../test/resilience/simulation/threads.ts";
import { parseWholeNumber } from "./lib/parse-whole-number.ts";

const { values } = parseArgs({
  options: {
    responses: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    response: { type: "string" },
  },
});
const HARMS = ["lost", "twice", "wrong"];
const seed = parseWholeNumber("seed", values.seed);

if (values.response === undefined)
  await simulateMany(parseWholeNumber("responses", values.responses));
else printResponse(parseWholeNumber("response", values.response));

async function simulateMany(responses: number): Promise<void> {
  const startedAt = performance.now();
  const totals = await simulateInThreads(seed, responses);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${responses} responses, seed ${seed}, ${seconds.toFixed(1)} s`);
  printTotals(totals);
  for (const number of totals.failed) printResponse(number);
}

/** Simulates one response and prints its log and the invariants that it broke. */
function printResponse(number: number): void {
  const { failures, logLines } = simulateOne(seed, number);
  console.log(`\nseed ${seed}, response ${number}`);
  for (const line of logLines) console.log(line);
  for (const { invariant, why } of failures) console.log(`BROKEN: ${invariant}: ${why}`);
  if (failures.length > 0) process.exitCode = 1;
}

function printTotals({ counts, faults, verdicts, failures, harms }: Totals): void {
  printTable("simulated", counts);
  printTable("faults injected", sortByName(faults));
  printTable("verdicts", sortByName(verdicts));
  printTable(
    "responses that broke an invariant",
    new Map(Object.keys(INVARIANTS).map((name) => [name, failures.get(name) ?? 0])),
  );
  printTable("responses with harm", new Map(HARMS.map((name) => [name, harms.get(name) ?? 0])));
}

function sortByName(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].toSorted(([one], [other]) => one.localeCompare(other)));
}

function printTable(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`);
  for (const [name, count] of counts) console.log(`${String(count).padStart(10)}  ${name}`);
}
