// The parts of a line of Markdown: emphasis, code, links. One pass, in linear time: every search is bounded.

/** A part of a line. A `break` is a line break of the source. */
export type Inline =
  | { type: "text"; text: string }
  | { type: "code"; text: string }
  | { type: "break" }
  | { type: "strong" | "emphasis" | "deleted"; content: Inline[] }
  | { type: "link"; target: string; content: Inline[] };

/** Beginnings of emphasis and links that wait for their ends. More of them are text. */
const MAX_OPEN = 24;

/** Everything that can have a meaning. */
const TOKEN =
  /\\[!-/:-@[-`{-~]|``(?!`)(?:[^`]|`(?!`)){1,2000}``(?!`)|`(?!`)[^`]{1,2000}`(?!`)|`+|\*{1,3}|_{1,3}|~~|!?\[|\]|<https?:\/\/[^\s<>]{1,2000}>|https?:\/\/[^\s<>`[\]]{1,2000}|\n/gi;
/** What follows the text of a link. The target may have parentheses in pairs. */
const TARGET =
  /\(\s{0,9}(?:<([^<>\n]{0,2000})>|([^\s()<>]{0,2000}(?:\([^\s()]{0,500}\)[^\s()]{0,500}){0,8}))(?:\s{1,9}(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?\s{0,9}\)/y;
/** Characters at the end of a bare URL that belong to the sentence. */
const AFTER_URL = ".,;:!?'\"*_~)";

const EMPHASIS = {
  "*": "emphasis",
  _: "emphasis",
  "**": "strong",
  __: "strong",
  "~~": "deleted",
} as const;

/** A part that was begun: the characters that began it, and what came since. */
type Open = { mark: string; content: Inline[] };

/** Parses the text of a paragraph, a heading or a cell. */
export function parseInlines(text: string): Inline[] {
  return new InlineParser(text).parse();
}

class InlineParser {
  readonly #text: string;
  readonly #token = new RegExp(TOKEN);
  readonly #target = new RegExp(TARGET);
  readonly #open: Open[] = [{ mark: "", content: [] }];

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Inline[] {
    for (let position = 0; ; position = this.#token.lastIndex) {
      const found = this.#token.exec(this.#text);
      this.#addText(this.#text.slice(position, found?.index));
      if (found === null) break;
      this.#readToken(found[0], found.index);
    }
    this.#giveUp(1);
    return this.#open[0]?.content ?? [];
  }

  #readToken(token: string, at: number): void {
    if (token.startsWith("\\")) this.#addText(token.slice(1));
    else if (token === "\n") this.#add({ type: "break" });
    else if (token.startsWith("`")) this.#readCode(token);
    else if (token.startsWith("<")) this.#addUrl(token.slice(1, -1));
    else if (/^h/i.test(token)) this.#readBareUrl(token, at);
    else if (token === "]") this.#closeLink();
    else if (token.endsWith("[")) this.#begin(token);
    else this.#readEmphasis(token, at);
  }

  #readCode(token: string): void {
    const [, code] = /^(?:``|`(?!`))(.+?)`+$/s.exec(token) ?? [];
    if (code === undefined || !/[^`]/.test(token)) return this.#addText(token);
    const isPadded = code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "";
    const text = isPadded ? code.slice(1, -1) : code;
    this.#add({ type: "code", text: text.replaceAll("\n", " ") });
  }

  #readBareUrl(token: string, at: number): void {
    const hasParenthesis = token.includes("(");
    let end = token.length;
    while (AFTER_URL.includes(token.charAt(end - 1))) {
      if (token[end - 1] === ")" && hasParenthesis) break;
      end -= 1;
    }
    this.#token.lastIndex = at + end;
    this.#addUrl(token.slice(0, end));
  }

  // A longer run than the innermost open one ends that one, and its rest is read again: `**a *b***`.
  #readEmphasis(token: string, at: number): void {
    const before = this.#text[at - 1] ?? " ";
    const after = this.#text[at + token.length] ?? " ";
    const isInWord = token.startsWith("_") && /\w/.test(before) && /\w/.test(after);
    const index = this.#open.findLastIndex(
      ({ mark }) => mark.endsWith("[") || (mark !== "" && token.startsWith(mark)),
    );
    const { mark = "" } = this.#open[index] ?? {};
    if (isEmphasis(mark) && !/\s/.test(before) && !isInWord) {
      this.#token.lastIndex = at + mark.length;
      return this.#add({ type: EMPHASIS[mark], content: this.#take(index) });
    }
    if (/\s/.test(after) || isInWord) return this.#addText(token);
    if (token.length < 3) return this.#begin(token);
    this.#begin(token.slice(0, 2));
    this.#begin(token.slice(2));
  }

  // Text in brackets is a link only if a target follows.
  #closeLink(): void {
    const index = this.#open.findLastIndex(({ mark }) => mark.endsWith("["));
    this.#target.lastIndex = this.#token.lastIndex;
    const found = index === -1 ? null : this.#target.exec(this.#text);
    if (found === null) {
      if (index !== -1) this.#giveUp(index);
      return this.#addText("]");
    }
    this.#token.lastIndex = this.#target.lastIndex;
    this.#add({ type: "link", target: found[1] ?? found[2] ?? "", content: this.#take(index) });
  }

  #begin(mark: string): void {
    if (this.#open.length > MAX_OPEN) this.#addText(mark);
    else this.#open.push({ mark, content: [] });
  }

  // The content of an open part. What was begun inside it and has not ended is text.
  #take(index: number): Inline[] {
    this.#giveUp(index + 1);
    return this.#open.pop()?.content ?? [];
  }

  #giveUp(from: number): void {
    for (const { mark, content } of this.#open.splice(from)) {
      this.#addText(mark);
      for (const inline of content) this.#add(inline);
    }
  }

  #addUrl(url: string): void {
    this.#add({ type: "link", target: url, content: [{ type: "text", text: url }] });
  }

  #addText(text: string): void {
    if (text !== "") this.#add({ type: "text", text });
  }

  // Texts next to each other are one.
  #add(inline: Inline): void {
    const content = this.#open.at(-1)?.content ?? [];
    const last = content.at(-1);
    if (inline.type === "text" && last?.type === "text") last.text += inline.text;
    else content.push(inline);
  }
}

function isEmphasis(mark: string): mark is keyof typeof EMPHASIS {
  return Object.hasOwn(EMPHASIS, mark);
}
