// A run's row in the list, and what a page says of all rows.
import * as z from "zod";
import { isDelivered } from "../../record/notification.ts";
import { ResponseRecord, type StoredRecord, type TokenUsage } from "../../record/schema.ts";
import { askedTexts, truncateCodePoints } from "./texts.ts";

const MAX_STATUS_LENGTH = 64;
const MAX_MODEL_LENGTH = 128;
const MAX_FIRST_LINE_LENGTH = 120;
/** OpenAI's limits. https://platform.openai.com/docs/api-reference/responses/create */
const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_LENGTH = 64;
const MAX_METADATA_VALUE_LENGTH = 512;

export const CatalogRow = ResponseRecord.pick({
  id: true,
  status: true,
  verdict: true,
  model: true,
  created_at: true,
  completed_at: true,
}).extend({
  calls: z.number().int(),
  /** The first line of what was asked. */
  first_line: z.string(),
  held: z.boolean(),
  started_by: ResponseRecord.shape.started_by,
  metadata: ResponseRecord.shape.metadata,
});
export type CatalogRow = z.infer<typeof CatalogRow>;

/** What a page of many says of one that it can't read. */
export const UnreadableRow = z.object({
  id: z.string(),
  error: z.object({ code: z.string(), message: z.string() }),
});
export type UnreadableRow = z.infer<typeof UnreadableRow>;

/** A row as the list has it. */
export type ListRow = CatalogRow | UnreadableRow;

/** How many runs have a verdict; with `isAtLeast` not all of them were counted. */
export type VerdictCount = { verdict: string; count: number; isAtLeast: boolean };

/** The runs that a filter lets through. */
export type Overview = {
  /** Runs that were counted, whatever their verdict. */
  counted: number;
  /** There are more than were counted. */
  hasMore: boolean;
  /** The filter's own verdict is left out, so these are what each other verdict would let through. */
  verdicts: VerdictCount[];
  /** Of the newest runs, whatever the filter. */
  models: string[];
};

/** What the statistics know of a run in addition to its row. */
export type RunFigures = {
  /** Milliseconds from OpenAI's end until the record could be read; null when either is not known, and for a run that was recorded because somebody asked for its id. */
  readable_ms: number | null;
  usage: TokenUsage | null;
};

/** How a run's end was reported: by OpenAI's webhook, and to NOTIFY_URL. */
export type RunReports = {
  /** When the webhook came, in milliseconds since 1970. */
  webhook_at: number | null;
  /** Whether the last attempt to notify failed. */
  notification_failed: boolean;
};

/** A run as its Recorder reports it. */
export type CatalogEntry = {
  row: CatalogRow;
  /** An object that a deploy has not reached does not say them. */
  figures?: RunFigures;
  /** The same. */
  reports?: RunReports;
  startedAtMs: number;
  expiresAtMs: number;
  /** When the run needs a poke unless it reports before; null when no work is left. A pending run always has one. */
  dueAtMs: number | null;
  /** The searchable text; null when it has not changed. */
  text: string | null;
};

/**
 * The entry of a run.
 * @param dueAtMs When the run needs a poke; null when no work is left.
 * @param text The searchable text; null when it has not changed.
 */
export function toCatalogEntry(
  record: StoredRecord,
  dueAtMs: number | null,
  text: string | null,
): CatalogEntry {
  return {
    row: toCatalogRow(record),
    figures: toRunFigures(record),
    reports: toRunReports(record),
    startedAtMs: Date.parse(record.started_at),
    expiresAtMs: Date.parse(record.expires_at),
    dueAtMs,
    text,
  };
}

/** A record's row. Its texts are truncated, since OpenAI's can have any length. */
export function toCatalogRow(record: StoredRecord): CatalogRow {
  return {
    id: record.id,
    status: truncateNullable(record.status, MAX_STATUS_LENGTH),
    verdict: record.verdict,
    model: truncateNullable(record.model, MAX_MODEL_LENGTH),
    created_at: record.created_at,
    completed_at: record.completed_at,
    calls: record.calls.length,
    first_line: toFirstLine(record),
    held: record.held !== null,
    started_by: record.started_by,
    metadata: truncateMetadata(record.metadata),
  };
}

/** The figures of a record. OpenAI's clock has whole seconds and can be ahead: a negative time counts as none. */
function toRunFigures(record: StoredRecord): RunFigures {
  const { completed_at: completedAt, recorded_at: recordedAt, started_by, usage } = record;
  const isKnown = completedAt !== null && recordedAt !== null && started_by !== "refetch";
  const readable_ms = isKnown
    ? Math.max(0, Date.parse(recordedAt) - Date.parse(completedAt))
    : null;
  return { readable_ms, usage };
}

/** How the end of a record's run was reported. */
function toRunReports({ webhook, notification }: StoredRecord): RunReports {
  return {
    webhook_at: webhook === null ? null : Date.parse(webhook.received_at),
    notification_failed: notification !== null && !isDelivered(notification.status),
  };
}

function truncateNullable(text: string | null, maxLength: number): string | null {
  return text === null ? null : truncateCodePoints(text, maxLength);
}

function truncateMetadata(metadata: Record<string, string>): Record<string, string> {
  const pairs = Object.entries(metadata).slice(0, MAX_METADATA_PAIRS);
  return Object.fromEntries(
    pairs.map(([key, value]) => [
      truncateCodePoints(key, MAX_METADATA_KEY_LENGTH),
      truncateCodePoints(value, MAX_METADATA_VALUE_LENGTH),
    ]),
  );
}

// The input's last text is the question; the texts before it are the conversation.
function toFirstLine(record: StoredRecord): string {
  const text = askedTexts(record).at(-1) ?? "";
  return truncateCodePoints(text.trim().split("\n", 1)[0] ?? "", MAX_FIRST_LINE_LENGTH);
}
