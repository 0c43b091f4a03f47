// What a response costs, as far as it doesn't depend on the machine. docs/performance.md has the rest.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { measureBundleKib } from "../support/bundle-size.ts";
import { startWorld, type World } from "../support/world.ts";

/** KiB, gzipped: about a tenth more than it was when this was written. */
const LARGEST_BUNDLE = 240;

let world: World;
beforeAll(async () => {
  const settings = { backgroundOutputs: "present", interpreters: 1, runSeconds: 1 };
  world = await startWorld(settings, { WEBHOOK_DEADLINE: "30" });
});
afterAll(() => world.close());

/** Whether it still lives, and its files. */
const CONTAINER = ["GET containers", "GET containers"];

const Requests = z.array(z.object({ method: z.string(), path: z.string() }));
const Event = z.object({ done: z.boolean(), value: z.looseObject({ type: z.string() }) });
const Step = z.object({ stepName: z.string() });

/** As much of the Worker's environment as it takes to read an instance's history. */
type Instance = { subscribe(): Promise<{ next(): Promise<unknown> }> };
type Engine = { RECORDER: { get(id: string): Promise<Instance> } };

async function stepsOf(id: string): Promise<string[]> {
  const { RECORDER } = await world.worker.getWorker<Engine>().getEnv();
  const events = await (await RECORDER.get(id)).subscribe();
  const steps: string[] = [];
  for (;;) {
    const { done, value } = Event.parse(await events.next());
    if (done || value.type === "workflow_completed") return steps;
    if (value.type === "step_completed" || value.type === "wait_completed")
      steps.push(Step.parse(value).stepName.replace(/-\d+$/, ""));
  }
}

/** Records one run; gives what it took. */
async function costOf(body: unknown) {
  await fetch(`${world.emulator.url}/_emulator/requests`, { method: "DELETE" });
  world.worker.clearLogs();
  const id = await world.trigger(body);
  const { verdict } = await world.settled(id);
  const requests = Requests.parse(await world.told("/requests"));
  const operations = world.kv().filter(({ key }) => key.includes(id));
  return {
    verdict,
    requests: requests.map(({ method, path }) => `${method} ${path.split("/")[2]}`),
    writes: operations.filter(({ operation }) => operation === "put").length,
    steps: await stepsOf(id),
  };
}

test("a response without calls costs a create, a retrieve, three KV writes and four steps", async () => {
  expect(await costOf({ input: "hello" })).toEqual({
    verdict: "no_calls",
    requests: ["POST responses", "GET responses"],
    writes: 3,
    steps: ["list as in flight", "wait 1", "look 1", "list 1"],
  });
});

test("a response with a call costs two looks into its container and a step more", async () => {
  expect(await costOf({})).toEqual({
    verdict: "captured",
    requests: ["POST responses", "GET responses", ...CONTAINER],
    writes: 3,
    steps: ["list as in flight", "wait 1", "look 1", "list 1", "find files"],
  });
});

test("a held run costs its Recorder no retrieve, and not more KV writes and steps", async () => {
  expect(await costOf({ hold: true })).toEqual({
    verdict: "captured",
    requests: ["POST responses", ...CONTAINER],
    writes: 3,
    steps: ["list as in flight", "wait 1", "look 1", "list 1", "find files"],
  });
});

test("what is stored already makes a response no dearer", async () => {
  const first = await costOf({});
  const more = await Promise.all(
    Array.from({ length: 10 }, () => world.trigger({ input: "hello" })),
  );
  await Promise.all(more.map((id) => world.settled(id)));
  expect(await costOf({})).toEqual(first);
});

test(`the bundle has at most ${LARGEST_BUNDLE} KiB, gzipped`, async () => {
  const kib = await measureBundleKib("wrangler.toml");
  expect(kib).toBeGreaterThan(0);
  expect(kib).toBeLessThanOrEqual(LARGEST_BUNDLE);
});
