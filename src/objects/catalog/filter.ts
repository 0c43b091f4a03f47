// The list's filter as SQL.
import type { RunVerdict } from "../../record/schema.ts";
import { firstPosition } from "./position.ts";
import { IN_BY_VERDICT, INDEXED_VERDICTS } from "./tables.ts";

/** What the runs of a list have in common; what is undefined does not matter. */
export type RunFilter = {
  id?: string | undefined;
  verdict?: RunVerdict | undefined;
  status?: string | undefined;
  model?: string | undefined;
  started_by?: string | undefined;
  held?: boolean | undefined;
  /** The recording began at this time or later. */
  sinceMs?: number | undefined;
  /** The recording began before this time. */
  untilMs?: number | undefined;
  /** Words to search for; the last one can be the beginning of a word. */
  q?: string | undefined;
  /** Pairs that the metadata has. */
  metadata?: Record<string, string> | undefined;
};

type Value = string | number;
type Query = { sql: string; values: Value[] };

const COLUMNS =
  "runs.position, id, status, verdict, model, created_at, completed_at, calls, first_line, held, started_by, metadata";

/**
 * The query for the runs that a filter lets through, newest first.
 * @param before Only runs before this position; null for the newest.
 * @param nowMs What expired before this time is left out.
 */
export function toListQuery(
  filter: RunFilter,
  before: number | null,
  limit: number,
  nowMs: number,
): Query {
  return toQuery(COLUMNS, chooseSource(filter), filter, before, limit, nowMs);
}

/**
 * The query for the positions and verdicts of the newest runs that a filter lets through.
 * It leaves the filter's own verdict out, so that the other verdicts can be counted.
 */
export function toVerdictsQuery(filter: RunFilter, limit: number, nowMs: number): Query {
  const { verdict: _verdict, ...others } = filter;
  return toQuery("runs.position, verdict", chooseSource(others), others, null, limit, nowMs);
}

/** The same for the verdicts of the by_verdict index alone. It reads only their rows. */
export function toRareVerdictsQuery(filter: RunFilter, limit: number, nowMs: number): Query {
  const { verdict: _verdict, ...others } = filter;
  return toQuery("runs.position, verdict", BY_VERDICT, others, null, limit, nowMs);
}

/** The query for the runs at some positions, newest first. It has one value, the positions as JSON. */
export const AT_POSITIONS = `SELECT ${COLUMNS} FROM runs WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position DESC`;

function toQuery(
  columns: string,
  source: Source,
  filter: RunFilter,
  before: number | null,
  limit: number,
  nowMs: number,
): Query {
  const conditions = [
    source.condition,
    ...rangeConditions(source.position, filter, before),
    // A response that was never seen has a row only so that a lost alarm is noticed.
    { sql: "removed = 0 AND created_at IS NOT NULL AND expires_at > ?", values: [nowMs] },
    ...valueConditions(filter),
    ...metadataConditions(filter.metadata ?? {}),
  ];
  const where = conditions.map(({ sql }) => sql).join(" AND ");
  return {
    sql: `SELECT ${columns} FROM ${source.sql} WHERE ${where} ORDER BY ${source.position} DESC LIMIT ?`,
    values: [...conditions.flatMap(({ values }) => values), limit],
  };
}

/** Where a query reads, the name of the position there, and what it reads there. */
type Source = { sql: string; position: string; condition: Query };

const ALL_RUNS: Source = {
  sql: "runs",
  position: "runs.position",
  condition: { sql: "TRUE", values: [] },
};
const BY_DUE: Source = {
  sql: "runs INDEXED BY by_due",
  position: "runs.position",
  condition: { sql: "due_at IS NOT NULL", values: [] },
};
const BY_VERDICT: Source = {
  sql: "runs INDEXED BY by_verdict",
  position: "runs.position",
  condition: { sql: IN_BY_VERDICT, values: [] },
};

// The planner can't know how rare a verdict is, so the choice is made here. A scan of 100,000 rows takes 25 ms.
function chooseSource({ q, verdict }: RunFilter): Source {
  if (q !== undefined) {
    const sql = "texts CROSS JOIN runs ON runs.position = texts.rowid";
    const condition: Query = { sql: "texts MATCH ?", values: [toFtsQuery(q)] };
    return { sql, position: "texts.rowid", condition };
  }
  if (verdict === "pending") return BY_DUE;
  if (verdict !== undefined && INDEXED_VERDICTS.includes(verdict)) return BY_VERDICT;
  return ALL_RUNS;
}

function rangeConditions(
  position: string,
  { sinceMs, untilMs }: RunFilter,
  before: number | null,
): Query[] {
  return [
    ...optional(`${position} < ?`, before ?? undefined),
    ...optional(`${position} >= ?`, sinceMs === undefined ? undefined : firstPosition(sinceMs)),
    ...optional(`${position} < ?`, untilMs === undefined ? undefined : firstPosition(untilMs)),
  ];
}

function valueConditions(filter: RunFilter): Query[] {
  const { id, verdict, status, model, started_by, held } = filter;
  return [
    ...optional("id = ?", id),
    ...optional("verdict = ?", verdict),
    ...optional("status = ?", status),
    ...optional("model = ?", model),
    ...optional("started_by = ?", started_by),
    ...optional("held = ?", held === undefined ? undefined : Number(held)),
  ];
}

// The search for the pair as it stands in the JSON sorts out most rows; json_each decides.
function metadataConditions(metadata: Record<string, string>): Query[] {
  return Object.entries(metadata).map(([key, value]) => ({
    sql: "instr(metadata, ?) > 0 AND EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)",
    values: [`${JSON.stringify(key)}:${JSON.stringify(value)}`, key, value],
  }));
}

function optional(sql: string, value: Value | undefined): Query[] {
  return value === undefined ? [] : [{ sql, values: [value] }];
}

/** A shorter last word is searched only as it is: it begins so many words that their lists take half a second to merge. */
const MIN_PREFIX_LENGTH = 3;
/** The last word of a text, as FTS5 sees words. https://sqlite.org/fts5.html#unicode61_tokenizer */
const LAST_WORD = /([\p{L}\p{N}\p{Co}]+)[^\p{L}\p{N}\p{Co}]*$/u;

/**
 * A query for FTS5: all words, and the last one also as the beginning of a word.
 * @param q What a user typed. Each word is quoted, so nothing in it is syntax. https://sqlite.org/fts5.html#fts5_strings
 */
export function toFtsQuery(q: string): string {
  // FTS5 reads its query up to the first NUL.
  const words = q.toWellFormed().replaceAll("\0", " ").trim().split(/\s+/);
  const quoted = words.map((word) => `"${word.replaceAll('"', '""')}"`).join(" ");
  return isPrefix(words.at(-1) ?? "") ? `${quoted}*` : quoted;
}

// Scripts without spaces between words have a word in one letter, and long runs of letters in the index.
function isPrefix(text: string): boolean {
  const word = LAST_WORD.exec(text)?.[1] ?? "";
  return word.length >= MIN_PREFIX_LENGTH || /[^\0-\x7f]/.test(word);
}
