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
  isInLink?: boolean;
};

/** A text of a model. */
export function Markdown(props: { text: string } & Context) {
  const blocks = parseMarkdown(props.text);
  return (
    <div class="markdown" dir="auto">
      <Blocks blocks={blocks} files={props.files} name={props.name} />
    </div>
  );
}

function Blocks(props: { blocks: Block[] } & Context) {
  const levels = toHeadingLevels(props.blocks);
  return (
    <>
      {props.blocks.map((block, index) => (
        <BlockElement {...props} block={block} level={levels[index] ?? 0} />
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

function BlockElement({ block, level, ...context }: { block: Block; level: number } & Context) {
  if (block.type === "rule") return <hr />;
  if (block.type === "code") return <Code language={block.language} text={block.text} />;
  if (block.type === "list") return <List block={block} {...context} />;
  if (block.type === "table") return <Table block={block} {...context} />;
  if (block.type === "quote") {
    return (
      <blockquote>
        <Blocks blocks={block.blocks} {...context} />
      </blockquote>
    );
  }
  const content = <Inlines inlines={block.content} {...context} />;
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

function List({ block, ...context }: { block: Extract<Block, { type: "list" }> } & Context) {
  const items = block.items.map((blocks) => (
    <li>
      <Blocks blocks={blocks} {...context} />
    </li>
  ));
  return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
}

function Table({ block, ...context }: { block: Extract<Block, { type: "table" }> } & Context) {
  const toCell = (cell: Inline[]) => <Inlines inlines={cell} {...context} />;
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

function Inlines({ inlines, ...context }: { inlines: Inline[] } & Context) {
  return (
    <>
      {inlines.map((inline) => (
        <InlineElement inline={inline} {...context} />
      ))}
    </>
  );
}

function InlineElement({ inline, ...context }: { inline: Inline } & Context) {
  if (inline.type === "break") return <br />;
  if (inline.type === "text") return <EscapedText text={inline.text} />;
  if (inline.type === "code") {
    return (
      <code>
        <EscapedText text={inline.text} />
      </code>
    );
  }
  if (inline.type === "link") return <Link {...context} {...inline} />;
  const content = <Inlines inlines={inline.content} {...context} />;
  if (inline.type === "strong") return <strong>{content}</strong>;
  return inline.type === "emphasis" ? <em>{content}</em> : <del>{content}</del>;
}

function Link({
  target,
  content,
  files,
  name,
  isInLink,
}: Context & Pick<LinkInline, "target" | "content">) {
  const inner = <Inlines inlines={content} files={files} name={name} isInLink />;
  if (isInLink === true) return inner;
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
