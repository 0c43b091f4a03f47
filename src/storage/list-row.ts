// A record's line in the list, which is the metadata of a key.
import type { Known, ResponseVerdict } from "../record/schema.ts";

/** KV's limit for a key's metadata, in bytes. */
const LARGEST_METADATA = 1024;

/** One line of the list. */
export type Row = {
  id: string;
  status: string | null;
  verdict: ResponseVerdict;
  model: string | null;
  created_at: string | null;
  completed_at: string | null;
  calls: number;
  first_line: string;
  held: boolean;
};

/**
 * A record's line in the list.
 * @param known The record.
 */
export function rowOf(known: Known): Row {
  const row: Row = {
    id: known.id,
    status: known.status,
    verdict: known.verdict,
    model: known.model?.slice(0, 64) ?? null,
    created_at: known.created_at,
    completed_at: known.completed_at,
    calls: known.calls.length,
    first_line: firstLine(known.request),
    held: known.held !== null,
  };
  while (size(row) > LARGEST_METADATA) row.first_line = row.first_line.slice(0, -10);
  return row;
}

function size(row: Row): number {
  return new TextEncoder().encode(JSON.stringify(row)).byteLength;
}

// What was asked: the first line of the input's last text.
function firstLine(request: Record<string, unknown> | null): string {
  const line = textOf(request?.["input"]).trim().split("\n", 1)[0] ?? "";
  return Array.from(line).slice(0, 120).join("");
}

function textOf(input: unknown): string {
  if (typeof input === "string") return input;
  if (Array.isArray(input)) return input.map(textOf).findLast((text) => text !== "") ?? "";
  if (typeof input !== "object" || input === null) return "";
  if ("text" in input) return textOf(input.text);
  return "content" in input ? textOf(input.content) : "";
}
