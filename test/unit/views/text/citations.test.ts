import { expect, test } from "vitest";
import { markCitations, parseMark } from "../../../../src/views/text/citations.ts";

const toUrlCitation = (start_index: unknown, end_index: unknown, url = "https://e.com/") => ({
  type: "url_citation",
  url,
  title: "E",
  start_index,
  end_index,
});
const WEB = { type: "web", url: "https://e.com/", title: "E" };

test("markCitations marks the end of each cited place, and lists each source once", () => {
  const { text, sources } = markCitations("One. Two. Three.", [
    toUrlCitation(5, 9),
    toUrlCitation(0, 4),
    { type: "file_citation", file_id: "file-1", filename: "a.md", index: 16 },
    {
      type: "container_file_citation",
      file_id: "cfile_1",
      filename: "b.csv",
      start_index: 0,
      end_index: 3,
    },
  ]);
  expect(text).toBe("One[3](cite:3).[1](cite:1) Two.[1](cite:1) Three.[2](cite:2)");
  expect(sources).toEqual([
    WEB,
    { type: "file", id: "file-1", filename: "a.md" },
    { type: "file", id: "cfile_1", filename: "b.csv" },
  ]);
});

test.each([
  ["beyond the text", "One.", toUrlCitation(0, 99)],
  ["without a place", "One.", toUrlCitation(null, null)],
  ["with a place that is no number", "One.", toUrlCitation("0", {})],
  ["of the target of a link", "[a](https://e.com/)", toUrlCitation(4, 18)],
  ["after an emoji, whose length is not certain", "🙂 One.", toUrlCitation(0, 6)],
])("markCitations lists a citation %s, and leaves the text as it is", (_, text, annotation) => {
  expect(markCitations(text, [annotation])).toEqual({ text, sources: [WEB] });
});

test("markCitations leaves out a file to which the text links where it is cited", () => {
  const text = "See [b.csv](sandbox:/mnt/data/b.csv).";
  const citation = { type: "container_file_citation", file_id: "cfile_1", filename: "b.csv" };
  const places = [
    [12, 35],
    [4, 36],
  ];
  const annotations = places.map(([start_index, end_index]) => ({
    ...citation,
    start_index,
    end_index,
  }));
  expect(markCitations(text, annotations)).toEqual({ text, sources: [] });
});

test("markCitations ignores what is no citation", () => {
  const annotations = [null, 1, [], { type: "other" }, { type: "url_citation" }];
  expect(markCitations("One.", annotations)).toEqual({ text: "One.", sources: [] });
});

test.each([
  ["cite:12", 12],
  ["cite:", null],
  ["cite:1x", null],
  ["https://e.com/cite:1", null],
])("parseMark of %s is %s", (target, number) => {
  expect(parseMark(target)).toBe(number);
});
