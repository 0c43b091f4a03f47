// The Catalog's tables, and what they cost.
//
// Rows written, as Cloudflare counts and bills them (measured by test/integration/catalog/rows-written.test.ts):
//   a run begins: 3 (its row, by_due, its text) · changes: 1 · changes with its text: 2 · enters by_verdict: 1 more · is removed: 2
//   a key is claimed: 1 · answered or released: 1 · removed after a day: 1
// An index entry costs a row when it is added and nothing when it is removed. An update of the search text costs one row, as its insert does.
// A run that is captured at once costs 7 in its whole life. So there are as few indexes as there can be, and they are partial.

/** The verdicts of the by_verdict index: those that are rare where all is well. */
export const INDEXED_VERDICTS: readonly string[] = [
  "lost",
  "suspect",
  "recovered",
  "unfinished",
  "gone",
  "abandoned",
  "not_found",
];

/** The condition of the by_verdict index. SQLite uses a partial index only where the query has the same words. */
export const IN_BY_VERDICT = `verdict IN (${INDEXED_VERDICTS.map((verdict) => `'${verdict}'`).join(", ")})`;

/** The columns of `runs`. A table of an older version gets those that it lacks, so a column that is added here may be null. */
const RUN_COLUMNS = {
  position: "INTEGER PRIMARY KEY",
  id: "TEXT NOT NULL",
  version: "INTEGER NOT NULL",
  removed: "INTEGER NOT NULL",
  expires_at: "INTEGER NOT NULL",
  due_at: "INTEGER",
  verdict: "TEXT",
  status: "TEXT",
  model: "TEXT",
  started_by: "TEXT",
  held: "INTEGER",
  created_at: "TEXT",
  completed_at: "TEXT",
  calls: "INTEGER",
  first_line: "TEXT",
  metadata: "TEXT",
  // Only the statistics read these. A column more costs no row.
  readable_ms: "INTEGER",
  input_tokens: "INTEGER",
  cached_tokens: "INTEGER",
  output_tokens: "INTEGER",
  reasoning_tokens: "INTEGER",
  total_tokens: "INTEGER",
  // Only the health reads these.
  webhook_at: "INTEGER",
  notification_failed: "INTEGER",
};

/** A column of `runs`. */
export type RunColumn = keyof typeof RUN_COLUMNS;

/**
 * The tables.
 * runs: what the list shows. `removed` is 1 for a tombstone, which keeps its version until `expires_at`, so that a late upsert does not bring the run back.
 * texts: the search index. It has no text of its own (contentless), which halves its size.
 * keys: idempotency keys. `answer` is null until the first request has one.
 */
export const TABLES = [
  `CREATE TABLE IF NOT EXISTS runs (${listColumns().join(", ")})`,
  `CREATE INDEX IF NOT EXISTS by_due ON runs (due_at) WHERE due_at IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS by_verdict ON runs (verdict) WHERE ${IN_BY_VERDICT}`,
  `CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (text, content='', contentless_delete=1)`,
  `CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    claimant TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    answer TEXT
  ) WITHOUT ROWID`,
];

/** The columns of `runs`, each as its name and its definition. */
export function listColumns(): string[] {
  return Object.entries(RUN_COLUMNS).map(([name, type]) => `${name} ${type}`);
}
