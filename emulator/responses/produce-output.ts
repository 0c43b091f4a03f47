import { sleepSeconds } from "../lib/sleep.ts";
import type { EndStep, Step } from "../scripts/schema.ts";
import type { State } from "../state.ts";
import { executeCall } from "./code-interpreter.ts";
import { emitItem } from "./emit-item.ts";
import { createMessage } from "./message.ts";
import type { Run, RunEnd } from "./run.ts";
import { emitShellCall } from "./shell.ts";
import { toItem, toMoreEvents } from "./step-items.ts";

interface Progress {
  /** Seconds before each delta. */
  pace: number;
  /** The paths of the files that the run has written. */
  writtenPaths: Set<string>;
}

/** Carries out the steps of a run's answer; returns how it ends. Rejects when the run is aborted. */
export async function produceOutput(state: State, run: Run): Promise<RunEnd> {
  const pace = run.script?.pace ?? state.settings.deltaSeconds;
  const progress: Progress = { pace, writtenPaths: new Set() };
  for (const step of run.steps) {
    if (isEnd(step)) return toEnd(step);
    await executeStep(state, run, step, progress);
  }
  return { status: "completed" };
}

async function executeStep(
  state: State,
  run: Run,
  step: Exclude<Step, EndStep>,
  progress: Progress,
): Promise<void> {
  if ("wait" in step) return sleepSeconds(step.wait, run.abortController.signal);
  if ("cut" in step) return run.cutConnection();
  if (isPaceOnly(step)) {
    progress.pace = step.pace;
    return;
  }
  const emission = { pace: step.pace ?? progress.pace, takes: step.takes };
  if ("code" in step) {
    addAll(progress.writtenPaths, await executeCall(state, run, step, emission));
  } else if ("shell" in step) {
    addAll(progress.writtenPaths, await emitShellCall(state, run, step, emission));
  } else if ("text" in step) {
    await emitItem(run, createMessage(state, run, step, progress.writtenPaths), emission);
  } else {
    await emitItem(run, toItem(step, run), { ...emission, moreEvents: toMoreEvents(step) });
  }
}

function isEnd(step: Step): step is EndStep {
  return "incomplete" in step || "failed" in step || "error" in step;
}

function isPaceOnly(step: object): step is { pace: number } {
  return "pace" in step && Object.keys(step).length === 1;
}

function addAll(set: Set<string>, values: string[]): void {
  for (const value of values) set.add(value);
}

function toEnd(step: EndStep): RunEnd {
  if ("incomplete" in step) {
    return { status: "incomplete", incomplete: { reason: step.incomplete } };
  }
  if ("failed" in step) return { status: "failed", error: toFailure(step.failed) };
  const { error, is_flat, failed_follows } = step;
  const { code, message } = error;
  return {
    status: "failed",
    error: { code: String(code ?? "server_error"), message },
    hasFinalEvent: failed_follows,
    errorEvent: is_flat ? withoutType(error) : { error },
  };
}

function toFailure(failed: string | { code: string; message: string }) {
  if (typeof failed !== "string") return failed;
  return { code: failed, message: "The emulator's scripted model was instructed to fail." };
}

/** A flat error event has the event's type in place of the error's. */
function withoutType({ code, message, param }: Record<"code" | "message" | "param", unknown>) {
  return { code, message, param };
}
