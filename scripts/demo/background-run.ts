// The report's request in background mode, with a control: the same request in the foreground, for comparison.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ResponseRecord } from "../../src/record/schema.ts";
import type { LocalStack } from "../local-stack.ts";
import { createEventPrinter, printCalls, printVerdict, type EventPrinter } from "./print.ts";
import { callWorker, fetchRecord } from "./worker-client.ts";

const TriggerAnswer = z.object({ id: z.string(), status: z.string() });

const POLL_INTERVAL_MS = 150;

/**
 * Triggers the run and prints its progress, until its record is stored and its control has ended. It doesn't wait for later observations.
 * @returns The record at that time.
 */
export async function runInBackground(stack: LocalStack): Promise<ResponseRecord> {
  const { id, status } = TriggerAnswer.parse(
    await callWorker(stack, "/trigger", { control: true }),
  );
  const printEvent = createEventPrinter();
  printEvent(
    "triggered",
    `${id} (${stack.emulatorUrl === null ? "the real API" : "the emulator"})`,
  );
  printEvent(status);
  const record = await followRun(stack, id, printEvent);
  printCalls("in the background", record.calls);
  if (record.control !== null) printCalls("in the foreground", record.control.calls);
  printVerdict(record);
  return record;
}

async function followRun(
  stack: LocalStack,
  id: string,
  printEvent: EventPrinter,
): Promise<ResponseRecord> {
  const waitSeconds = stack.emulatorUrl === null ? 1 : 0;
  const printed = new Set(["queued"]);
  for (;;) {
    const status = await stack.fetchStatus(id);
    const record = await fetchRecord(stack, id, waitSeconds);
    for (const { key, label, detail } of [toStatusEvent(status), ...toEvents(record)]) {
      if (!printed.has(key)) printEvent(label, detail);
      printed.add(key);
    }
    if (record.recorded_at !== null && record.control !== null) return record;
    await sleep(POLL_INTERVAL_MS);
  }
}

/** An event of a run. The key tells it from other events with the same label. */
type RunEvent = { key: string; label: string; detail: string };

function toStatusEvent(status: string): RunEvent {
  return { key: status, label: status.replace("_", " "), detail: "" };
}

function toEvents({ webhook, observations, recorded_at, verdict }: ResponseRecord): RunEvent[] {
  let count = 0;
  const observed = observations.map((observation) => {
    // The control's observations share one key, so that only the first of them is printed.
    const isControl = observation.channel === "control";
    return toEvent(isControl ? "control" : `observation ${(count += 1)}`, observation);
  });
  return [
    ...(webhook === null ? [] : [{ key: "webhook", label: "webhook", detail: webhook.type }]),
    ...observed,
    ...(recorded_at === null ? [] : [{ key: "stored", label: "stored", detail: verdict }]),
  ];
}

function toEvent(key: string, observation: ResponseRecord["observations"][number]): RunEvent {
  const { channel, status, http_status } = observation;
  const outputs = observation.calls.map((call) => call.outputs).join(", ");
  const what = status ?? `HTTP ${http_status ?? "none"}`;
  const detail = outputs === "" ? what : `${what}, outputs ${outputs}`;
  return { key, label: channel, detail };
}
