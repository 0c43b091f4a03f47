// The Recorder's instances as the routes see them: start one, wake one, ask one.
import { createRecord } from "../record/reducer.ts";
import { Outcome, WAKE } from "./hands.ts";
import { foldStep, type Reading, type Woken } from "./history.ts";
import { retry, withTimeout } from "../lib/retry.ts";
import { logFailure } from "../log.ts";
import {
  RecorderParams,
  toRecorderParams,
  type StoredRecord,
  type RecorderEvent,
} from "../record/schema.ts";

/** Verdicts after which a webhook still has something to say. */
const GIVEN_UP = new Set(["abandoned", "not_found"]);

/** Milliseconds until an instance must have begun to tell its history. */
const FIRST_WORD = 5_000;
/** Milliseconds of silence after which a history that is being read counts as read to its end. */
const SILENCE = 60;

/** Milliseconds between tries to replace an instance: the local engine can fail to delete one whose predecessor was deleted just before. */
const RESTART_GAPS = [100, 300, 1_000];

/**
 * Starts a Recorder, or wakes the one that a webhook has started meanwhile.
 * @param env The Worker's environment.
 * @param start What the Recorder begins with.
 */
export async function startRecorder(env: Env, start: RecorderParams): Promise<void> {
  try {
    await env.RECORDER.create({ id: start.id, params: start });
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
    const found = await wakeRecorder(env, start.id, wakeOf(start));
    const over = found === "ended" || found === "gave up";
    if (over && start.webhook === null) await adopt(env, start);
  }
}

// The webhook's Recorder has ended: the next one takes the stored record and the trigger's options.
async function adopt(env: Env, start: RecorderParams): Promise<void> {
  await restartRecorder(env, { ...start, control: null, action: "refetch" });
}

// Another webhook, or the trigger, was faster.
function wakeOf(start: RecorderParams): RecorderEvent {
  if (start.webhook !== null) return { kind: "webhook", webhook: start.webhook };
  return { kind: "trigger", params: start };
}

/**
 * Replaces a Recorder that has ended: only one instance can have an id.
 * @param env The Worker's environment.
 * @param start What the new one begins with; its `action` says what for.
 */
export async function restartRecorder(env: Env, start: RecorderParams): Promise<void> {
  await retry(
    RESTART_GAPS,
    () => replace(env, start),
    (error) => logFailure("restart", error, { id: start.id }),
  );
}

async function replace(env: Env, start: RecorderParams): Promise<void> {
  const instance = await find(env, start.id);
  if (instance !== null) await instance.delete();
  await env.RECORDER.create({ id: start.id, params: start });
  // The local engine keeps it to itself when the new one can't begin.
  for (let tries = 0; tries < 20; tries += 1) {
    if ((await find(env, start.id)) !== null) return;
    await scheduler.wait(50);
  }
  throw new Error(`the instance ${start.id} did not begin`);
}

/**
 * Wakes a Recorder. One that has seen the end takes no notice.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param wake What happened.
 */
export async function wakeRecorder(env: Env, id: string, wake: RecorderEvent): Promise<Woken> {
  const instance = await find(env, id);
  if (instance === null) return "absent";
  // Side by side, since OpenAI waits for the answer to its webhook.
  const [sent, asked] = await Promise.allSettled([
    instance.sendEvent({ type: WAKE, payload: wake }),
    instance.status(),
  ]);
  if (asked.status === "rejected") throw asked.reason;
  if (gaveUp(asked.value)) return "gave up";
  // It needs no event, and an engine may refuse it.
  if (asked.value.status === "complete") return "ended";
  if (sent.status === "rejected") throw sent.reason;
  return "woken";
}

function gaveUp({ status, output }: InstanceStatus): boolean {
  if (status === "errored" || status === "terminated") return true;
  const outcome = status === "complete" ? Outcome.safeParse(output) : null;
  return outcome?.success === true && GIVEN_UP.has(outcome.data.verdict);
}

/**
 * What the instance knows, from its own history.
 * @param env The Worker's environment.
 * @param id The response's id.
 */
export async function askRecorder(env: Env, id: string): Promise<Reading> {
  const instance = await find(env, id);
  if (instance === null) return { state: "unknown" };
  const { known, ended } = await replay(instance);
  if (known === null) return { state: "deleted" };
  return { state: ended ? "ended" : "running", known };
}

/**
 * Waits until a Recorder has ended, or has finished a step.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @param seconds The time limit.
 * @param step The step's name, where its end is enough.
 * @returns Whether it came to that.
 */
export async function awaitRecorder(
  env: Env,
  id: string,
  seconds: number,
  step?: string,
): Promise<boolean> {
  const instance = await find(env, id);
  if (instance === null) return false;
  using subscription = await instance.subscribe({
    filter: ["step_completed", "workflow_completed", "workflow_errored", "workflow_terminated"],
  });
  // Awaited here: the subscription is disposed of when this function returns.
  return await withTimeout(reached(subscription, step), seconds * 1000, false);
}

async function reached(
  subscription: WorkflowInstanceSubscription,
  step: string | undefined,
): Promise<boolean> {
  for (;;) {
    const { done, value } = await subscription.next();
    if (done === true || value.type !== "step_completed") return true;
    if (step !== undefined && value.stepName.startsWith(step)) return true;
  }
}

/**
 * A Recorder's events: its history, then what happens.
 * @param env The Worker's environment.
 * @param id The response's id.
 * @returns Null when there is no such instance.
 */
export async function subscribe(
  env: Env,
  id: string,
): Promise<WorkflowInstanceSubscription | null> {
  const instance = await find(env, id);
  return instance === null ? null : instance.subscribe();
}

// subscribe() replays past events, then streams new ones, without a marker in between. So it is read until no event has come for a moment and the
// instance has answered another call since. A prefix of the history is a state that was true.
async function replay(
  instance: WorkflowInstance,
): Promise<{ known: StoredRecord | null; ended: boolean }> {
  using subscription = await instance.subscribe({
    filter: [
      "workflow_started",
      "step_completed",
      "workflow_completed",
      "workflow_errored",
      "workflow_terminated",
    ],
  });
  let known: StoredRecord | null = null;
  let external = true;
  for (;;) {
    const heard = { something: false };
    const next = await Promise.race([
      subscription.next(),
      silence(instance, heard, known === null ? FIRST_WORD : SILENCE),
    ]);
    heard.something = true;
    if (next === null) return { known: known ?? queued(instance.id), ended: false };
    if (next.done === true) return { known, ended: true };
    const event = next.value;
    if (event.type === "workflow_started") {
      const start = RecorderParams.parse(event.params);
      if (start.action === "delete") return { known: null, ended: false };
      external = start.policy.record_external;
      known = createRecord(start);
    }
    if (event.type === "step_completed" && known !== null) {
      known = foldStep(known, { name: event.stepName, output: event.output }, external);
    }
  }
}

// Stop polling once an event arrives; a late call could hit an instance being deleted.
async function silence(
  instance: WorkflowInstance,
  heard: { something: boolean },
  milliseconds: number,
): Promise<null> {
  await scheduler.wait(milliseconds);
  for (let asked = 0; asked < 2 && !heard.something; asked += 1) await instance.status();
  return null;
}

// An instance that waits for its turn has no history yet, so nothing but its id is known.
function queued(id: string): StoredRecord {
  const policy = { deadline_seconds: 0, delays_seconds: [], record_external: true };
  const at = new Date().toISOString();
  return createRecord(toRecorderParams({ id, at, started_by: "trigger", policy }));
}

async function find(env: Env, id: string): Promise<WorkflowInstance | null> {
  try {
    return await env.RECORDER.get(id);
  } catch (error) {
    if (String(error).includes("instance.not_found")) return null;
    throw error;
  }
}

/** Errors of the engine, and ours, when several callers replace the same instance at once. */
const REPLACED =
  /User called delete|previous reset\(\) failed|did not begin|instance\.(not_found|already_exists)/;

/**
 * Whether a call failed because the instance that it reached was just being replaced.
 * @param error What was thrown.
 */
export function isBeingReplaced(error: unknown): boolean {
  return REPLACED.test(String(error));
}

function isAlreadyThere(error: unknown): boolean {
  return String(error).includes("instance.already_exists");
}
