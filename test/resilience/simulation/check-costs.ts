// Invariants of what a run costs: requests to OpenAI, rows, and writes to KV.
import { toSeconds } from "./clock.ts";
import { isFaultless } from "./scenario.ts";
import type { SimulationState } from "./simulation-state.ts";
import { expectedVerdict, isLacking, isPlainEnd, type RunTruth } from "./truth.ts";

const MAX_POLL_SECONDS = 300;
/** The last observation of a response that OpenAI keeps for ten minutes, counted from its end. */
const MAX_UNSTORED_SECONDS = 570;
/** How long an observation takes, when nothing fails. */
const MAX_OBSERVATION_SECONDS = 2;
/** The sum of the delays. */
const LAST_DELAY_SECONDS = 565;
/** A webhook that comes before the deadline. */
const MAX_WEBHOOK_SECONDS = 110;
/** Rows of a run that settles at its first observation, and those of its notification. */
const MAX_ROWS = 11;
const NOTIFICATION_ROWS = 2;
/** What a status check writes. */
const CHECK_ROWS = 2;

/** Checks what a run has cost when it expires. */
export function checkCosts(run: SimulationState, truth: RunTruth): void {
  checkDeaths(run, truth);
  checkPolls(run, truth);
  checkUnstored(run, truth);
  checkRepeats(run, truth);
  checkLacking(run, truth);
  if (isHappyPath(run)) checkHappyPath(run);
}

// Nothing delays the observations of such a run.
function isPunctual({ scenario, counts }: SimulationState): boolean {
  const { rates, outages } = scenario;
  const isCalm =
    rates.eviction + rates.result + rates.alarm + rates.calls === 0 && outages.storage === null;
  return isCalm && scenario.deadly === 0 && counts.evictions === 0;
}

// A response that the object does not survive is asked for again by events only, and once more by its Connection.
function checkDeaths(run: SimulationState, { shown, refetches, webhooks }: RunTruth): void {
  const tries = shown.filter(({ tooLarge }) => tooLarge).length;
  if (tries <= 2 + refetches + webhooks) return;
  run.fail("OpenAI is not asked again for what was seen", `${tries} times too large`);
}

// A run in flight is observed at least every five minutes; while its connection is held, no more often.
function checkPolls(run: SimulationState, { shown, startedAt, ...calls }: RunTruth): void {
  if (calls.refetches > 0 || calls.webhooks > 1) return;
  if (!isPunctual(run) || run.scenario.rates.file > 0 || run.scenario.outages.kv !== null) return;
  const end = shown.findIndex(isPlainEnd);
  const polls = shown.slice(0, end === -1 ? undefined : end + 1);
  const refetches = polls.filter(({ fromConnection }) => !fromConnection);
  for (const [index, { at }] of refetches.entries()) {
    const before = refetches[index - 1];
    const gap = toSeconds(at) - (before === undefined ? startedAt : toSeconds(before.at));
    // With a 404 the run may have been given up, until its webhook came.
    const isGivenUp = before?.http === 404;
    if (isGivenUp || gap <= MAX_POLL_SECONDS + MAX_OBSERVATION_SECONDS) continue;
    run.fail("rows, writes and calls stay within their limits", `${gap} s without a poll`);
  }
}

function checkUnstored(run: SimulationState, { shown, refetches, starts }: RunTruth): void {
  const { store, end, status } = run.scenario;
  if (store || end === null || refetches > 0 || starts > 1 || !isPunctual(run)) return;
  const first = shown.find(isPlainEnd);
  if (first === undefined) return;
  const since = status === "failed" ? toSeconds(first.at) : Math.min(end, toSeconds(first.at));
  const latest = since + MAX_UNSTORED_SECONDS + MAX_OBSERVATION_SECONDS + 120;
  const late = shown.find(
    (one) => one.channel === "refetch" && one !== first && toSeconds(one.at) > latest,
  );
  if (late === undefined) return;
  run.fail("rows, writes and calls stay within their limits", `an observation at ${late.at}`);
}

// After the end was seen with all that the code should have shown, only a refetch by hand asks again.
function checkRepeats(run: SimulationState, truth: RunTruth): void {
  const { scenario } = run;
  const { shown, refetches, starts, isKnown } = truth;
  if (!isPunctual(run) || scenario.stream !== null || (scenario.ours && !isKnown)) return;
  const first = shown.findIndex(isPlainEnd);
  const seen = { ...truth, shown: shown.slice(0, first + 1) };
  const verdict = expectedVerdict(seen, scenario.calls);
  if (first === -1 || isLacking(truth, first) || verdict === "suspect" || verdict === "lost")
    return;
  const repeats = shown.length - first - 1;
  // A start that comes after the webhook has a grace of its own.
  if (repeats <= refetches + (starts > 0 && scenario.arrivals[0]?.at !== 0 ? 1 : 0)) return;
  run.fail("OpenAI is not asked again for what was seen", `${repeats} times`);
}

// While a completed response lacks something, it is asked for until the last delay.
function checkLacking(run: SimulationState, truth: RunTruth): void {
  const { store, goneAfterSeen, vanishes, stream } = run.scenario;
  const { shown } = truth;
  const first = shown.findIndex(isPlainEnd);
  if (!isPunctual(run) || !store || goneAfterSeen || vanishes !== null || stream !== null) return;
  const ends = shown.flatMap((one, index) => (isPlainEnd(one) ? [index] : []));
  if (first === -1 || ends.some((index) => !isLacking(truth, index))) return;
  const last = toSeconds(shown.at(-1)?.at ?? "") - toSeconds(shown[first]?.at ?? "");
  if (last >= LAST_DELAY_SECONDS) return;
  run.fail("an end that lacks something is asked for again", `for ${last} s`);
}

function isHappyPath({ scenario }: SimulationState): boolean {
  const { ours, end, stream, outputsAfter, arrivals, containers, control, calls } = scenario;
  const [first, second] = arrivals;
  const isPlain = ours && stream === null && control === null && containers === 0;
  const isDelivered =
    arrivals.length === 2 && first?.at === 0 && second?.what === "webhook" && end !== null;
  const at = second?.at ?? 0;
  const inTime = end !== null && at >= end && at < MAX_WEBHOOK_SECONDS;
  const hasOutputs =
    outputsAfter === 0 && calls.every((call) => call.finishes && (call.printed || !call.shows));
  return isFaultless(scenario) && isPlain && isDelivered && inTime && hasOutputs;
}

function checkHappyPath(run: SimulationState): void {
  const { object, kv, catalog, counts, receiver } = run;
  const maxRows =
    MAX_ROWS + (receiver === null ? 0 : NOTIFICATION_ROWS) + counts.statusChecks * CHECK_ROWS;
  const writes = kv.writes.get("record") ?? 0;
  const excess = [
    counts.observations !== 1 && `${counts.observations} observations`,
    (writes !== 1 || kv.writes.size !== 1) && `${writes} writes to KV`,
    object.costs.rows > maxRows && `${object.costs.rows} rows`,
    object.costs.alarms > 2 && `${object.costs.alarms} alarms`,
    catalog.upserts > (run.reader === null ? 2 : 4) && `${catalog.upserts} upserts`,
  ];
  for (const why of excess) {
    if (why !== false) run.fail("rows, writes and calls stay within their limits", why);
  }
}
