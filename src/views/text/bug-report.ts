// A bug report in Markdown, ready for a forum: what was asked, what was observed and when. No secrets: the request was kept without them.
import { METADATA_KEY } from "../../record/schema.ts";
import type { Call, Observation, ResponseRecord } from "../../record/schema.ts";
import { toCurl } from "./curl.ts";
import { describeConnection, toHeadline } from "./held-connection.ts";
import { toExcerpt, escapeHidden } from "../components/safe-text.tsx";

const LIMITS = { request: 4_000, code: 1_500, outputs: 600, calls: 6, observations: 20 };
const API = "https://api.openai.com/v1/responses";

type Subject = Omit<ResponseRecord, "response">;

/**
 * The report.
 * @param record What was recorded.
 */
export function createBugReport(record: Subject): string {
  const { title, meaning } = toHeadline(record);
  const kind = record.held === null ? "background" : "held";
  return [
    `## Code interpreter outputs of a ${kind} response: ${record.verdict}`,
    `${title}. ${meaning}`,
    responseFacts(record),
    requestSection(record),
    "### Observations",
    observationTable(record),
    ...record.calls.slice(0, LIMITS.calls).map(callSection),
    ...(record.control?.calls ?? []).slice(0, LIMITS.calls).map(controlSection),
  ].join("\n\n");
}

function responseFacts(record: Subject): string {
  return [
    `- response: \`${record.id}\``,
    `- model: \`${record.model ?? "unknown"}\``,
    `- status: \`${record.status ?? "unknown"}\`, background: \`${record.background ?? "unknown"}\``,
    `- created: ${record.created_at ?? "unknown"}, completed: ${record.completed_at ?? "unknown"}`,
    deliveryLine(record),
  ].join("\n");
}

function deliveryLine(record: Subject): string {
  const connection = describeConnection(record);
  if (connection !== null)
    return `- connection, in the foreground: ${escapeHidden(connection.label)}`;
  const { webhook } = record;
  return `- webhook: ${webhook === null ? "none" : `${webhook.type} at ${webhook.received_at}`}`;
}

function requestSection(record: Subject): string {
  if (record.request === null) return "### Request\n\nStarted by another program.";
  const { metadata, ...parameters } = record.request;
  const own = Object.entries(metadata ?? {}).filter(([name]) => name !== METADATA_KEY);
  const body = own.length === 0 ? parameters : { ...parameters, metadata: Object.fromEntries(own) };
  const command = toCurl(API, "OPENAI_API_KEY", body);
  return `### Request\n\n${codeBlock("sh", toExcerpt(command, LIMITS.request).text)}`;
}

function observationTable(record: Subject): string {
  const head = "| at | channel | HTTP | status | outputs | request id |\n|---|---|---|---|---|---|";
  return [head, ...record.observations.slice(0, LIMITS.observations).map(observationRow)].join(
    "\n",
  );
}

function observationRow(seen: Observation): string {
  const saw = seen.calls.map((one) => `${one.id}: ${one.outputs}`).join("<br>");
  const cells = [seen.at, seen.channel, seen.http_status, seen.status, saw, seen.request_id];
  return `| ${cells.map((cell) => String(cell ?? "–").replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function callSection(one: Call, index: number): string {
  return [
    `### Call ${index + 1}: ${one.verdict ?? "not judged"}${one.source === null ? "" : `, from ${one.source}`}`,
    codeBlock("python", toExcerpt(one.code ?? "", LIMITS.code).text),
    outputsBlock(one),
  ].join("\n\n");
}

function controlSection(one: Call, index: number): string {
  return [`### Control, call ${index + 1} (background: false)`, outputsBlock(one)].join("\n\n");
}

function outputsBlock(one: Call): string {
  return codeBlock("json", toExcerpt(JSON.stringify(one.outputs, null, 2), LIMITS.outputs).text);
}

// The fence is longer than any run of backticks inside, so what was printed can't end it.
function codeBlock(language: string, text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${escapeHidden(text)}\n${fence}`;
}
