import { expect, test } from "vitest";
import { toTabTitle } from "../../../../src/views/text/tab-title.ts";

const RUN = {
  id: "resp_1",
  asked: "Compute the squares\nof ten numbers",
  held: null,
  request: null,
  verdict: "captured" as const,
  status: "completed",
  settled_at: null,
  observations: [],
};

test.each([
  [{}, "✓ Compute the squares · captured"],
  [{ verdict: "lost" as const }, "✗ Compute the squares · lost"],
  [{ verdict: "no_calls" as const }, "– Compute the squares · no calls"],
  [{ verdict: "no_calls" as const, status: "failed" }, "✗ Compute the squares · failed"],
  [{ verdict: "pending" as const, status: "in_progress" }, "● in progress · Compute the squares"],
  [{ verdict: "pending" as const, status: null, asked: null }, "● asking OpenAI · resp_1"],
  [{ asked: "x".repeat(100) }, `✓ ${"x".repeat(60)}… · captured`],
  [{ asked: "gnp.\u202eexe" }, "✓ gnp.<U+202E>exe · captured"],
])("toTabTitle of a run with %o is %s", (given, title) => {
  expect(toTabTitle({ ...RUN, ...given })).toBe(title);
});
