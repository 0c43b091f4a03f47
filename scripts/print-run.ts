// What `npm start` prints: it triggers the example, prints its progress, and prints the record.
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { z } from "zod";
import { ResponseRecord, type Call } from "../src/record/schema.ts";
import type { LocalStack } from "./local-stack.ts";

type Verdict = ResponseRecord["verdict"];

const TriggerAnswer = z.object({ id: z.string(), status: z.string() });

const POLL_INTERVAL_MS = 150;
/** As wide as the longest channel. */
const LABEL_WIDTH = 12;

const VERDICT_MEANINGS: Record<Verdict, string> = {
  captured: "the first observation after the end had the outputs",
  recovered: "a later observation, or another channel, had the outputs",
  silent: "no outputs, and nothing suggests that there were any",
  suspect: "no outputs, though the code should have shown something",
  lost: "no outputs, though identical code had some in the foreground",
  unfinished: "no outputs, and by its own status the call never finished",
  pending: "not observed after its end yet",
  no_calls: "the response used no code interpreter",
  not_found: "OpenAI knows no such response",
  gone: "OpenAI had the response, and has it no more; its end was not seen",
  abandoned: "no end was seen within 24 hours",
};

/**
 * Triggers the example from the bug report with a control.
 * @returns The response's id.
 */
export async function triggerExample(stack: LocalStack): Promise<string> {
  const answer = await callWorker(stack, "/trigger", {
    method: "POST",
    body: JSON.stringify({ control: true }),
  });
  if (answer.status !== 202) throw new Error(await answer.text());
  const { id, status } = TriggerAnswer.parse(await answer.json());
  startedAt = Date.now();
  printEvent("triggered", `${id} (${stack.isLive ? "the real API" : "the emulator"})`);
  printEvent(status);
  return id;
}

/**
 * Follows a run and prints its progress, until its record is stored and its control has ended. It doesn't wait for later observations.
 * @returns The record at that time.
 */
export async function followRun(stack: LocalStack, id: string): Promise<ResponseRecord> {
  const waitSeconds = stack.isLive ? 1 : 0;
  let printed = new Set<string>();
  for (;;) {
    const status: string = await stack.fetchStatus(id);
    if (!printed.has(status) && status !== "queued") printEvent(status.replace("_", " "));
    const record = await fetchRecord(stack, `/results/${id}?wait=${waitSeconds}`);
    printed = printProgress(record, new Set([...printed, status]));
    if (record.recorded_at !== null && record.control !== null) return record;
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Prints a record's calls, its control's calls, its verdict and its page. */
export function printRecord(stack: LocalStack, record: ResponseRecord): void {
  printCalls("background", record.calls);
  if (record.control !== null) printCalls("foreground", record.control.calls);
  const verdict = styleText("bold", record.verdict);
  console.log(`\nVerdict  ${verdict}: ${VERDICT_MEANINGS[record.verdict]}`);
  if (record.error !== null) console.log(`Error    ${record.error.code}: ${record.error.message}`);
  console.log(`Page     ${stack.url}/results/${record.id}`);
}

/** Prints the events that are not in `printed` yet; gives all that are printed by then. */
function printProgress(record: ResponseRecord, printed: Set<string>): Set<string> {
  const keys = new Set(printed);
  for (const { key, label, detail } of toEvents(record)) {
    if (!keys.has(key)) printEvent(label, detail);
    keys.add(key);
  }
  return keys;
}

/** An event of a run. The key tells it from other events with the same label. */
type RunEvent = { key: string; label: string; detail: string };

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

function printCalls(title: string, calls: Call[]): void {
  console.log(`\n${styleText("bold", title)}`);
  if (calls.length === 0) console.log("  no calls");
  for (const call of calls) {
    console.log(`  code     ${indent(call.code ?? "(none)")}`);
    console.log(`  outputs  ${indent(JSON.stringify(call.outputs))}`);
  }
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n           ");
}

async function fetchRecord(stack: LocalStack, path: string): Promise<ResponseRecord> {
  const answer = await callWorker(stack, path);
  if (!answer.ok) throw new Error(await answer.text());
  return ResponseRecord.parse(await answer.json());
}

function callWorker(stack: LocalStack, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${stack.token}`, "content-type": "application/json" };
  return fetch(`${stack.url}${path}`, { ...init, headers });
}

let startedAt = Date.now();

function printEvent(label: string, detail = ""): void {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1).padStart(5);
  console.log(`${styleText("dim", `${seconds} s`)}  ${label.padEnd(LABEL_WIDTH)} ${detail}`);
}
