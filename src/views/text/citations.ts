// What a message cites: a numbered list of sources, and marks in its text, as links of Markdown.
import * as z from "zod";

/** Marks that a text gets at most; the list of sources has them all. */
const MAX_MARKS = 500;

const offset = z.number().int().min(0).nullable().catch(null);
const name = z.string().catch("");

const Annotation = z.union([
  z.object({
    type: z.literal("url_citation"),
    url: z.string(),
    title: name,
    start_index: offset,
    end_index: offset,
  }),
  z.object({
    type: z.enum(["container_file_citation", "file_citation", "file_path"]),
    file_id: z.string(),
    filename: name,
    index: offset,
    start_index: offset,
    end_index: offset,
  }),
]);
type Annotation = z.infer<typeof Annotation>;

/** A page or a file that a message cites. */
export type Source =
  | { type: "web"; url: string; title: string }
  | { type: "file"; id: string; filename: string };

/** The text with a mark `[2](cite:2)` after each cited place, and what the numbers mean, from 1. */
export type CitedText = { text: string; sources: Source[] };

/** Finds what a text cites. */
export function markCitations(text: string, annotations: unknown[]): CitedText {
  const sources = new Map<string, { source: Source; number: number }>();
  const marks: { at: number; number: number }[] = [];
  for (const value of annotations) {
    const { data } = Annotation.safeParse(value);
    if (data === undefined || isLinked(text, data)) continue;
    const key = "url" in data ? data.url : data.file_id;
    const entry = sources.get(key) ?? { source: toSource(data), number: sources.size + 1 };
    sources.set(key, entry);
    const at = findPlace(text, data);
    if (at !== null) marks.push({ at, number: entry.number });
  }
  return {
    text: insertMarks(text, marks),
    sources: [...sources.values()].map(({ source }) => source),
  };
}

/** The number of the source that a link leads to; null for any other link. */
export function parseMark(target: string): number | null {
  const [, number] = /^cite:(\d{1,6})$/.exec(target) ?? [];
  return number === undefined ? null : Number(number);
}

function toSource(annotation: Annotation): Source {
  if ("url" in annotation) return { type: "web", url: annotation.url, title: annotation.title };
  return { type: "file", id: annotation.file_id, filename: annotation.filename };
}

// The text itself links to the file.
function isLinked(text: string, { type, start_index: start, end_index: end }: Annotation): boolean {
  if (type !== "container_file_citation" || start === null || end === null) return false;
  return text.slice(start, end).includes("sandbox:");
}

// Whether the offsets count UTF-16 units or characters is not documented. Where that makes a difference there is no mark.
function findPlace(text: string, annotation: Annotation): number | null {
  const [start, end] =
    annotation.type === "file_citation"
      ? [annotation.index, annotation.index]
      : [annotation.start_index, annotation.end_index];
  if (start === null || end === null || end > text.length) return null;
  const isAmbiguous = /\p{Surrogate}|[\u{10000}-\u{10ffff}]/u.test(text.slice(0, end));
  // The link's target is cited: the link is there already, and a mark would break it.
  const isTarget = text.startsWith("](", start - 2);
  return isAmbiguous || isTarget ? null : end;
}

function insertMarks(text: string, marks: { at: number; number: number }[]): string {
  const kept = marks.slice(0, MAX_MARKS).toSorted((a, b) => a.at - b.at);
  let from = 0;
  const parts = kept.map(({ at, number }) => {
    const part = text.slice(from, at);
    from = at;
    return `${part}[${number}](cite:${number})`;
  });
  return parts.join("") + text.slice(from);
}
