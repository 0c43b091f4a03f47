// A record's row in the list. It is the metadata of a key, so a page of the list reads no records.
import type { RunVerdict, StoredRecord } from "../record/schema.ts";

/** KV's limit for the metadata of a key. */
const MAX_METADATA_BYTES = 1024;
const MAX_MODEL_LENGTH = 64;
const MAX_FIRST_LINE_LENGTH = 120;

export type ListRow = {
  id: string;
  status: string | null;
  verdict: RunVerdict;
  model: string | null;
  created_at: string | null;
  completed_at: string | null;
  calls: number;
  /** The first line of what was asked. */
  first_line: string;
  held: boolean;
};

/** A record's row, short enough for KV. */
export function toListRow(record: StoredRecord): ListRow {
  const row: ListRow = {
    id: record.id,
    status: record.status,
    verdict: record.verdict,
    model: record.model?.slice(0, MAX_MODEL_LENGTH) ?? null,
    created_at: record.created_at,
    completed_at: record.completed_at,
    calls: record.calls.length,
    first_line: firstLine(record.request),
    held: record.held !== null,
  };
  while (jsonBytes(row) > MAX_METADATA_BYTES) row.first_line = row.first_line.slice(0, -10);
  return row;
}

function jsonBytes(row: ListRow): number {
  return new TextEncoder().encode(JSON.stringify(row)).byteLength;
}

function firstLine(request: Record<string, unknown> | null): string {
  const line = lastText(request?.["input"]).trim().split("\n", 1)[0] ?? "";
  return Array.from(line).slice(0, MAX_FIRST_LINE_LENGTH).join("");
}

// The input's last text is what was asked; the texts before it are the conversation.
function lastText(input: unknown): string {
  if (typeof input === "string") return input;
  if (Array.isArray(input)) return input.map(lastText).findLast((text) => text !== "") ?? "";
  if (typeof input !== "object" || input === null) return "";
  if ("text" in input) return lastText(input.text);
  return "content" in input ? lastText(input.content) : "";
}
