// A tree of Markdown as short HTML-like text, so that a test can show what it expects.
import type { Block } from "../../../../src/lib/markdown/blocks.ts";
import type { Inline } from "../../../../src/lib/markdown/inlines.ts";

const TAGS = { strong: "strong", emphasis: "em", deleted: "del" } as const;

/** Formats blocks. */
export function toHtml(blocks: Block[]): string {
  return blocks.map(formatBlock).join("");
}

function formatBlock(block: Block): string {
  if (block.type === "rule") return "<hr>";
  if (block.type === "code") return `<pre ${block.language}>${escapeHtml(block.text)}</pre>`;
  if (block.type === "quote") return `<blockquote>${toHtml(block.blocks)}</blockquote>`;
  if (block.type === "list") return formatList(block.start, block.items);
  if (block.type === "table") {
    const rows = block.rows.map((row) => formatRow("td", row)).join("");
    return `<table>${formatRow("th", block.head)}${rows}</table>`;
  }
  const tag = block.type === "heading" ? `h${block.level}` : "p";
  return `<${tag}>${formatInlines(block.content)}</${tag}>`;
}

function formatList(start: number | null, items: Block[][]): string {
  const content = items.map((item) => `<li>${toHtml(item)}</li>`).join("");
  return start === null ? `<ul>${content}</ul>` : `<ol ${start}>${content}</ol>`;
}

function formatRow(tag: string, cells: Inline[][]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${formatInlines(cell)}</${tag}>`).join("")}</tr>`;
}

function formatInlines(inlines: Inline[]): string {
  return inlines.map(formatInline).join("");
}

function formatInline(inline: Inline): string {
  if (inline.type === "break") return "<br>";
  if (inline.type === "text") return escapeHtml(inline.text);
  if (inline.type === "code") return `<code>${escapeHtml(inline.text)}</code>`;
  const content = formatInlines(inline.content);
  if (inline.type === "link") return `<a ${inline.target}>${content}</a>`;
  return `<${TAGS[inline.type]}>${content}</${TAGS[inline.type]}>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
