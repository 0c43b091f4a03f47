import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { LONG } from "./test/support/property-runs.ts";

/** Ends the names of test files that need more than a minute. Only `npm run test:long` and `npm run test:all` run them. */
const LONG_FILE = ".long.test.ts";
/** Waits for minutes and takes little of the processor. */
const SOAK = "test/resilience/soak.test.ts";
/** Starts wrangler many times in one file after another: begun last, it would run when nothing else does. */
const DEPLOY = "test/integration/deploy/";
/** Builds the Worker, for the projects whose tests send requests to it. */
const BUILD = "test/support/build.ts";

/** In this order they run: unit tests answer first, and resilience tests start early because they wait most. */
const PROJECTS = [
  project("unit", ["unit"], []),
  project("resilience", ["resilience"], [BUILD]),
  project("pages", ["pages"], [BUILD]),
  project("integration", ["integration", "security"], [BUILD]),
  project("emulator", ["emulator"], []),
];

function project(name: string, folders: string[], globalSetup: string[]) {
  const include = folders.map((folder) => `test/${folder}/**/*.test.{ts,tsx}`);
  const exclude = LONG ? [] : [`**/*${LONG_FILE}`];
  return { extends: true as const, test: { name, include, exclude, globalSetup } };
}

/** Runs the long files, the soak and the deploy first, so that the others run meanwhile, and then one project after another. */
class ByProject extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId, project: { name } }: TestSpecification): number {
  const isLong = moduleId.endsWith(LONG_FILE) || moduleId.endsWith(SOAK);
  if (isLong || moduleId.includes(DEPLOY)) return -1;
  return PROJECTS.findIndex(({ test }) => test.name === name);
}

// What was renamed would silently run last.
for (const path of [SOAK, DEPLOY]) {
  if (existsSync(new URL(path, import.meta.url))) continue;
  throw new Error(`vitest.config.ts names ${path}, which does not exist.`);
}

export default defineConfig({
  test: {
    projects: PROJECTS,
    // Importing wrangler takes more than a second: files that run one after another in a process share it.
    isolate: false,
    // Each file runs a Worker and an emulator of its own, and often waits.
    maxWorkers: 3,
    sequence: { sequencer: ByProject },
    // Long enough for a slow, busy machine: a time limit only ends a test that hangs.
    testTimeout: LONG ? 300_000 : 120_000,
    hookTimeout: 180_000,
  },
});
