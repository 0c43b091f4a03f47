// A bug report in Markdown, ready for a forum: what was asked, what was observed and when. No secrets: the request was kept without them.
import { METADATA_KEY } from "../../record/schema.ts";
import type { Call, Observation, ResponseRecord } from "../../record/schema.ts";
import { curlOf } from "./curl.ts";
import { connectionOf, headlineOf } from "../components/held-connection.tsx";
import { excerpt, visible } from "../components/safe-text.tsx";

const MOST = { request: 4_000, code: 1_500, outputs: 600, calls: 6, looks: 20 };
const API = "https://api.openai.com/v1/responses";

type Subject = Omit<ResponseRecord, "response">;

/**
 * The report.
 * @param record What was recorded.
 */
export function reportOf(record: Subject): string {
  const { title, meaning } = headlineOf(record);
  const kind = record.held === null ? "background" : "held";
  return [
    `## Code interpreter outputs of a ${kind} response: ${record.verdict}`,
    `${title}. ${meaning}`,
    facts(record),
    request(record),
    "### Observations",
    looks(record),
    ...record.calls.slice(0, MOST.calls).map(call),
    ...(record.control?.calls ?? []).slice(0, MOST.calls).map(control),
  ].join("\n\n");
}

function facts(record: Subject): string {
  return [
    `- response: \`${record.id}\``,
    `- model: \`${record.model ?? "unknown"}\``,
    `- status: \`${record.status ?? "unknown"}\`, background: \`${record.background ?? "unknown"}\``,
    `- created: ${record.created_at ?? "unknown"}, completed: ${record.completed_at ?? "unknown"}`,
    delivery(record),
  ].join("\n");
}

function delivery(record: Subject): string {
  const connection = connectionOf(record);
  if (connection !== null) return `- connection, in the foreground: ${visible(connection.words)}`;
  const { webhook } = record;
  return `- webhook: ${webhook === null ? "none" : `${webhook.type} at ${webhook.received_at}`}`;
}

function request(record: Subject): string {
  if (record.request === null) return "### Request\n\nStarted by another program.";
  const { metadata, ...parameters } = record.request;
  const own = Object.entries(metadata ?? {}).filter(([name]) => name !== METADATA_KEY);
  const body = own.length === 0 ? parameters : { ...parameters, metadata: Object.fromEntries(own) };
  const command = curlOf(API, "OPENAI_API_KEY", body);
  return `### Request\n\n${fenced("sh", excerpt(command, MOST.request).text)}`;
}

function looks(record: Subject): string {
  const head = "| at | channel | HTTP | status | outputs | request id |\n|---|---|---|---|---|---|";
  return [head, ...record.observations.slice(0, MOST.looks).map(look)].join("\n");
}

function look(seen: Observation): string {
  const saw = seen.calls.map((one) => `${one.id}: ${one.outputs}`).join("<br>");
  const cells = [seen.at, seen.channel, seen.http_status, seen.status, saw, seen.request_id];
  return `| ${cells.map((cell) => String(cell ?? "–").replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function call(one: Call, index: number): string {
  return [
    `### Call ${index + 1}: ${one.verdict ?? "not judged"}${one.source === null ? "" : `, from ${one.source}`}`,
    fenced("python", excerpt(one.code ?? "", MOST.code).text),
    outputs(one),
  ].join("\n\n");
}

function control(one: Call, index: number): string {
  return [`### Control, call ${index + 1} (background: false)`, outputs(one)].join("\n\n");
}

function outputs(one: Call): string {
  return fenced("json", excerpt(JSON.stringify(one.outputs, null, 2), MOST.outputs).text);
}

// The fence is longer than any run of backticks inside, so what was printed can't end it.
function fenced(language: string, text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${visible(text)}\n${fence}`;
}
