import { expect, test } from "vitest";
import { LONG } from "../support/property-runs.ts";
import { soak } from "./soak/index.ts";
import { findFailures, isAcknowledged, isRecorded, listPlannedRuns } from "./soak/assertions.ts";
import { formatRunLog } from "./soak/run-log.ts";

/** The long tests have more responses, and more time between observations. */
const SIZE = LONG
  ? { responses: 300, startsPerSecond: 8, maxInFlight: 80, refetchDelays: "1 2 4 8 16" }
  : { responses: 100, startsPerSecond: 10, maxInFlight: 40, refetchDelays: "1 2" };

test(`a soak of ${SIZE.responses} responses with every fault and kill -9 loses, doubles and falsifies no acknowledged response`, async () => {
  const lines: string[] = [];
  const evidence = await soak({
    ...SIZE,
    seed: 7,
    kills: 2,
    recordTimeoutSeconds: 300,
    onProgress: (line) => lines.push(line),
  });
  const findings = findFailures(evidence);
  const logs = findings.flatMap(({ number }) => formatRunLog(evidence, number));
  if (logs.length > 0) console.error([...lines, ...logs].join("\n"));
  expect(findings).toEqual([]);

  const ids = listPlannedRuns(evidence).map(({ run }) => run.id);
  expect(ids.filter((id) => isAcknowledged(evidence, id)).length).toBeGreaterThan(20);
  expect(ids.filter((id) => isRecorded(evidence, id)).length).toBeGreaterThan(20);
  expect(evidence.kills).toHaveLength(2);
}, 600_000);
