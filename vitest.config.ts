import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What waits for many minutes begins first, so that the others run beside it. */
const LONGEST = ["long.test.ts", "soak.test.ts", "live.test.ts", "pressure.test.ts"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  return LONGEST.some((name) => moduleId.endsWith(`/${name}`)) ? 0 : 1;
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/build.ts",
    // To import wrangler takes more than a second: files that run one after another in a process share it.
    isolate: false,
    // Each file runs a Worker and an emulator of its own, and often waits.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
