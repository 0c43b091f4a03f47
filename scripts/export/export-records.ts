// Copies what an archive lacks: records page by page, newest first, and their files.
import { z } from "zod";
import { ExportedRecord, type ArchivedRecord, type Archive } from "./archive.ts";
import { Refusal, type PageQuery, type RecorderClient, type Row } from "./recorder-client.ts";

/** A run's files are listed in its record when all are copied, which its containers' expiry ends. */
const MAX_COPY_MS = 60 * 60 * 1000;

/** The line of a record that the recorder could not read. */
const UnreadableLine = z.object({ id: z.string(), error: z.object({ message: z.string() }) });

export type ExportOptions = { since: string | undefined; withFiles: boolean };

/** How many records and files there were, and what is missing. */
export type ExportTotals = {
  added: number;
  refreshed: number;
  skipped: number;
  files: number;
  failures: Failure[];
};

/** A record, or a file of it, that the recorder did not give. */
type Failure = { id: string; message: string };

/** What became of each record, by its id. A page that is read twice counts once. */
type Outcomes = Map<string, "added" | "refreshed" | "skipped" | { message: string }>;

/**
 * Exports everything.
 * @throws When a request fails for good. What was copied by then stays.
 */
export async function exportRecords(
  client: RecorderClient,
  archive: Archive,
  { since, withFiles }: ExportOptions,
): Promise<ExportTotals> {
  const outcomes: Outcomes = new Map();
  const failures: Failure[] = [];
  let files = 0;
  let cursor: string | null = null;
  do {
    const query: PageQuery = { cursor, since };
    const page = await client.listPage(query);
    const ids = new Set(page.results.map(({ id }) => id));
    cursor = (await hasAll(archive, page.results))
      ? skipPage(ids, page.cursor, outcomes)
      : await client.exportPage(query, async (line, value) => {
          ids.add(await storeLine(archive, line, value, outcomes));
        });
    for (const id of withFiles ? ids : []) {
      files += await copyFiles(client, archive, id, failures);
    }
  } while (cursor !== null);
  return { ...countOutcomes(outcomes), files, failures: [...listFailures(outcomes), ...failures] };
}

async function hasAll(archive: Archive, rows: Row[]): Promise<boolean> {
  for (const row of rows) {
    const stored = await archive.readRecord(row.id);
    if (stored === null || !isCurrent(stored, row)) return false;
  }
  return true;
}

// A settled record whose files are listed changes only when somebody has it observed again.
function isCurrent(stored: ArchivedRecord, { verdict, status }: Row): boolean {
  const isSame = stored.verdict === verdict && stored.status === status;
  return stored.settled_at !== null && isSame && !mayLackFiles(stored, stored.settled_at);
}

function mayLackFiles({ calls, files, writtenAtMs }: ArchivedRecord, settledAt: string): boolean {
  const hasContainer = calls.some(({ container_id: container }) => container !== null);
  return hasContainer && files.length === 0 && writtenAtMs < Date.parse(settledAt) + MAX_COPY_MS;
}

function skipPage(ids: Iterable<string>, cursor: string | null, outcomes: Outcomes): string | null {
  for (const id of ids) outcomes.set(id, "skipped");
  return cursor;
}

/** @returns The record's id. */
async function storeLine(
  archive: Archive,
  line: Uint8Array,
  value: unknown,
  outcomes: Outcomes,
): Promise<string> {
  const record = ExportedRecord.safeParse(value).data;
  if (record !== undefined) return storeRecord(archive, line, record, outcomes);
  const { id, error } = UnreadableLine.parse(value);
  outcomes.set(id, { message: error.message });
  return id;
}

async function storeRecord(
  archive: Archive,
  line: Uint8Array,
  record: ExportedRecord,
  outcomes: Outcomes,
): Promise<string> {
  const { id } = record;
  const stored = await archive.readRecord(id);
  if (stored !== null && isCurrent(stored, record)) {
    if (!outcomes.has(id)) outcomes.set(id, "skipped");
    return id;
  }
  const isNews = await archive.writeRecord(id, line);
  const outcome = isNews ? "refreshed" : "skipped";
  if (!outcomes.has(id)) outcomes.set(id, stored === null ? "added" : outcome);
  return id;
}

/** @returns How many files were copied. */
async function copyFiles(
  client: RecorderClient,
  archive: Archive,
  id: string,
  failures: Failure[],
): Promise<number> {
  const record = await archive.readRecord(id);
  let copied = 0;
  for (const file of record?.files ?? []) {
    // The recorder has no copy, or not yet.
    if (file.url === null || file.url === "" || (await archive.hasFile(id, file))) continue;
    try {
      await client.fetchFile(file.url, (content) => archive.writeFile(id, file, content));
      copied += 1;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failures.push({ id, message: error.message });
    }
  }
  return copied;
}

function countOutcomes(outcomes: Outcomes): Omit<ExportTotals, "files" | "failures"> {
  const all = [...outcomes.values()];
  const count = (wanted: string) => all.filter((outcome) => outcome === wanted).length;
  return { added: count("added"), refreshed: count("refreshed"), skipped: count("skipped") };
}

function listFailures(outcomes: Outcomes): Failure[] {
  return [...outcomes].flatMap(([id, outcome]) =>
    typeof outcome === "string" ? [] : [{ id, message: outcome.message }],
  );
}
