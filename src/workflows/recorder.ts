// Main loop of the recorder workflow. Decisions are pure (schedule, reducer, verdict); side effects are injected.
import {
  applyAndSettle,
  applyControlAndSettle,
  triggersObservation,
  isListed,
  hasChanged,
  nextAction,
  markSettled,
  needsFileCopy,
  type Action,
} from "../record/schedule.ts";
import { createRecord, applyEvent, isTerminal } from "../record/reducer.ts";
import {
  CONTROL,
  LOOK,
  WAKE,
  type Hands,
  type LookStep,
  type Outcome,
  type Step,
} from "./hands.ts";
import type { Observed } from "../openai/observed.ts";
import {
  BREAK_UNKNOWN,
  type ControlResult,
  type Channel,
  type FileEntry,
  type StoredRecord,
  type RecordKey,
  type Policy,
  type RecorderParams,
  type RecorderEvent,
} from "../record/schema.ts";
import { rescue, wakeSelf } from "./rescue.ts";

/** The step after which a deleted record is gone. */
export const FORGET = "forget";

/** Seconds after which a look or a file's copy has ended, and a control. */
const LONGEST_STEP = 330;
const LONGEST_CONTROL = 24 * 60 * 60;
/** Seconds to wait for what has been said already. */
const ANY_WORD = 1;

/**
 * Follows one response to its end.
 * @param start What the instance was created with.
 * @param step The Workflow's step, or a stand-in for it.
 * @param hands What looks, stores and lists.
 * @param rules The settings that planning needs.
 */
export async function follow(
  start: RecorderParams,
  step: Step,
  hands: Hands,
  rules: Policy,
): Promise<Outcome> {
  if (start.action === "delete") return forget(start, step, hands);
  const means: Means = { step, hands, rules };
  const control = beginControl(start, step, hands);
  let record = await open(start, step, hands);
  let rescued = record.settled_at !== null && isTerminal(record.status);
  let files: Promise<FileEntry[]> | null = null;
  for (let turn = 1; ; turn += 1) {
    const next = nextAction(record, rules);
    if (next.type === "end") {
      record = await keepFiles(await close(record, means), files, means);
      files = null;
    }
    const wake = await awaken(turn, next, record, step);
    if (next.type === "end" && wake === null) break;
    if (wake !== null) record = applyEvent(record, wake);
    if (wake?.kind === "files") {
      record = await keepFiles(record, files, means);
      files = null;
    }
    if (!triggersObservation(record, wake)) continue;
    record =
      wake?.kind === "control" || next.type === "await_control"
        ? await compare(turn, control, record, means)
        : await look(turn, channelOf(next, wake), record, means);
    if (rescued || !needsFileCopy(record)) continue;
    files = rescue(record, step, hands);
    rescued = true;
  }
  return { id: record.id, verdict: record.verdict, recorded: !record.excluded };
}

async function awaken(
  turn: number,
  next: Action,
  record: StoredRecord,
  step: Step,
): Promise<RecorderEvent | null> {
  if (next.type === "await_control") return CONTROL_ENDED;
  if (next.type === "observe") return pause(step, turn, next.afterSeconds);
  // Drain a pending Holder event once before completing: a completed instance drops events.
  const unheard = record.excluded || record.held?.broke_at === BREAK_UNKNOWN;
  return unheard ? pause(step, turn, ANY_WORD) : null;
}

function channelOf(next: Action, wake: RecorderEvent | null): Channel {
  if (wake?.kind === "held") return "held";
  return next.type === "observe" ? next.channel : "refetch";
}

type Means = { step: Step; hands: Hands; rules: Policy };

const CONTROL_ENDED: RecorderEvent = { kind: "control", at: null };

async function open(start: RecorderParams, step: Step, hands: Hands): Promise<StoredRecord> {
  const record = createRecord(start);
  if (!isFresh(start)) {
    const stored = await step.do("recall", LOOK, () => hands.recall(start.id));
    return stored === null ? record : reopen(stored, start);
  }
  await list(step, "list as in flight", record, hands);
  return record;
}

// A response that was created just now can't have been recorded before.
function isFresh({ started_by, action }: RecorderParams): boolean {
  return action === null && (started_by === "trigger" || started_by === "v1");
}

// What an earlier instance left behind: its control, if it had not ended, ended with it.
function reopen(stored: StoredRecord, start: RecorderParams): StoredRecord {
  const unfinished = !isTerminal(stored.status);
  // Its Holder had been given up and has come back, or is heard of for the first time.
  const lost = stored.held === null || stored.held.broke_at === BREAK_UNKNOWN;
  const returned = start.holder !== null && lost;
  const held_due = stored.held_due || returned;
  const ours = start.started_by === "trigger" || start.started_by === "v1";
  return {
    ...(ours ? applyEvent(stored, { kind: "trigger", params: start }) : stored),
    webhook: stored.webhook ?? start.webhook,
    control: stored.control_due ? INTERRUPTED.control : stored.control,
    control_due: false,
    holder: stored.holder ?? start.holder,
    held_due,
    settled_at: unfinished || held_due ? null : stored.settled_at,
    refetch_requested: start.action === "refetch" || unfinished,
  };
}

// What was under way when its instance was deleted may store once more, so everything is removed again when it must have ended.
async function forget(start: RecorderParams, step: Step, hands: Hands): Promise<Outcome> {
  for (const [round, seconds] of [0, LONGEST_STEP, LONGEST_CONTROL].entries()) {
    if (seconds > 0) await sleep(step, `let it end ${round}`, seconds);
    await step.do(round === 0 ? FORGET : `${FORGET} again ${round}`, LOOK, async () => {
      const stored = await hands.recall(start.id);
      await hands.forget(start.id, stored?.started_at ?? start.at);
      return null;
    });
  }
  return { id: start.id, verdict: "pending", recorded: false };
}

async function list(step: Step, name: string, record: StoredRecord, hands: Hands): Promise<void> {
  await step.do(name, LOOK, async () => {
    await hands.list(record);
    return null;
  });
}

async function pause(step: Step, turn: number, seconds: number): Promise<RecorderEvent | null> {
  if (seconds <= 0) return null;
  try {
    const timeout = Math.ceil(seconds * 1000);
    return (await step.waitForEvent(`wait ${turn}`, { type: WAKE, timeout })).payload;
  } catch (error) {
    if (isTimeout(error)) return null;
    throw error;
  }
}

// A wait for what never comes: nothing may cut it short.
async function sleep(step: Step, name: string, seconds: number): Promise<void> {
  try {
    await step.waitForEvent(name, { type: "never", timeout: seconds * 1000 });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
}

// Its name is "Error", and what stands before these words differs between the first run and a replay.
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes("timed out");
}

/** One look. The record is stored in the same step, with its body: a body of megabytes must not travel through the engine. */
async function look(
  turn: number,
  channel: Channel,
  before: StoredRecord,
  means: Means,
): Promise<StoredRecord> {
  const { step, hands, rules } = means;
  // What was seen outlives a refused write: by the next attempt OpenAI may have deleted the response.
  let seen: Observed | null = null;
  const result = await step.do(`look ${turn}`, LOOK, async ({ attempt }): Promise<LookStep> => {
    const stored = attempt > 1 && seen === null ? await storedBefore(before, hands) : null;
    if (stored !== null) return { kind: "stored", record: stored };
    seen ??= await hands.look(before, channel);
    const after = applyAndSettle(before, seen.result, rules);
    const news = hasChanged(before, after);
    if (news || channel === "held") await keep(after, seen, hands);
    if (news) await hands.store(after, isTaken(after, seen) ? seen.chunks : null);
    return { kind: "look", look: seen.result, webhook: before.webhook };
  });
  const after =
    result.kind === "stored" ? result.record : applyAndSettle(before, result.look, rules);
  if (hasChanged(before, after) && isListed(after)) await list(step, `list ${turn}`, after, hands);
  return after;
}

// A crash can come after the record was stored and before the step's result was kept: what that look saw counts.
async function storedBefore(before: StoredRecord, hands: Hands): Promise<StoredRecord | null> {
  const stored = await hands.recall(before.id);
  if (stored === null || stored.observations.length <= before.observations.length) return null;
  return { ...stored, control_due: before.control_due };
}

// What a channel had beside the response's own body, as soon as a call has it from there: a held connection may break before the end.
async function keep(after: StoredRecord, seen: Observed, hands: Hands): Promise<void> {
  if (seen.outputs === null || after.excluded) return;
  const { channel } = seen.result.observation;
  const useful = after.calls.some((call) => call.source === channel);
  const replaced = channel === "refetch" && isTaken(after, seen);
  if (useful && !replaced) await hands.keep(after, channel, seen.outputs());
}

function isTaken(record: StoredRecord, seen: Observed): boolean {
  const { body } = seen.result;
  return body !== null && record.body?.digest === body.digest;
}

async function beginControl(
  start: RecorderParams,
  step: Step,
  hands: Hands,
): Promise<ControlResult | null> {
  const request = start.control;
  if (request === null) return null;
  const ran = await step
    .do("control", CONTROL, ({ attempt }) =>
      attempt > 1 ? Promise.resolve(INTERRUPTED) : controlOnce(request, createRecord(start), hands),
    )
    .catch(() => INTERRUPTED);
  await wakeSelf("tell of the control", "control", start.id, step, hands);
  return ran;
}

async function controlOnce(
  request: Record<string, unknown>,
  owner: RecordKey,
  hands: Hands,
): Promise<ControlResult> {
  const { outputs, ...ran } = await hands.control(request, owner.id);
  // What it observed counts, also where what it printed can't be kept.
  if (outputs.length > 0) await hands.keep(owner, "control", outputs).catch(() => undefined);
  return ran;
}

const INTERRUPTED: ControlResult = {
  observation: null,
  control: { id: null, status: "interrupted", calls: [] },
};

async function compare(
  turn: number,
  control: Promise<ControlResult | null>,
  before: StoredRecord,
  means: Means,
): Promise<StoredRecord> {
  const ran = before.control_due ? await control : null;
  if (ran === null) return before;
  const after = applyControlAndSettle(before, ran, means.rules);
  if (hasChanged(before, after)) await keepAsIs(`control ${turn}`, after, means);
  return after;
}

// Too many events can settle a run without another observation.
async function close(before: StoredRecord, means: Means): Promise<StoredRecord> {
  const after = markSettled(before, means.rules);
  if (after !== before && hasChanged(before, after)) await keepAsIs("at last", after, means);
  return after;
}

async function keepAsIs(what: string, record: StoredRecord, { step, hands }: Means): Promise<void> {
  await step.do(`store ${what}`, LOOK, async () => {
    await hands.store(record, null);
    return null;
  });
  if (isListed(record)) await list(step, `list ${what}`, record, hands);
}

async function keepFiles(
  record: StoredRecord,
  rescued: Promise<FileEntry[]> | null,
  { step, hands }: Means,
): Promise<StoredRecord> {
  const files = (await rescued) ?? [];
  if (files.length === 0) return record;
  const after = { ...record, files };
  await step.do("store files", LOOK, async () => {
    await hands.store(after, null);
    return null;
  });
  return after;
}
