/** Finds the Python in the input's Markdown. */
const OPENING_FENCE =
  /^[ \t]*(?:(?<fence>`{3,}|~{3,})[ \t]*(?:python3?|py)\b.*|(?<bareFence>~{3,})[ \t]*)$/i;

interface Block {
  fence: string;
  lines: string[];
}

/** The code of each closed block that is fenced by ```` ```python ````, `python3`, `py`, or `~~~`, without its common indentation. */
export function findCodeBlocks(markdown: string): string[] {
  const codes: string[] = [];
  let block: Block | null = null;
  for (const line of markdown.split("\n")) {
    if (block === null) {
      block = openBlock(line);
    } else if (isClosingFence(line, block.fence)) {
      codes.push(dedent(block.lines));
      block = null;
    } else {
      block.lines.push(line);
    }
  }
  return codes;
}

function openBlock(line: string): Block | null {
  const groups = OPENING_FENCE.exec(line.trimEnd())?.groups;
  const fence = groups?.["fence"] ?? groups?.["bareFence"];
  return fence === undefined ? null : { fence, lines: [] };
}

/** A closing fence has the opening one's characters, and at least as many. */
function isClosingFence(line: string, fence: string): boolean {
  const text = line.trim();
  return text.startsWith(fence) && text === fence.charAt(0).repeat(text.length);
}

/** Joins lines without the indentation that all of them have, as of a block in a list or in a template literal. */
function dedent(lines: string[]): string {
  const indents = lines.filter((line) => line.trim() !== "").map(getIndent);
  const common = indents.reduce(getCommonPrefix, indents[0] ?? "");
  return lines
    .map((line) => removeIndent(line, common))
    .join("\n")
    .replace(/\r$/, "");
}

function getIndent(line: string): string {
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function getCommonPrefix(first: string, second: string): string {
  let length = 0;
  while (length < first.length && first[length] === second[length]) length += 1;
  return first.slice(0, length);
}

/** A blank line may have less indentation than the others. */
function removeIndent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trimStart();
}
