// The Catalog and the Recorders find together again.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { getTestCatalog, getTestRecorder, startCatalogWorld } from "../../support/catalog.ts";
import { waitFor, waitUntil } from "../../support/wait.ts";
import type { World } from "../../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;

const Page = z.object({ results: z.array(z.object({ id: z.string(), verdict: z.string() })) });

let world: World;
beforeAll(async () => {
  world = await startCatalogWorld({ backgroundOutputs: "present" }, { WEBHOOK_DEADLINE: "1" });
});
afterAll(() => world.close());

async function listRuns(query = "") {
  const answer = await world.request(`/results?limit=100${query}`);
  return Page.parse(await answer.json()).results;
}

test("runs that ended, and runs that were deleted, while the Catalog was down are right in the list afterwards", async () => {
  const catalog = await getTestCatalog(world);
  const listed = await world.trigger();
  await waitUntil(async () => (await listRuns()).some(({ id }) => id === listed));
  await catalog.setDown(true);
  const unlisted = await world.trigger();
  const deleted = await world.trigger();
  for (const id of [listed, unlisted, deleted]) {
    expect((await world.waitUntilSettled(id)).verdict).toBe("captured");
  }
  await world.request(`/results/${deleted}`, { method: "DELETE" });
  await catalog.setDown(false);
  const runs = await waitFor(
    () => listRuns("&verdict=captured"),
    (found) => found.length >= 2,
  );
  expect(new Set(runs.map(({ id }) => id))).toEqual(new Set([listed, unlisted]));
  await waitUntil(async () => (await listRuns()).every(({ id }) => id !== deleted));
});

test("DELETE /results/:id answers when the run has left the list", async () => {
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  // The call to the Catalog is repeated after more than a second.
  await (await getTestCatalog(world)).failRemovals(3);
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await listRuns()).map((run) => run.id)).not.toContain(id);
});

test("a run whose alarm was lost goes on after the cron", async () => {
  await world.emulator.configure({ webhookDrop: true, runSeconds: 2 });
  const id = await world.trigger();
  await waitUntil(async () => (await listRuns()).some((run) => run.id === id));
  await (await getTestRecorder(world, id)).loseAlarm();
  const scheduledTime = new Date(Date.now() + HOUR_MS);
  await world.worker.getWorker().scheduled({ cron: "*/5 * * * *", scheduledTime });
  expect((await world.waitUntilSettled(id)).verdict).toBe("captured");
});
