// Messages, refusals, and summaries of reasoning.
import * as z from "zod";
import { CutNote } from "../components/code-block.tsx";
import { Markdown, SafeAnchor } from "../components/markdown.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { markCitations, type Source } from "../text/citations.ts";
import { toExcerpt } from "../text/printed/excerpt.ts";
import { resolveFile, resolveLink } from "../text/safe-link.ts";
import { listOf, parseFields, text } from "./fields.ts";
import { toResponseUrl, toTotalBytes, type PageContext, type PartProps } from "./part.ts";

/** A longer summary of reasoning is folded. */
const MAX_UNFOLDED_LENGTH = 600;

const Part = z.looseObject({
  type: text,
  text,
  refusal: text,
  annotations: z.array(z.unknown()).catch([]),
});
const Message = z.looseObject({ content: listOf(Part) });
const Reasoning = z.looseObject({ summary: listOf(Part), content: listOf(Part) });

/** What a message says. */
export function MessageContent(props: PartProps) {
  const { content } = parseFields(Message, props.item.value);
  if (content.length === 0) return <p class="placeholder">The message is empty.</p>;
  return (
    <>
      {content.map((part, index) =>
        part.refusal === null ? (
          <MessageText
            text={part.text ?? ""}
            totalBytes={toTotalBytes(props.item, part.text ?? "")}
            annotations={part.annotations}
            name={`${props.name}-${index}`}
            page={props.page}
          />
        ) : (
          <p class="refusal">
            The model refused: <IsolatedText text={part.refusal} />
          </p>
        ),
      )}
    </>
  );
}

type TextProps = {
  text: string;
  totalBytes: number | null;
  annotations: unknown[];
  name: string;
  page: PageContext;
};

function MessageText({ text: whole, totalBytes, annotations, name, page }: TextProps) {
  const excerpt = toExcerpt(whole, page.maxMessageBytes, totalBytes);
  const { text: marked, sources } = markCitations(excerpt.text, annotations);
  return (
    <>
      <Markdown text={marked} files={page.files} name={name} />
      {excerpt.isTruncated ? <CutNote size={excerpt.size} url={toResponseUrl(page)} /> : null}
      <Sources sources={sources} name={name} page={page} />
    </>
  );
}

function Sources(props: { sources: Source[]; name: string; page: PageContext }) {
  if (props.sources.length === 0) return null;
  return (
    <ol class="sources" aria-label="Sources">
      {props.sources.map((source, index) => (
        <li id={`${props.name}-source-${index + 1}`}>
          {source.type === "web" ? (
            <WebSource url={source.url} title={source.title} />
          ) : (
            <FileSource {...source} page={props.page} />
          )}
        </li>
      ))}
    </ol>
  );
}

/** A page of the web: its title and its host. */
export function WebSource(props: { url: string; title: string }) {
  const link = resolveLink(props.url, []);
  if (link?.type !== "web") return <IsolatedText text={props.title || props.url} />;
  const { host } = new URL(link.href);
  return (
    <>
      <SafeAnchor link={link}>
        <IsolatedText text={props.title || props.url} />
      </SafeAnchor>
      {props.title === "" ? null : <span class="muted"> {host}</span>}
    </>
  );
}

function FileSource(props: { id: string; filename: string; page: PageContext }) {
  const link = resolveFile(props.page.files, (file) => file.id === props.id);
  const filename = props.filename || props.id;
  if (link?.type !== "file") return <IsolatedText text={filename} />;
  return (
    <SafeAnchor link={link}>
      <IsolatedText text={filename} />
    </SafeAnchor>
  );
}

/** What the model says of its reasoning. */
export function ReasoningContent({ item, name, page }: PartProps) {
  const { summary, content } = parseFields(Reasoning, item.value);
  const parts = [...summary, ...content].map((part) => part.text ?? "");
  const whole = parts.join("\n\n");
  if (whole === "") return null;
  const isCut = parts.some((part) => item.cuts.has(part));
  const excerpt = toExcerpt(whole, page.maxBytes, isCut ? item.bytes : null);
  const shown = (
    <div class="muted">
      <Markdown text={excerpt.text} files={page.files} name={name} />
      {excerpt.isTruncated ? <CutNote size={excerpt.size} url={toResponseUrl(page)} /> : null}
    </div>
  );
  if (whole.length <= MAX_UNFOLDED_LENGTH) return shown;
  return (
    <details>
      <summary>Its summary, {excerpt.size}</summary>
      {shown}
    </details>
  );
}
