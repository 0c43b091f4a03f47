// Parses the Markdown that models write: the common parts of CommonMark, and tables. Any text gives a tree, in linear time. HTML is text.
import { parseInlines, type Inline } from "./inlines.ts";

/** A part of a text. */
export type Block =
  | { type: "paragraph"; content: Inline[] }
  | { type: "heading"; level: number; content: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "quote"; blocks: Block[] }
  | { type: "list"; start: number | null; items: Block[][] }
  | { type: "table"; head: Inline[][]; rows: Inline[][][] }
  | { type: "rule" };

/** Lists and quotes inside one another. What is nested more deeply is text. */
const MAX_DEPTH = 8;

const FENCE = /^( {0,3})(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/s;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,12})(?:[-*+•]|(\d{1,9})[.)])(?:[ \t]{1,4}|$)/;

/** A block, and the line after it. */
type Parsed = { block: Block; next: number };
type BlockParser = (lines: string[], at: number, depth: number) => Parsed | null;

/** In the order in which they are tried. A line that none of them takes belongs to a paragraph. */
const PARSERS: BlockParser[] = [
  parseFence,
  parseHeading,
  parseRule,
  parseQuote,
  parseList,
  parseTable,
];

/** Parses a Markdown text. */
export function parseMarkdown(text: string): Block[] {
  return parseBlocks(text.replaceAll(/\r\n?/g, "\n").split("\n"), 0);
}

function parseBlocks(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  for (let at = skipLines(lines, 0, isBlank); at < lines.length;) {
    const { block, next } = findBlock(lines, at, depth) ?? parseParagraph(lines, at, depth);
    blocks.push(block);
    at = skipLines(lines, next, isBlank);
  }
  return blocks;
}

function findBlock(lines: string[], at: number, depth: number): Parsed | null {
  for (const parse of PARSERS) {
    const parsed = parse(lines, at, depth);
    if (parsed !== null) return parsed;
  }
  return null;
}

function parseFence(lines: string[], at: number): Parsed | null {
  const [, indent, fence, language = ""] = FENCE.exec(lines[at] ?? "") ?? [];
  if (indent === undefined || fence === undefined) return null;
  const end = skipLines(lines, at + 1, (line) => !closesFence(line.trim(), fence));
  const code = lines.slice(at + 1, end).map((line) => removeIndent(line, indent.length));
  return {
    block: { type: "code", language: language.trim(), text: code.join("\n") },
    next: end + 1,
  };
}

function closesFence(line: string, fence: string): boolean {
  return line.startsWith(fence) && line === fence.charAt(0).repeat(line.length);
}

function parseHeading(lines: string[], at: number): Parsed | null {
  const [, marks, text = ""] = HEADING.exec(lines[at] ?? "") ?? [];
  if (marks === undefined) return null;
  const content = parseInlines(text.trim());
  return { block: { type: "heading", level: marks.length, content }, next: at + 1 };
}

function parseRule(lines: string[], at: number): Parsed | null {
  return isRule(lines[at] ?? "") ? { block: { type: "rule" }, next: at + 1 } : null;
}

function isRule(line: string): boolean {
  return RULE.test(line.trimEnd());
}

function parseQuote(lines: string[], at: number, depth: number): Parsed | null {
  if (depth === MAX_DEPTH || !QUOTE.test(lines[at] ?? "")) return null;
  const next = skipLines(lines, at, (line) => QUOTE.test(line));
  const inner = lines.slice(at, next).map((line) => line.replace(QUOTE, ""));
  return { block: { type: "quote", blocks: parseBlocks(inner, depth + 1) }, next };
}

type Item = { indent: number; width: number; start: number | null };

function matchItem(line: string): Item | null {
  const [found, indent = "", number] = ITEM.exec(line) ?? [];
  if (found === undefined || isRule(line)) return null;
  const start = number === undefined ? null : Number(number);
  return { indent: indent.length, width: found.length, start };
}

function parseList(lines: string[], at: number, depth: number): Parsed | null {
  const first = matchItem(lines[at] ?? "");
  if (depth === MAX_DEPTH || first === null) return null;
  const isOrdered = first.start !== null;
  const items: Block[][] = [];
  let next = at;
  for (;;) {
    const begin = skipLines(lines, next, isBlank);
    const item = matchItem(lines[begin] ?? "");
    if (item === null || (item.start !== null) !== isOrdered) break;
    next = findItemEnd(lines, begin, item);
    const inner = lines.slice(begin + 1, next).map((line) => removeIndent(line, item.width));
    items.push(parseBlocks([(lines[begin] ?? "").slice(item.width), ...inner], depth + 1));
  }
  return { block: { type: "list", start: first.start, items }, next };
}

// An item has the lines that are indented more than its mark, also after blank ones, and the rest of its paragraph.
function findItemEnd(lines: string[], begin: number, { indent }: Item): number {
  let end = begin + 1;
  for (;;) {
    const at = skipLines(lines, end, isBlank);
    const line = lines[at] ?? "";
    const isContinued = at === end && !startsBlock(lines, at);
    if (isBlank(line) || (countIndent(line) <= indent && !isContinued)) return end;
    end = at + 1;
  }
}

function parseTable(lines: string[], at: number): Parsed | null {
  if (!startsTable(lines, at)) return null;
  const next = skipLines(lines, at + 2, (line) => line.includes("|"));
  const [head = [], , ...rows] = lines
    .slice(at, next)
    .map((line) => splitRow(line).map(parseInlines));
  return { block: { type: "table", head, rows }, next };
}

function startsTable(lines: string[], at: number): boolean {
  const [head = "", delimiters = ""] = [lines[at], lines[at + 1]];
  if (!head.includes("|") || !delimiters.includes("-")) return false;
  const cells = splitRow(delimiters);
  return cells.every((cell) => /^:?-+:?$/.test(cell)) && cells.length === splitRow(head).length;
}

function splitRow(line: string): string[] {
  const cells = line.trim().split(/(?<!\\)\|/);
  if (cells[0] === "") cells.shift();
  if (cells.at(-1) === "") cells.pop();
  return cells.map((cell) => cell.replaceAll(String.raw`\|`, "|").trim());
}

function parseParagraph(lines: string[], at: number, depth: number): Parsed {
  let next = at + 1;
  const ends = () => isBlank(lines[next] ?? "") || (depth < MAX_DEPTH && startsBlock(lines, next));
  while (!ends()) next += 1;
  const text = lines.slice(at, next).map((line) => line.trim().replace(/\\$/, ""));
  return { block: { type: "paragraph", content: parseInlines(text.join("\n")) }, next };
}

function startsBlock(lines: string[], at: number): boolean {
  const line = lines[at] ?? "";
  const isMarked = [FENCE, HEADING, QUOTE].some((mark) => mark.test(line));
  return isMarked || isRule(line) || matchItem(line) !== null || startsTable(lines, at);
}

// The first line from here on that is not to be skipped.
function skipLines(lines: string[], from: number, skips: (line: string) => boolean): number {
  let at = from;
  while (at < lines.length && skips(lines[at] ?? "")) at += 1;
  return at;
}

function isBlank(line: string): boolean {
  return line.trim() === "";
}

function countIndent(line: string): number {
  return line.length - line.trimStart().length;
}

function removeIndent(line: string, width: number): string {
  return line.slice(Math.min(width, countIndent(line)));
}
