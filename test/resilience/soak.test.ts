import { expect, test } from "vitest";
import { LONG } from "../support/property-runs.ts";
import { soak } from "./soak/index.ts";
import { judge, isAcknowledged, isRecorded, runsOf } from "./soak/assertions.ts";
import { storyOf } from "./soak/story.ts";

/** The long tests have more responses, and more time between the looks at one. */
const SIZE = LONG
  ? { responses: 300, rate: 8, atOnce: 80, again: "1 2 4 8 16" }
  : { responses: 100, rate: 10, atOnce: 40, again: "1 2" };

test(`of ${SIZE.responses} responses under every fault, with kill -9 in between, none that was acknowledged is lost, doubled or wrong`, async () => {
  const lines: string[] = [];
  const evidence = await soak({
    ...SIZE,
    seed: 7,
    kills: 2,
    patience: 300,
    say: (line) => lines.push(line),
  });
  const findings = judge(evidence);
  const stories = findings.flatMap(({ number }) => storyOf(evidence, number));
  if (stories.length > 0) console.error([...lines, ...stories].join("\n"));
  expect(findings).toEqual([]);

  const ids = runsOf(evidence).map(({ run }) => run.id);
  expect(ids.filter((id) => isAcknowledged(evidence, id)).length).toBeGreaterThan(20);
  expect(ids.filter((id) => isRecorded(evidence, id)).length).toBeGreaterThan(20);
  expect(evidence.kills).toHaveLength(2);
}, 600_000);
