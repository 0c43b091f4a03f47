// A bug report in Markdown, ready for a forum: the request, and each observation with its time. It contains no secrets, because the record's request is stored without them.
import { METADATA_KEY } from "../../record/schema.ts";
import type { Call, Observation, ResponseRecord } from "../../record/schema.ts";
import { toCurl } from "../../../public/assets/curl.js";
import { toExcerpt } from "./printed/excerpt.ts";
import { describeConnection, toHeadline } from "./connection.ts";
import { escapeHidden } from "./printed/hidden-characters.ts";

const MAX_COMMAND_BYTES = 4_000;
const MAX_CODE_BYTES = 1_500;
const MAX_OUTPUTS_BYTES = 600;
const MAX_CALLS = 6;
const MAX_TABLE_ROWS = 20;
const CREATE_URL = "https://api.openai.com/v1/responses";

type Subject = Omit<ResponseRecord, "response">;

/** Whether there is something to report: outputs that are missing, or may be. */
export function isReportable({ verdict }: Pick<ResponseRecord, "verdict">): boolean {
  return verdict === "lost" || verdict === "suspect";
}

/** Formats a record as a bug report. */
export function createBugReport(record: Subject): string {
  const { title, meaning } = toHeadline(record);
  const kind = record.held === null ? "background" : "held";
  return [
    `## Code interpreter outputs of a ${kind} response: ${record.verdict}`,
    `${title}. ${meaning}`,
    formatResponseFields(record),
    formatRequest(record),
    "### Observations",
    formatObservationTable(record),
    ...record.calls.slice(0, MAX_CALLS).map(formatCall),
    ...(record.control?.calls ?? []).slice(0, MAX_CALLS).map(formatControlCall),
  ].join("\n\n");
}

function formatResponseFields(record: Subject): string {
  return [
    `- response: \`${record.id}\``,
    `- model: \`${record.model ?? "unknown"}\``,
    `- status: \`${record.status ?? "unknown"}\`, background: \`${record.background ?? "unknown"}\``,
    `- created: ${record.created_at ?? "unknown"}, completed: ${record.completed_at ?? "unknown"}`,
    ...formatDelivery(record),
  ].join("\n");
}

function formatDelivery(record: Subject): string[] {
  const connection = describeConnection(record);
  const label = escapeHidden(connection?.label ?? "");
  if (connection?.kind === "held") return [`- foreground connection: ${label}`];
  const { webhook } = record;
  const line = `- webhook: ${webhook === null ? "none" : `${webhook.type} at ${webhook.received_at}`}`;
  return connection === null ? [line] : [`- event stream: ${label}`, line];
}

function formatRequest(record: Subject): string {
  if (record.request === null) return "### Request\n\nStarted by another program.";
  const { metadata, ...parameters } = record.request;
  const own = Object.entries(metadata ?? {}).filter(([name]) => name !== METADATA_KEY);
  const body = own.length === 0 ? parameters : { ...parameters, metadata: Object.fromEntries(own) };
  const command = toCurl(CREATE_URL, "OPENAI_API_KEY", body);
  return `### Request\n\n${toCodeBlock("sh", toExcerpt(command, MAX_COMMAND_BYTES).text)}`;
}

function formatObservationTable(record: Subject): string {
  const head = "| at | channel | HTTP | status | outputs | request id |\n|---|---|---|---|---|---|";
  const rows = record.observations.slice(0, MAX_TABLE_ROWS).map(formatObservationRow);
  return [head, ...rows].join("\n");
}

function formatObservationRow(seen: Observation): string {
  const outputs = seen.calls.map((call) => `${call.id}: ${call.outputs}`).join("<br>");
  const cells = [seen.at, seen.channel, seen.http_status, seen.status, outputs, seen.request_id];
  return `| ${cells.map((cell) => String(cell ?? "–").replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function formatCall(call: Call, index: number): string {
  return [
    `### Call ${index + 1}: ${call.verdict ?? "no verdict"}${call.source === null ? "" : `, from ${call.source}`}`,
    toCodeBlock("python", toExcerpt(call.code ?? "", MAX_CODE_BYTES).text),
    formatOutputs(call),
  ].join("\n\n");
}

function formatControlCall(call: Call, index: number): string {
  return [`### Control, call ${index + 1} (background: false)`, formatOutputs(call)].join("\n\n");
}

function formatOutputs(call: Call): string {
  const json = JSON.stringify(call.outputs, null, 2);
  return toCodeBlock("json", toExcerpt(json, MAX_OUTPUTS_BYTES).text);
}

// The fence is longer than any run of backticks inside, so that the text can't close it.
function toCodeBlock(language: string, text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${escapeHidden(text)}\n${fence}`;
}
