import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorBody } from "../../support/contract.ts";
import {
  getTestCatalog,
  startCatalogWorld,
  type TestCatalogClient,
} from "../../support/catalog.ts";
import { listFailures, readHealth } from "../../support/health.ts";
import type { World } from "../../support/world.ts";

let world: World;
let catalog: TestCatalogClient;
beforeAll(async () => {
  world = await startCatalogWorld();
  catalog = await getTestCatalog(world);
});
afterAll(() => world.close());

test("POST /trigger with an Idempotency-Key answers 503 idempotency_unavailable while the Catalog is down, and starts nothing", async () => {
  const init = { method: "POST", body: "{}", headers: { "idempotency-key": "key" } };
  await catalog.setDown(true);
  const refused = await world.request("/trigger", init);
  expect(refused.status).toBe(503);
  expect(ErrorBody.parse(await refused.json()).error.code).toBe("idempotency_unavailable");
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
  await catalog.setDown(false);
  expect((await world.request("/trigger", init)).status).toBe(202);
});

test("GET /health?deep=1 answers 503 while the Catalog is down, and says which checks failed", async () => {
  await catalog.setDown(true);
  const { status, checks } = await readHealth(world);
  expect(status).toBe(503);
  expect(checks.objects.message).toContain("The Catalog is down");
  expect(listFailures(checks)).toEqual(["webhooks", "pending", "notifications", "objects"]);
  await catalog.setDown(false);
  expect((await readHealth(world)).status).toBe(200);
});
