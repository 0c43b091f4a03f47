// The code blocks of the README and the docs.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type CodeBlock = {
  /** The file's path in the project. */
  file: string;
  /** The line on which it begins. */
  line: number;
  /** What stands after its fence; "indented" when it has none. */
  language: string;
  text: string;
};

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const FENCE = /^```(\w*)\n([^]*?)\n```$/gm;
const INDENTED = /(?<=\n\n)(?: {4}.*\n)+/g;

/** Lists README.md, CONTRIBUTING.md and the pages in docs/. */
export function listDocs(): string[] {
  const pages = readdirSync(`${PROJECT}docs`).filter((name) => name.endsWith(".md"));
  return ["README.md", "CONTRIBUTING.md", ...pages.map((name) => `docs/${name}`)];
}

/** Reads a file's code blocks, in their order. */
export function readCodeBlocks(file: string): CodeBlock[] {
  const markdown = readFileSync(PROJECT + file, "utf8");
  const toLine = (index: number) => markdown.slice(0, index).split("\n").length;
  const fenced = [...markdown.matchAll(FENCE)].map((match) => ({
    file,
    line: toLine(match.index),
    language: match[1] ?? "",
    text: match[2] ?? "",
  }));
  // A fenced block can have lines that are indented.
  const blank = markdown.replaceAll(FENCE, (block) => block.replaceAll(/[^\n]/g, "-"));
  const indented = [...blank.matchAll(INDENTED)].map((match) => ({
    file,
    line: toLine(match.index),
    language: "indented",
    text: match[0],
  }));
  return [...fenced, ...indented].toSorted((a, b) => a.line - b.line);
}
