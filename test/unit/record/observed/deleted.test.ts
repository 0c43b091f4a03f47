import { expect, test } from "vitest";
import { isDeletedAtOpenAI } from "../../../../src/record/observed/deleted.ts";
import type { Channel } from "../../../../src/record/schema.ts";
import { toTime } from "../../../resilience/simulation/clock.ts";

type Seen = [channel: Channel, seconds: number, answer: string | 404];

function isDeletedAfter(...seen: Seen[]): boolean {
  const observations = seen.map(([channel, seconds, answer]) => ({
    at: toTime(seconds),
    channel,
    http_status: answer === 404 ? 404 : 200,
    status: answer === 404 ? null : answer,
    request_id: null,
    calls: [],
  }));
  return isDeletedAtOpenAI({ observations });
}

test.each<[string, boolean, Seen[]]>([
  [
    "a refetch that had shown the end",
    true,
    [
      ["refetch", 0, "completed"],
      ["refetch", 5, 404],
    ],
  ],
  [
    "a held run's end, minutes later",
    true,
    [
      ["held", 0, "completed"],
      ["refetch", 120, 404],
    ],
  ],
  [
    "a held run's end, within a minute",
    false,
    [
      ["held", 0, "completed"],
      ["refetch", 5, 404],
    ],
  ],
  [
    "no end",
    false,
    [
      ["refetch", 0, "in_progress"],
      ["refetch", 900, 404],
    ],
  ],
  [
    "the end of the control only",
    false,
    [
      ["control", 0, "completed"],
      ["refetch", 900, 404],
    ],
  ],
])("a 404 after %s: deleted is %s", (_, expected, seen) => {
  expect(isDeletedAfter(...seen)).toBe(expected);
});

test("a response that is there again is not deleted", () => {
  const seen: Seen[] = [
    ["refetch", 0, "completed"],
    ["refetch", 5, 404],
  ];
  expect(isDeletedAfter(...seen, ["refetch", 9, "completed"])).toBe(false);
  expect(isDeletedAfter(...seen, ["conversation", 9, 404])).toBe(true);
});
