// A model's text with its Markdown as elements. Every character is text; links lead only to the web and to copied files.
import type { Child } from "hono/jsx";
import { parseMarkdown, type Block } from "../../lib/markdown/blocks.ts";
import type { Inline } from "../../lib/markdown/inlines.ts";
import type { FileEntry } from "../../record/schema.ts";
import { parseMark } from "../text/citations.ts";
import { resolveLink, type SafeLink } from "../text/safe-link.ts";
import { EscapedText } from "./safe-text.tsx";

/** The level of the heading that a text stands under. */
const OUTER_LEVEL = 3;

type LinkInline = Extract<Inline, { type: "link" }>;
type Context = {
  files: FileEntry[];
  /** The prefix of the ids of the sources that the text cites. */
  name: string;
  /** A link can't contain another. */
  isInLink: boolean;
};

type InContext<T> = T & { context: Context };

/** A text of a model. `name`: the prefix of the ids of the sources that it cites. */
export function Markdown(props: { text: string; files: FileEntry[]; name: string }) {
  const context = { files: props.files, name: props.name, isInLink: false };
  return (
    <div class="markdown" dir="auto">
      <Blocks blocks={parseMarkdown(props.text)} context={context} />
    </div>
  );
}

function Blocks({ blocks, context }: InContext<{ blocks: Block[] }>) {
  const levels = toHeadingLevels(blocks);
  return (
    <>
      {blocks.map((block, index) => (
        <BlockElement block={block} level={levels[index] ?? 0} context={context} />
      ))}
    </>
  );
}

// A page's headings go down one level at a time, whatever the text does.
function toHeadingLevels(blocks: Block[]): number[] {
  let last = OUTER_LEVEL;
  return blocks.map((block) => {
    if (block.type === "heading") last = Math.min(last + 1, OUTER_LEVEL + block.level, 6);
    return last;
  });
}

function BlockElement({ block, level, context }: InContext<{ block: Block; level: number }>) {
  if (block.type === "rule") return <hr />;
  if (block.type === "code") return <Code language={block.language} text={block.text} />;
  if (block.type === "list") return <List block={block} context={context} />;
  if (block.type === "table") return <Table block={block} context={context} />;
  if (block.type === "quote") {
    return (
      <blockquote>
        <Blocks blocks={block.blocks} context={context} />
      </blockquote>
    );
  }
  const content = <Inlines inlines={block.content} context={context} />;
  if (block.type === "paragraph") return <p>{content}</p>;
  return (
    <div role="heading" aria-level={level} class={`heading-${block.level}`}>
      {content}
    </div>
  );
}

function Code(props: { language: string; text: string }) {
  return (
    <pre tabindex={0} role="group" aria-label={props.language || "Code"}>
      <code>
        <EscapedText text={props.text} />
      </code>
    </pre>
  );
}

function List({ block, context }: InContext<{ block: Extract<Block, { type: "list" }> }>) {
  const items = block.items.map((blocks) => (
    <li>
      <Blocks blocks={blocks} context={context} />
    </li>
  ));
  return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
}

function Table({ block, context }: InContext<{ block: Extract<Block, { type: "table" }> }>) {
  const toCell = (cell: Inline[]) => <Inlines inlines={cell} context={context} />;
  return (
    <div class="table" tabindex={0} role="group" aria-label="A table">
      <table>
        <thead>
          <tr>
            {block.head.map((cell) => (
              <th scope="col">{toCell(cell)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row) => (
            <tr>
              {row.map((cell) => (
                <td>{toCell(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Inlines({ inlines, context }: InContext<{ inlines: Inline[] }>) {
  return (
    <>
      {inlines.map((inline) => (
        <InlineElement inline={inline} context={context} />
      ))}
    </>
  );
}

function InlineElement({ inline, context }: InContext<{ inline: Inline }>) {
  if (inline.type === "break") return <br />;
  if (inline.type === "text") return <EscapedText text={inline.text} />;
  if (inline.type === "code") {
    return (
      <code>
        <EscapedText text={inline.text} />
      </code>
    );
  }
  if (inline.type === "link")
    return <Link target={inline.target} content={inline.content} context={context} />;
  const content = <Inlines inlines={inline.content} context={context} />;
  if (inline.type === "strong") return <strong>{content}</strong>;
  return inline.type === "emphasis" ? <em>{content}</em> : <del>{content}</del>;
}

function Link({ target, content, context }: InContext<Pick<LinkInline, "target" | "content">>) {
  const { files, name } = context;
  const inner = <Inlines inlines={content} context={{ ...context, isInLink: true }} />;
  if (context.isInLink) return inner;
  const mark = parseMark(target);
  if (mark !== null) {
    return (
      <sup>
        <a href={`#${name}-source-${mark}`}>{inner}</a>
      </sup>
    );
  }
  const link = resolveLink(target, files);
  if (link === null) return <DeadLink inner={inner} words={target} />;
  if (link.type === "lost") return <DeadLink inner={inner} words={link.reason} />;
  return <SafeAnchor link={link}>{inner}</SafeAnchor>;
}

/** A link to the web, or to a copied file. */
export function SafeAnchor(props: {
  link: Exclude<SafeLink, null | { type: "lost" }>;
  children: Child;
}) {
  const { type, href } = props.link;
  if (type === "file") {
    return (
      <a href={href} download>
        {props.children}
      </a>
    );
  }
  return (
    <a href={href} title={href} rel="noopener noreferrer">
      {props.children}
    </a>
  );
}

// A link that is not offered still shows where it would lead, or why not.
function DeadLink(props: { inner: Child; words: string }) {
  return (
    <>
      {props.inner}{" "}
      <span class="muted">
        (<EscapedText text={props.words} />)
      </span>
    </>
  );
}
