// Searches: in the web, and in files.
import * as z from "zod";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { CutNote } from "../components/code-block.tsx";
import { anything, count, listOf, parseFields, text, texts } from "./fields.ts";
import { WebSource } from "./message.tsx";
import { toResponseUrl, toTotalBytes, type PartProps } from "./part.ts";

/** Sources and results of a longer list are folded. */
const MAX_UNFOLDED = 5;
/** Of the text that was found in a file. */
const MAX_FOUND_BYTES = 800;

const Source = z.looseObject({ url: text, type: text, name: text });
const Action = z.looseObject({
  type: text,
  query: text,
  queries: texts,
  url: text,
  pattern: text,
  sources: z.array(z.unknown()).nullable().catch(null),
});
const WebSearch = z.looseObject({ action: anything });
const FileSearch = z.looseObject({
  queries: texts,
  results: z.array(z.unknown()).nullable().catch(null),
});
const Found = z.looseObject({ file_id: text, filename: text, score: count, text });

function toAction(item: PartProps["item"]) {
  return parseFields(Action, parseFields(WebSearch, item.value).action);
}

const TITLES: Record<string, string> = {
  search: "Web search",
  open_page: "Opened a web page",
  find_in_page: "Searched a web page",
};

/** What a web search call did. */
export function toWebTitle(item: PartProps["item"]): string {
  return TITLES[toAction(item).type ?? ""] ?? "Web search";
}

/** What was searched for in the web. */
export function WebRequest({ item }: PartProps) {
  const { query, queries, url, pattern } = toAction(item);
  const asked = queries.length > 0 ? queries : query === null ? [] : [query];
  return (
    <>
      {pattern === null ? null : <Queries queries={[pattern]} />}
      <Queries queries={asked} />
      {url === null ? null : (
        <p class="web-page">
          <WebSource url={url} title="" />
        </p>
      )}
    </>
  );
}

/** The sources of a web search. */
export function WebResult({ item }: PartProps) {
  const { type, sources } = toAction(item);
  if (type !== "search" && sources === null) return null;
  if (sources === null) return <p class="placeholder">OpenAI returned no list of sources.</p>;
  const urls = sources.flatMap((source) => Source.safeParse(source).data ?? []);
  return (
    <FoldedList noun="source" of={sources.length}>
      {urls.map((source) => (
        <li>
          <WebSource url={source.url ?? source.name ?? source.type ?? ""} title="" />
        </li>
      ))}
    </FoldedList>
  );
}

/** What was searched for in files. */
export function FileRequest({ item }: PartProps) {
  return <Queries queries={parseFields(FileSearch, item.value).queries} />;
}

/** What was found in files. */
export function FileResult({ item, page }: PartProps) {
  const { results } = parseFields(FileSearch, item.value);
  if (results === null) {
    return (
      <p class="placeholder">
        No results: OpenAI returned <code>null</code>.
      </p>
    );
  }
  return (
    <FoldedList noun="result" of={results.length}>
      {parseFields(z.looseObject({ found: listOf(Found) }), { found: results }).found.map(
        (found) => (
          <FoundText found={found} item={item} page={page} />
        ),
      )}
    </FoldedList>
  );
}

type FoundProps = { found: z.infer<typeof Found> } & Pick<PartProps, "item" | "page">;

function FoundText({ found, item, page }: FoundProps) {
  const whole = found.text ?? "";
  const maxBytes = Math.min(MAX_FOUND_BYTES, page.maxBytes);
  const excerpt = toExcerpt(whole, maxBytes, toTotalBytes(item, whole));
  return (
    <li>
      <strong>
        <IsolatedText text={found.filename ?? found.file_id ?? "A file"} />
      </strong>{" "}
      {found.score === null ? null : <span class="muted">score {found.score.toFixed(2)}</span>}
      <p class="found">
        <IsolatedText text={excerpt.text} />
      </p>
      {excerpt.isTruncated ? <CutNote size={excerpt.size} url={toResponseUrl(page)} /> : null}
    </li>
  );
}

function Queries(props: { queries: string[] }) {
  if (props.queries.length === 0) return null;
  return (
    <ul class="queries">
      {props.queries.map((query) => (
        <li>
          <IsolatedText text={query} />
        </li>
      ))}
    </ul>
  );
}

function FoldedList(props: { noun: string; of: number; children: unknown }) {
  const { noun, of: length } = props;
  if (length === 0) {
    return (
      <p class="placeholder">
        No {noun}s: OpenAI returned <code>[ ]</code>.
      </p>
    );
  }
  const title = `${length} ${noun}${length === 1 ? "" : "s"}`;
  return (
    <details class="found-list" open={length <= MAX_UNFOLDED}>
      <summary>{title}</summary>
      <ul>{props.children}</ul>
    </details>
  );
}
