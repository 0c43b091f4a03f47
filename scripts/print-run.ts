// Triggers, follows, and prints: what `npm start` shows in the terminal.
import { styleText } from "node:util";
import { z } from "zod";
import { ResponseRecord, type Call } from "../src/record/schema.ts";
import type { Here } from "./local-stack.ts";

const Started = z.object({ id: z.string(), status: z.string() });
const Listed = z.object({
  results: z.array(z.object({ id: z.string(), verdict: z.string() })),
  cursor: z.string().nullable(),
});

/** Verdicts of records that may not be settled. */
const UNSETTLED = new Set(["pending", "suspect", "lost"]);

/** What a verdict means, in a line. */
const MEANING: Record<ResponseRecord["verdict"], string> = {
  captured: "the first look after the end had the outputs",
  recovered: "a later look, or another channel, had the outputs",
  silent: "no outputs, and nothing suggests that there were any",
  suspect: "no outputs, though the code should have shown something",
  lost: "no outputs, though identical code had some in the foreground",
  pending: "not looked at after its end yet",
  no_calls: "the response used no code interpreter",
  not_found: "OpenAI knows no such response",
  abandoned: "no end was seen within 24 hours",
};

/**
 * Triggers the report's request, and wakes what an earlier run left waiting.
 * @param here Where the Worker is.
 * @returns The response's id.
 */
export async function trigger(here: Here): Promise<string> {
  await wakePending(here);
  // The report's comparison: its own request in background mode, and once more in the foreground.
  const answer = await ask(here, "/trigger", {
    method: "POST",
    body: JSON.stringify({ control: true }),
  });
  if (answer.status !== 202) throw new Error(await answer.text());
  const { id, status } = Started.parse(await answer.json());
  say("triggered", `${id} (${here.live ? "the real API" : "the emulator"})`);
  say(status, "");
  return id;
}

/**
 * Follows a response until it is stored and its control has ended, and says what happens. Looks that may come later are not waited for.
 * @param here Where the Worker is.
 * @param id The response's id.
 */
export async function settle(here: Here, id: string): Promise<ResponseRecord> {
  let shown = new Set<string>();
  for (;;) {
    const status: string = await here.status(id);
    if (!shown.has(status) && status !== "queued") say(status.replace("_", " "), "");
    const record = await read(here, `/results/${id}?wait=${here.live ? 1 : 0}`);
    shown = announce(record, new Set([...shown, status]));
    if (record.recorded_at !== null && record.control !== null) return record;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/**
 * Prints a record.
 * @param here Where the Worker is.
 * @param record The record.
 */
export function showEvidence(here: Here, record: ResponseRecord): void {
  showCalls("background", record.calls);
  if (record.control !== null) showCalls("foreground", record.control.calls);
  const verdict = styleText("bold", record.verdict);
  console.log(`\nVerdict  ${verdict}: ${MEANING[record.verdict]}`);
  if (record.error !== null) console.log(`Error    ${record.error.code}: ${record.error.message}`);
  console.log(`Page     ${here.url}/results/${record.id}`);
}

// After the local runtime has been restarted no waiting instance wakes by itself; in production they have alarms.
async function wakePending(here: Here): Promise<void> {
  let woken = 0;
  for (let cursor = ""; ;) {
    const answer = await ask(here, `/results?limit=100${cursor}`);
    const page = Listed.parse(await answer.json());
    for (const { id } of page.results.filter((row) => UNSETTLED.has(row.verdict))) {
      woken += await wakeOne(here, id);
    }
    if (page.cursor === null) break;
    cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
  }
  if (woken > 0) say("woken", `${woken} runs that were still waiting`);
}

async function wakeOne(here: Here, id: string): Promise<number> {
  const record = await read(here, `/results/${id}`);
  if (record.settled_at !== null) return 0;
  await ask(here, `/results/${id}/refetch`, { method: "POST" });
  return 1;
}

function announce(record: ResponseRecord, shown: Set<string>): Set<string> {
  const lines = new Map<string, string>();
  if (record.webhook !== null) lines.set("webhook", record.webhook.type);
  let looks = 0;
  for (const seen of record.observations) {
    const name = seen.channel === "control" ? "control" : `look ${(looks += 1)}`;
    const calls = seen.calls.map((call) => call.outputs).join(", ");
    const what = seen.status ?? `HTTP ${seen.http_status ?? "none"}`;
    lines.set(name, `${seen.channel}: ${what}${calls === "" ? "" : `, outputs ${calls}`}`);
  }
  if (record.recorded_at !== null) lines.set(`stored`, record.verdict);
  for (const [what, detail] of lines) if (!shown.has(what)) say(what, detail);
  return new Set([...shown, ...lines.keys()]);
}

function showCalls(title: string, calls: Call[]): void {
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

async function read(here: Here, path: string): Promise<ResponseRecord> {
  const answer = await ask(here, path);
  if (!answer.ok) throw new Error(await answer.text());
  return ResponseRecord.parse(await answer.json());
}

function ask(here: Here, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${here.token}`, "content-type": "application/json" };
  return fetch(`${here.url}${path}`, { ...init, headers });
}

let started = Date.now();

function say(what: string, detail: string): void {
  if (what === "triggered") started = Date.now();
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(5);
  console.log(`${styleText("dim", `${seconds} s`)}  ${what.padEnd(11)} ${detail}`);
}
