import { expect, test } from "vitest";
import { parseMarkdown } from "../../../../src/lib/markdown/blocks.ts";
import { toHtml } from "./to-html.ts";

test.each([
  ["a heading", "## Title", "<h2>Title</h2>"],
  ["no heading without a space", "#1 is first", "<p>#1 is first</p>"],
  ["paragraphs, and their line breaks", "one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"],
  ["CRLF line ends", "one\r\n\r\ntwo", "<p>one</p><p>two</p>"],
  ["a rule", "one\n\n---\n\ntwo", "<p>one</p><hr><p>two</p>"],
  ["fenced code", "```python\nif x:\n    y\n```\nend", "<pre python>if x:\n    y</pre><p>end</p>"],
  ["code whose fence is never closed", "~~~\n**a**", "<pre >**a**</pre>"],
  ["a fence inside a longer fence", "````\n```\n````", "<pre >```</pre>"],
  ["a quote", "> one\n> - two", "<blockquote><p>one</p><ul><li><p>two</p></li></ul></blockquote>"],
  ["a list", "- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
  ["a list right after a paragraph", "x:\n* a", "<p>x:</p><ul><li><p>a</p></li></ul>"],
  ["a numbered list", "3. a\n\n4. b", "<ol 3><li><p>a</p></li><li><p>b</p></li></ol>"],
  [
    "a list inside a list",
    "1. a\n   - b\n\n     c\n2. d",
    "<ol 1><li><p>a</p><ul><li><p>b</p><p>c</p></li></ul></li><li><p>d</p></li></ol>",
  ],
  ["code inside a list", "- a\n  ```\n  b\n  ```", "<ul><li><p>a</p><pre >b</pre></li></ul>"],
  [
    "a table",
    String.raw`| a | b |
|:--|--:|
| 1 | x \| y |
| 2 |`,
    "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>x | y</td></tr><tr><td>2</td></tr></table>",
  ],
  ["no table without its second line", "a | b\nc | d", "<p>a | b<br>c | d</p>"],
  [
    "HTML as text",
    "<b>x</b>\n<script>y</script>",
    "<p>&lt;b&gt;x&lt;/b&gt;<br>&lt;script&gt;y&lt;/script&gt;</p>",
  ],
  ["nothing", " \n\n", ""],
])("parseMarkdown reads %s", (_, text, html) => {
  expect(toHtml(parseMarkdown(text))).toBe(html);
});

test.each([
  ["**a** and __b__", "<strong>a</strong> and <strong>b</strong>"],
  ["*a* and _b_", "<em>a</em> and <em>b</em>"],
  ["***a***", "<strong><em>a</em></strong>"],
  ["**a *b***", "<strong>a <em>b</em></strong>"],
  ["~~a~~", "<del>a</del>"],
  ["2 * 3 * 4 ** 2", "2 * 3 * 4 ** 2"],
  ["snake_case_name", "snake_case_name"],
  ["**never closed", "**never closed"],
  [String.raw`\*a\* \x`, String.raw`*a* \x`],
  ["`a*b*` ``c`d``", "<code>a*b*</code> <code>c`d</code>"],
  ["`never closed", "`never closed"],
  ["[a *b*](https://e.com/x_(y))", "<a https://e.com/x_(y)>a <em>b</em></a>"],
  ['[a](<https://e.com/x y> "title")', "<a https://e.com/x y>a</a>"],
  ["![plot](sandbox:/mnt/data/p.png)", "<a sandbox:/mnt/data/p.png>plot</a>"],
  ["[a] [b](no target", "[a] [b](no target"],
  ["(https://e.com/x).", "(<a https://e.com/x>https://e.com/x</a>)."],
  ["**https://e.com/**", "<strong><a https://e.com/>https://e.com/</a></strong>"],
  ["<https://e.com/x>", "<a https://e.com/x>https://e.com/x</a>"],
  ["[https://e.com](https://e.com)", "<a https://e.com><a https://e.com>https://e.com</a></a>"],
])("parseMarkdown reads the line %s", (text, html) => {
  expect(toHtml(parseMarkdown(text))).toBe(`<p>${html}</p>`);
});
