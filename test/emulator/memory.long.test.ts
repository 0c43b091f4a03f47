import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { startRuns } from "./many-runs.ts";
import { startTestEmulator } from "./setup.ts";

const { client } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  maxResponses: 500,
  historySize: 500,
});

/** The bytes of the heap that are in use after a garbage collection. */
function measureHeapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  return process.memoryUsage().heapUsed;
}

describe.skipIf(process.env["LONG_TESTS"] === undefined)("3,000 runs", () => {
  test("leave memory as it was after the first thousand", { timeout: 300_000 }, async () => {
    await startRuns(client, { count: 1000, inputLength: 10_000 });
    const before = measureHeapBytes();
    await startRuns(client, { count: 2000, inputLength: 10_000 });
    // 2,000 runs with inputs of 10 kB would be 60 MB and more.
    expect(measureHeapBytes() - before).toBeLessThan(10 * 2 ** 20);
  });
});
