// Plays many responses in virtual time, with every fault at seeded random, and checks what must hold for each.
import { parseArgs } from "node:util";
import { INVARIANTS } from "../test/resilience/simulation/check.ts";
import { simulateOne, type Totals } from "../test/resilience/simulation/index.ts";
import { simulateInThreads } from "../test/resilience/simulation/threads.ts";

const { values } = parseArgs({
  options: {
    responses: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    response: { type: "string" },
  },
});
const seed = wholeNumber("seed", values.seed);

if (values.response !== undefined) await tell(wholeNumber("response", values.response));
else await run(wholeNumber("responses", values.responses));

async function run(responses: number): Promise<void> {
  const began = performance.now();
  const totals = await simulateInThreads(seed, responses);
  const seconds = (performance.now() - began) / 1000;
  console.log(`${responses} responses, seed ${seed}, ${seconds.toFixed(1)} s`);
  table("played", totals.counts);
  table("faults injected", sorted(totals.faults));
  table("verdicts", sorted(totals.verdicts));
  table(
    "responses that break it",
    new Map(INVARIANTS.map((name) => [name, totals.failures.get(name) ?? 0])),
  );
  await tellFailed(totals);
}

async function tellFailed({ failed }: Totals): Promise<void> {
  for (const number of failed) await tell(number);
}

async function tell(number: number): Promise<void> {
  const { failures, logLines } = await simulateOne(seed, number);
  console.log(`\nseed ${seed}, response ${number}`);
  for (const line of logLines) console.log(line);
  for (const { invariant, why } of failures) console.log(`BROKEN: ${invariant}: ${why}`);
  if (failures.length > 0) process.exitCode = 1;
}

function sorted(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts].toSorted(([one], [other]) => one.localeCompare(other)));
}

function table(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`);
  for (const [name, count] of counts) console.log(`${String(count).padStart(10)}  ${name}`);
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} must be a whole number.`);
}
