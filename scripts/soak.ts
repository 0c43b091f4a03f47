// Many responses at once through the real Worker, with faults drawn from a seed and kill -9 in between; then it counts what was lost.
import { parseArgs } from "node:util";
import type { Evidence } from "../test/resilience/soak/evidence.ts";
import { judge } from "../test/resilience/soak/assertions.ts";
import { soak } from "../test/resilience/soak/index.ts";
import { storyOf } from "../test/resilience/soak/story.ts";
import { drawTable, tableOf } from "../test/resilience/soak/table.ts";

const USAGE = `npm run soak [-- OPTIONS]

  --responses N  how many are planned (default: 1000)
  --seed N       draws the schedule (default: 1). What really runs at once also depends on the machine
  --rate N       how many are started a second (default: 8)
  --at-once N    how many are under way at once, at the most (default: 80)
  --kills N      how often workerd is killed (default: one for 150 responses, at least 2)
  --tell N       tells the story of response N too, when nothing is wrong with it
  --help         this text`;

/** Stories that are told in full. */
const MOST_STORIES = 3;

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
  const seed = wholeNumber("seed", values.seed);
  const responses = wholeNumber("responses", values.responses);
  const rate = wholeNumber("rate", values.rate);
  const most = Math.max(2, Math.round(responses / 150));
  const kills = values.kills === undefined ? most : wholeNumber("kills", values.kills);
  console.log(
    `${responses} responses, ${rate} a second, seed ${seed}. Looks again after 1, 3, 7, 15 and 31 s, a webhook's deadline is 5 s.`,
  );
  const began = performance.now();
  const evidence = await soak({
    seed,
    responses,
    rate,
    kills,
    atOnce: wholeNumber("at-once", values["at-once"]),
    again: "1 2 4 8 16",
    patience: 150,
    say: (line) => console.log(line),
  });
  const findings = judge(evidence);
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`\n${responses} responses, seed ${seed}, ${minutes} minutes\n`);
  console.log(drawTable(tableOf(evidence, findings)));
  if (values.tell !== undefined) tell(evidence, wholeNumber("tell", values.tell));
  if (findings.length === 0) return;
  process.exitCode = 1;
  for (const { failure, number, id, why } of findings)
    console.log(`\n${failure.toUpperCase()}: seed ${seed}, response ${number}, ${id}: ${why}`);
  const told = new Map(findings.map((finding) => [finding.id, finding]));
  for (const { number } of [...told.values()].slice(0, MOST_STORIES)) tell(evidence, number);
}

function tell(evidence: Evidence, number: number): void {
  console.log(`\nThe story of response ${number}`);
  for (const line of storyOf(evidence, number)) console.log(line);
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text) || text === "0") return Number(text);
  throw new Error(`--${name} must be a whole number.`);
}
