// A tree of Markdown as short HTML-like text, so that a test can show what it expects.
import type { Block } from "../../../../src/lib/markdown/blocks.ts";
import type { Inline } from "../../../../src/lib/markdown/inlines.ts";

const TAGS = { strong: "strong", emphasis: "em", deleted: "del", code: "code" } as const;

/** Formats blocks. */
export function toHtml(blocks: Block[]): string {
  return blocks.map(formatBlock).join("");
}

function formatBlock(block: Block): string {
  switch (block.type) {
    case "rule":
      return "<hr>";
    case "code":
      return `<pre ${block.language}>${escapeHtml(block.text)}</pre>`;
    case "quote":
      return `<blockquote>${toHtml(block.blocks)}</blockquote>`;
    case "heading":
      return `<h${block.level}>${formatInlines(block.content)}</h${block.level}>`;
    case "paragraph":
      return `<p>${formatInlines(block.content)}</p>`;
    case "list":
      return formatList(block.start, block.items);
    case "table":
      return `<table>${formatRow("th", block.head)}${block.rows.map((row) => formatRow("td", row)).join("")}</table>`;
  }
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
  switch (inline.type) {
    case "text":
      return escapeHtml(inline.text);
    case "break":
      return "<br>";
    case "code":
      return `<code>${escapeHtml(inline.text)}</code>`;
    case "link":
      return `<a ${inline.target}>${formatInlines(inline.content)}</a>`;
    case "strong":
    case "emphasis":
    case "deleted":
      return `<${TAGS[inline.type]}>${formatInlines(inline.content)}</${TAGS[inline.type]}>`;
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
