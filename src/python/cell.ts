// A notebook's cell is Python with commands of the notebook between its lines. Makes Python of it.
import type { Vocabulary } from "./words/vocabulary.ts";

/** A cell as Python, and what its commands do. */
export type Cell = {
  python: string;
  /** Why the cell shows something, whatever its Python does; null when nothing suggests it. */
  reason: string | null;
  /** `%%capture` keeps everything that the cell shows. */
  captured: boolean;
  /** A command can bind names that the code doesn't show. */
  bindsUnknown: boolean;
};

const COMMAND_REASON = "runs a shell or notebook command";

/** The value of `x = !ls` or `x = %pwd`, for the analysis. */
const UNKNOWN_VALUE = "object()";

const CELL_MAGIC = /^\s*%%(\w+)([^\n]*)\n?/;
/** Commands at the begin of a logical line; `%time` is followed by Python. */
const COMMAND = /[ \t]*[!%?]|[\w.,* \t]+=[ \t]*[!%](?!=)/y;
const TOKEN =
  /"""(?:\\[\s\S]|[^\\])*?(?:"""|$)|'''(?:\\[\s\S]|[^\\])*?(?:'''|$)|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|#[^\n]*|\\\r?\n|[([{]|[)\]}]|\n|[^"'#\\([{)\]}\n]+|[\s\S]/gy;

/**
 * Reads a notebook's cell.
 * @param code As the interpreter gets it.
 */
export function readCell(code: string, vocabulary: Vocabulary): Cell {
  const magic = CELL_MAGIC.exec(code);
  if (magic !== null) return readCellMagic(magic, code.slice(magic[0].length), vocabulary);
  const cell: Cell = { python: "", reason: null, captured: false, bindsUnknown: false };
  for (const line of logicalLines(code)) cell.python += readLine(line, cell, vocabulary);
  return cell;
}

function readCellMagic(
  [, name = "", args = ""]: RegExpExecArray,
  body: string,
  vocabulary: Vocabulary,
): Cell {
  const nothing: Cell = { python: "", reason: null, captured: true, bindsUnknown: false };
  if (name === "capture") {
    const target = /(?:^|\s)([A-Za-z_]\w*)/.exec(args)?.[1];
    const cell = readCell(body, vocabulary);
    const python =
      target === undefined ? cell.python : `${target} = ${UNKNOWN_VALUE}\n${cell.python}`;
    return { ...cell, python, reason: null, captured: true };
  }
  const isPython = vocabulary.pythonCellMagics.has(name);
  return {
    ...(isPython ? readCell(body, vocabulary) : nothing),
    captured: false,
    reason: COMMAND_REASON,
  };
}

/** The Python of a logical line. */
function readLine(line: string, cell: Cell, vocabulary: Vocabulary): string {
  const [, indent = "", target = "", sign = "", command = ""] =
    /^([ \t]*)([\w.,* \t]+=[ \t]*)?([!%]|\?)?([^]*)$/.exec(line) ?? [];
  const end = line.endsWith("\n") ? "\n" : "";
  if (/^[ \t]*[\w.]+\?{1,2}\s*$/.test(line)) return `${indent}pass${end}`;
  if (sign === "" || (target !== "" && sign === "?")) return toGrammar(line);
  if (target !== "") {
    cell.reason ??= COMMAND_REASON;
    return `${indent}${target}${UNKNOWN_VALUE}${end}`;
  }
  if (sign === "?") return `${indent}pass${end}`;
  if (sign === "!" || !vocabulary.quietMagics.some((quiet) => quiet.test(command))) {
    cell.reason ??= COMMAND_REASON;
    cell.bindsUnknown ||= sign === "%";
  }
  const timed = /^time(?:it)?\s+(?!-)([^]*)$/.exec(command)?.[1];
  return timed === undefined ? `${indent}pass${end}` : indent + timed;
}

// Lezer's grammar of Python doesn't know `with (a as b, c as d):`, and takes `print = f` for Python 2.
function toGrammar(line: string): string {
  const shadow = /^([ \t]*)print([ \t]*=(?!=))/.exec(line);
  if (shadow !== null) return `${shadow[1]}(print)${shadow[2]}${line.slice(shadow[0].length)}`;
  const open = /^[ \t]*(?:async[ \t]+)?with[ \t]*\(/.exec(line)?.[0].length;
  if (open === undefined || !/\)\s*:/.test(line)) return line;
  const close = line.search(/\)\s*:(?:[^()]*)$/);
  const items = line.slice(open, close);
  if (close === -1 || !/\sas\s/.test(items)) return line;
  const flat = items
    .replaceAll(/#[^\n]*/g, "")
    .replaceAll(/\s/g, " ")
    .trimEnd()
    .replace(/,$/, "");
  return `${line.slice(0, open - 1)} ${flat}${line.slice(close + 1)}`;
}

/** The lines of a cell, with what continues them: a text of several lines, an open bracket, a backslash. */
function logicalLines(code: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < code.length;) {
    COMMAND.lastIndex = from;
    const to = COMMAND.test(code) ? endOfCommand(code, from) : endOfStatement(code, from);
    lines.push(code.slice(from, to));
    from = to;
  }
  return lines;
}

function endOfCommand(code: string, from: number): number {
  const length = /^(?:[^\n]*\\\r?\n)*[^\n]*\n?/.exec(code.slice(from))?.[0].length ?? 0;
  return from + Math.max(length, 1);
}

function endOfStatement(code: string, from: number): number {
  TOKEN.lastIndex = from;
  let depth = 0;
  for (let token = TOKEN.exec(code); token !== null; token = TOKEN.exec(code)) {
    if (/^[([{]$/.test(token[0])) depth += 1;
    if (/^[)\]}]$/.test(token[0])) depth = Math.max(0, depth - 1);
    if (token[0] === "\n" && depth === 0) return TOKEN.lastIndex;
  }
  return code.length;
}
