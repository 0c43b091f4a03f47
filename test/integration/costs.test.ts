// What a response costs, where it does not depend on the machine. docs/performance.md has the rest.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startChild } from "../support/child.ts";
import { startWorld, type World } from "../support/world.ts";

/** About a tenth more than the bundle had when this was written. */
const MAX_BUNDLE_KIB = 240;

let world: World;
beforeAll(async () => {
  const settings = { backgroundOutputs: "present", interpreters: 1, runSeconds: 1 };
  world = await startWorld(settings, { WEBHOOK_DEADLINE: "30" });
});
afterAll(() => world.close());

/** Requests for a container and for its files. */
const CONTAINER_REQUESTS = ["GET containers", "GET containers"];

const EngineEvent = z.object({ done: z.boolean(), value: z.looseObject({ type: z.string() }) });
const StepEvent = z.object({ stepName: z.string() });

/** The part of the Worker's bindings that reads an instance's history. */
type Instance = { subscribe(): Promise<{ next(): Promise<unknown> }> };
type Bindings = { RECORDER: { get(id: string): Promise<Instance> } };

async function readSteps(id: string): Promise<string[]> {
  const { RECORDER } = await world.worker.getWorker<Bindings>().getEnv();
  const events = await (await RECORDER.get(id)).subscribe();
  const steps: string[] = [];
  for (;;) {
    const { done, value } = EngineEvent.parse(await events.next());
    if (done || value.type === "workflow_completed") return steps;
    if (value.type === "step_completed" || value.type === "wait_completed")
      steps.push(StepEvent.parse(value).stepName.replace(/-\d+$/, ""));
  }
}

/** Triggers a run, and returns what it took. */
async function measureCost(body: unknown) {
  await world.emulator.clearRequests();
  world.worker.clearLogs();
  const id = await world.trigger(body);
  const { verdict } = await world.waitUntilSettled(id);
  const requests = await world.emulator.listRequests();
  const operations = world.kvOperations().filter(({ key }) => key.includes(id));
  return {
    verdict,
    requests: requests.map(({ method, path }) => `${method} ${path.split("/")[2]}`),
    writes: operations.filter(({ operation }) => operation === "put").length,
    steps: await readSteps(id),
  };
}

test("a response without calls costs a create, a retrieve, one KV write and four steps", async () => {
  expect(await measureCost({ input: "hello" })).toEqual({
    verdict: "no_calls",
    requests: ["POST responses", "GET responses"],
    writes: 1,
    steps: ["list as in flight", "wait 1", "look 1", "list 1"],
  });
});

test("a response with a call costs two more requests, about its container, and one more step", async () => {
  expect(await measureCost({})).toEqual({
    verdict: "captured",
    requests: ["POST responses", "GET responses", ...CONTAINER_REQUESTS],
    writes: 1,
    steps: ["list as in flight", "wait 1", "look 1", "list 1", "find files"],
  });
});

test("a held run costs no retrieve, and no more KV writes and steps than a background run", async () => {
  expect(await measureCost({ hold: true })).toEqual({
    verdict: "captured",
    requests: ["POST responses", ...CONTAINER_REQUESTS],
    writes: 1,
    steps: ["list as in flight", "wait 1", "look 1", "list 1", "find files"],
  });
});

test("a response costs the same when other records are stored", async () => {
  const first = await measureCost({});
  const others = await Promise.all(
    Array.from({ length: 10 }, () => world.trigger({ input: "hello" })),
  );
  await Promise.all(others.map((id) => world.waitUntilSettled(id)));
  expect(await measureCost({})).toEqual(first);
});

test(`the bundle has at most ${MAX_BUNDLE_KIB} KiB, gzipped`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  const wrangler = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run"];
  const child = startChild([process.execPath, ...wrangler, "--outdir", folder]);
  const [, gzipped] = await child.waitForOutput(/Total Upload: .* gzip: ([\d.]+) KiB/);
  expect(await child.waitForExit()).toBe(0);
  await rm(folder, { recursive: true });
  expect(Number(gzipped)).toBeGreaterThan(0);
  expect(Number(gzipped)).toBeLessThanOrEqual(MAX_BUNDLE_KIB);
});
