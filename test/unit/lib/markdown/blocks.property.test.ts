import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseMarkdown, type Block } from "../../../../src/lib/markdown/blocks.ts";
import type { Inline } from "../../../../src/lib/markdown/inlines.ts";
import { runs } from "../../../support/property-runs.ts";

/** Marks of Markdown, spaces, words and what is none of these. */
const PIECES = [
  ..."# ## > - * + 1. 2) ** *** _ __ ~~ ` `` ``` ~~~ [ ] ( ) ![ ]( <https://e.com> https://e.com/a_b | |-|- --- \\".split(
    " ",
  ),
  ..."one two a b x1".split(" "),
  ..." |  |    |\n|\n\n|\r\n|\t|\u00a0|\u2028|\u0000|🙂|\ud800|<b>".split("|"),
];
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 80 }).map((parts) => parts.join("")),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 80 }).map((parts) => parts.join(" ")),
);
const repeated = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(""));

/** Far more than a page shows; a parser whose time grows by the square would take minutes. */
const LONG_CHARACTERS = 300_000;
/** Lists, quotes and emphasis inside one another. */
const MAX_LEVELS = 60;

test("parseMarkdown gives any text a tree that has each of its words, in their order", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const blocks = parseMarkdown(text);
      expect(findWords(blocks.map(blockText).join(" "))).toEqual(findWords(text));
    }),
    runs(1_000),
  );
});

test("parseMarkdown gives a long text of anything repeated a tree that is not deep", () => {
  fc.assert(
    fc.property(repeated, (part) => {
      const text = part.repeat(Math.ceil(LONG_CHARACTERS / part.length));
      expect(countLevels(parseMarkdown(text))).toBeLessThan(MAX_LEVELS);
    }),
    runs(40),
  );
});

/** The words whose letters no mark of Markdown has. */
function findWords(text: string): string[] {
  return text.match(/one|two/g) ?? [];
}

function blockText(block: Block): string {
  if (block.type === "rule") return "";
  if (block.type === "code") return `${block.language} ${block.text}`;
  if (block.type === "quote") return block.blocks.map(blockText).join(" ");
  if (block.type === "list") return block.items.flat().map(blockText).join(" ");
  if (block.type === "table") return [block.head, ...block.rows].flat().map(inlineText).join(" ");
  return inlineText(block.content);
}

function inlineText(inlines: Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.type === "break") return "\n";
      if ("text" in inline) return inline.text;
      const text = inlineText(inline.content);
      return inline.type === "link" && inline.target !== text ? `${text} ${inline.target}` : text;
    })
    .join("");
}

function countLevels(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return (
    1 + Object.values(value).reduce<number>((max, inner) => Math.max(max, countLevels(inner)), 0)
  );
}
