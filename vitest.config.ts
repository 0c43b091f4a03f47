import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest begins first, so that the others run beside it. */
const LONGEST = ["long", "soak", "live", "pressure", "deploy", "faults", "access", "evidence"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  return LONGEST.some((name) => moduleId.endsWith(`/${name}.test.ts`)) ? 0 : 1;
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/build.ts",
    // To import wrangler takes more than a second: files that run one after another in a process share it.
    isolate: false,
    // Each file runs a Worker and an emulator of its own, and often waits.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
