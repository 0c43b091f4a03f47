// Checks the invariants of a response, whatever faults were injected.
import type { Outcome, RecorderEvent } from "../../../src/record/events.ts";
import type { FileEntry, StoredRecord } from "../../../src/record/schema.ts";
import { bodySource, isReadable, type RunState } from "../../../src/record/state.ts";
import { checkConnectionsEnd, checkRead } from "./check-connections.ts";
import { checkCosts } from "./check-costs.ts";
import { toSeconds } from "./clock.ts";
import { toOutputText } from "./openai.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulationState } from "./simulation-state.ts";
import {
  expectedCall,
  expectedVerdict,
  isEnd,
  isPlainEnd,
  verdictsWithoutEnd,
  type RunTruth,
} from "./truth.ts";

/** KV refuses an expiry less than a minute ahead, so a value can stay for that much longer. */
const KV_GRACE_SECONDS = 61;
const DAY_SECONDS = 24 * 60 * 60;
/** After a day a run is abandoned; its last observation, and what failed before it, take their time. */
const MAX_SETTLE_SECONDS = DAY_SECONDS + 2 * 60 * 60;

/** Checks each change of the Recorder's state. */
export function checkChange(
  run: SimulationState,
  before: RunState | null,
  event: RecorderEvent,
  { state }: Outcome,
): void {
  const { truth } = run;
  if (truth === null || state?.kind !== "run") return;
  if (event.type === "observed") compareObservations(run, truth, state.record);
  if (before !== null) checkNotWorse(run, before.record, state.record);
  if (!truth.shown.some(isPlainEnd) || isUnwanted(run, truth)) return;
  if (!isReadable(state)) run.fail("an end can be read at once", "it is not readable");
  checkBody(run, state);
}

function compareObservations(run: SimulationState, truth: RunTruth, record: StoredRecord): void {
  const recorded = record.observations.filter(({ channel }) => channel !== "control");
  const { shown } = truth;
  if (recorded.length > shown.length) {
    run.fail("an observation counts once", `${recorded.length} recorded of ${shown.length}`);
  }
  const differs = shown.find((one, index) => {
    const other = recorded[index];
    const same = other?.channel === one.channel && other.http_status === one.http;
    return !same || (!one.tooLarge && (other.at !== one.at || other.status !== one.status));
  });
  if (differs !== undefined) {
    run.fail("everything that was shown is recorded", `${differs.channel} at ${differs.at}`);
  }
}

function checkBody({ object, kv, clock, fail }: SimulationState, state: RunState): void {
  const { body } = state.record;
  if (body === null) return;
  const source = bodySource(state);
  const stored =
    source === "rows" ? object.storage.body : readKvBody(kv.get("record", clock.seconds, true));
  if (stored !== body.digest) fail("an end can be read at once", `the body is not in ${source}`);
}

function readKvBody(value: string | null): string | null {
  return value?.slice(value.indexOf("\n") + 1) ?? null;
}

// A file that was copied stays so. What stands for a container that could not be listed goes when it could.
function isFileKept(file: FileEntry, { files }: StoredRecord): boolean {
  if (file.id === file.container_id) return true;
  const found = files.find(({ id }) => id === file.id);
  return found !== undefined && (file.url === null || found.url === file.url);
}

function checkNotWorse(run: SimulationState, before: StoredRecord, after: StoredRecord): void {
  if (before === after || before.excluded || startsOver(before, after)) return;
  const losses = [
    isEnd(before.status) && after.status !== before.status && `status was ${before.status}`,
    before.files.some((file) => !isFileKept(file, after)) && "files were forgotten",
    before.control !== null &&
      before.control.status !== "not_run" &&
      after.control === null &&
      "the control was forgotten",
    before.webhook !== null && after.webhook === null && "the webhook was forgotten",
    isEnd(before.status) && after.verdict === "pending" && `verdict was ${before.verdict}`,
    ...before.calls.map((call, index) => describeLoss(call, after.calls[index])),
  ];
  for (const why of losses) if (why !== false) run.fail("a record never gets worse", why);
}

// A response that left no record begins again when a trigger, or a refetch by hand, comes late.
function startsOver(before: StoredRecord, after: StoredRecord): boolean {
  return before.verdict === "not_found" && after.observations.length === 0;
}

type Call = StoredRecord["calls"][number];

function describeLoss(before: Call, after: Call | undefined): string | false {
  if (after === undefined) return `${before.id} (${before.verdict}) is gone`;
  const had = before.state === "populated";
  if (had && (after.state !== "populated" || after.source !== before.source)) {
    return `${before.id} was ${before.verdict} by ${before.source}, then ${after.verdict}`;
  }
  if (before.status === "completed" && after.status !== before.status) {
    return `${before.id} was completed, then ${after.status}`;
  }
  return before.verdict === "lost" && after.verdict === "suspect" && `${before.id} was lost`;
}

/** Whether a run must leave nothing: an external one that is not to be recorded, or that was never found. */
export function isUnwanted({ scenario }: SimulationState, truth: RunTruth): boolean {
  if (truth.isKnown) return false;
  const wasSeen = truth.shown.some(({ http, status }) => http === 200 && status !== null);
  if (!wasSeen) {
    const isOff = !scenario.recordsExternal && !truth.isWanted;
    const isMissing = truth.shown.every(({ http }) => http !== 200) && isLastMissing(truth);
    return truth.beganBy === "webhook" && (isMissing || isOff);
  }
  if (truth.isWanted) return false;
  const showsOptions = scenario.ours && !scenario.hidesOptions;
  return !showsOptions && !scenario.recordsExternal;
}

function isLastMissing({ shown }: RunTruth): boolean {
  return shown.length === 0 || shown.at(-1)?.http === 404;
}

/** Checks a run when it ends because it expired, or because it leaves no record. */
export function checkRunEnd(run: SimulationState, truth: RunTruth, { record }: RunState): void {
  const { clock, kv, catalog } = run;
  if (isUnwanted(run, truth)) {
    const left = kv.keys(clock.seconds + KV_GRACE_SECONDS).join(", ");
    // The Catalog may be down until then; the row is removed later.
    const hasRow = catalog.row !== null && run.scenario.outages.catalog === null;
    const isLeft = left !== "" || (hasRow && record.settled_at !== null);
    if (isLeft) run.fail("nothing is left of what was deleted, expired or unwanted", left);
    return;
  }
  checkExpiry(run, record);
  const lasted = clock.seconds - truth.startedAt;
  if (record.settled_at === null) {
    const limit = MAX_SETTLE_SECONDS + outageSeconds(run);
    if (lasted > limit) run.fail("a run settles within a day", `it lasted ${lasted} s`);
    return;
  }
  // The last death may not have been noticed when the record expired.
  const isNoticed = truth.shown.at(-1)?.tooLarge !== true;
  if (isNoticed) compareObservations(run, truth, record);
  checkVerdicts(run, truth, record);
  checkRead(run, truth, record);
  checkCosts(run, truth);
  // In a short life KV or the Catalog may have refused until its end.
  if (lasted < DAY_SECONDS + outageSeconds(run) + 7_200) return;
  checkKv(run, record);
  checkNotified(run, truth, record);
  const { row } = catalog;
  const agrees = row?.status === record.status && row.verdict === record.verdict;
  if (!agrees) {
    run.fail("the Catalog agrees with the record", `the row says ${row?.verdict ?? "nothing"}`);
  }
}

function outageSeconds({ scenario }: SimulationState): number {
  const outages = [...Object.values(scenario.outages), scenario.revoked];
  return Math.max(0, ...outages.map((outage) => outage?.to ?? 0));
}

function checkExpiry(run: SimulationState, record: StoredRecord): void {
  const { retentionDays, retentionSeconds } = run.scenario;
  const expiresAt = toSeconds(record.expires_at);
  const lengths = [retentionSeconds, (retentionDays ?? 0) * DAY_SECONDS];
  const planned = lengths.map((length) => toSeconds(record.started_at) + length);
  const isPlanned = planned.some((moment) => Math.abs(moment - expiresAt) < 1);
  if (!isPlanned) run.fail("a record expires when it should", record.expires_at);
  const late = run.clock.seconds - expiresAt;
  if (late < 0) run.fail("a record expires when it should", `${-late} s too early`);
}

function checkVerdicts(run: SimulationState, truth: RunTruth, record: StoredRecord): void {
  const { calls } = run.scenario;
  const ended = expectedVerdict(truth, calls);
  const verdicts =
    ended === null ? verdictsWithoutEnd(truth, isGoneAtOpenAI(run.scenario)) : [ended];
  if (!verdicts.includes(record.verdict)) {
    const why = `${record.verdict}, not ${verdicts.join(" or ")}`;
    run.fail("verdicts follow from the script", why);
  }
  checkAge(run, truth, record);
  for (const [index, call] of record.calls.entries()) {
    const expected = expectedCall(truth, calls, index);
    if (call.verdict === expected.verdict && call.source === expected.source) continue;
    const why = `${call.id} is ${call.verdict} by ${call.source}, not ${expected.verdict} by ${expected.source}`;
    run.fail("verdicts follow from the script", why);
  }
}

/** The last of the attempts, which go on for 72 hours at intervals of four at most, begins after so many. */
const MIN_NOTIFY_SECONDS = 68 * 60 * 60;

// A response that was not found has no end. A receiver can refuse every attempt.
function checkNotified(
  { receiver, fail }: SimulationState,
  { deliveries }: RunTruth,
  { verdict, notification, recorded_at }: StoredRecord,
): void {
  if (receiver === null || verdict === "not_found" || deliveries > 0) return;
  const lastSeconds = toSeconds(notification?.at ?? "") - toSeconds(recorded_at ?? "");
  if (notification?.next_at === null && lastSeconds >= MIN_NOTIFY_SECONDS) return;
  fail("a run's end is notified", `it is ${verdict}`);
}

// What killed the object three times is given up at once.
function checkAge({ fail }: SimulationState, { shown }: RunTruth, record: StoredRecord): void {
  if (record.verdict !== "abandoned" || shown.some(({ tooLarge }) => tooLarge)) return;
  const age = toSeconds(shown.at(-1)?.at ?? "") - toSeconds(record.started_at);
  if (age < DAY_SECONDS) fail("verdicts follow from the script", `abandoned after ${age} s`);
}

// Every other cause of a 404 passes.
function isGoneAtOpenAI({ unknown, stream, vanishes, store, end }: Scenario): boolean {
  const isDenied = unknown || stream?.denied === true;
  return isDenied || vanishes !== null || (!store && end !== null);
}

function checkKv(run: SimulationState, record: StoredRecord): void {
  const stored = run.kv.newest("record");
  if (stored === null) return run.fail("KV has the record and its body", "KV has none");
  const body = readKvBody(stored) ?? "";
  if (body !== (record.body?.digest ?? "")) {
    run.fail("KV has the record and its body", "the body is another one");
  }
  const parsed: unknown = JSON.parse(stored.slice(0, stored.indexOf("\n")));
  if (JSON.stringify(toComparable(parsed)) !== JSON.stringify(toComparable(record))) {
    run.fail("KV has the record and its body", "the record is an older one");
  }
  for (const file of record.files) {
    if (file.url === null || run.kv.newest(`file:${file.id}`) !== null) continue;
    run.fail("outputs and files that a record has can be read", `${file.id} is not there`);
  }
  for (const call of [...record.calls, ...(record.control?.calls ?? [])]) {
    if (call.state !== "populated") continue;
    const text = toOutputText(call.id, call.request);
    const others = run.kv.newest(`outputs:${call.source}`) ?? "";
    if (body.includes(text) || others.includes(text)) continue;
    run.fail("outputs and files that a record has can be read", `of ${call.id}`);
  }
}

/** Fields whose change is worth a write. */
const COMPARED = ["status", "verdict", "calls", "body", "files", "control", "settled_at", "error"];

function toComparable(record: unknown): unknown[] {
  const entries = typeof record === "object" && record !== null ? Object.entries(record) : [];
  const values = new Map<string, unknown>(entries);
  return COMPARED.map((name) => values.get(name));
}

/** Checks what is left when nothing happens any more. */
export function checkEnd(run: SimulationState): void {
  const { object, kv, clock, catalog } = run;
  const left = kv.keys(clock.seconds + KV_GRACE_SECONDS);
  if (object.state !== null)
    run.fail("a run ends", `its object is not empty: ${object.state.kind}`);
  const isEmpty = left.length === 0 && catalog.row === null && object.storage.body === null;
  if (!isEmpty) {
    const why = `left: ${left.join(", ")}${catalog.row === null ? "" : " and a row"}`;
    run.fail("nothing is left of what was deleted, expired or unwanted", why);
  }
  checkConnectionsEnd(run, outageSeconds(run));
}
