// GET /health?deep=1: whether the settings, KV and the objects work.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createEntry, getCatalog } from "../support/catalog.ts";
import { listFailures, readHealth } from "../support/health.ts";
import { RECORDER_WORKER, setKvMode } from "../support/recorder-worker.ts";
import { waitFor } from "../support/wait.ts";
import {
  API_KEY,
  READ_TOKEN,
  startWorld,
  TOKEN,
  WEBHOOK_SECRET,
  type World,
} from "../support/world.ts";

const HOUR_MS = 60 * 60 * 1000;
const NOTIFY_SECRET = "whsec_bm90aWZpY2F0aW9ucy1mb3ItaGVhbHRoLW9ubHk=";
const TRIED_PATHS = ["/v1/containers/cntr_health_check", "/v1/responses/resp_health_check"];

let world: World;
beforeAll(async () => {
  // Nothing listens there.
  const vars = { REFETCH_DELAYS: "0", NOTIFY_URL: "http://127.0.0.1:9/hook" };
  const secrets = { READ_TOKEN, NOTIFY_SECRET };
  world = await startWorld({}, vars, secrets, { main: RECORDER_WORKER });
});
afterAll(() => world.close());
afterEach(() => world.emulator.clearFaults());

function request(token: string, accept = "*/*"): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, accept };
  return fetch(`${world.url}/health?deep=1`, { redirect: "manual", headers });
}

test("GET /health?deep=1 tries everything with either token, and shows no secret", async () => {
  const { status, ready, checks, text } = await readHealth(world);
  expect([status, ready, listFailures(checks)]).toEqual([200, true, []]);
  for (const secret of [API_KEY, TOKEN, READ_TOKEN, WEBHOOK_SECRET, NOTIFY_SECRET]) {
    expect(text).not.toContain(secret);
  }
  const asked = await world.emulator.listRequests();
  expect(asked.map(({ path }) => path).toSorted()).toEqual(TRIED_PATHS);
  const answer = await request(READ_TOKEN);
  expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
});

test("GET /health?deep=1 answers 401 without a token, and asks OpenAI nothing", async () => {
  await world.emulator.clearRequests();
  const answer = await request("wrong");
  expect([answer.status, await answer.json()]).toMatchObject([
    401,
    { error: { code: "unauthorized" } },
  ]);
  const redirected = await request("wrong", "text/html");
  expect([redirected.status, redirected.headers.get("location")]).toEqual([
    302,
    "/login?next=%2Fhealth%3Fdeep%3D1",
  ]);
  const plain = await fetch(`${world.url}/health`);
  expect([plain.status, await plain.json()]).not.toHaveProperty("1.checks");
  expect(await world.emulator.listRequests()).toEqual([]);
});

test.each(["", "0", "true"])("GET /health?deep=%s tries nothing", async (deep) => {
  const answer = await world.request(`/health?deep=${deep}`);
  expect(answer.status).toBe(deep === "" ? 200 : 400);
  expect(await answer.text()).not.toContain("checks");
});

const REFUSALS: [string, string, string, Record<string, unknown>, RegExp][] = [
  ["a wrong key", "responses", "openai_key", { kind: "status", status: 401 }, /OPENAI_API_KEY/],
  [
    "a key without a scope",
    "containers",
    "openai_containers",
    { kind: "status", status: 403, body: { error: { message: "Missing scopes: x.read" } } },
    /Missing scopes: x\.read\. Give that key the permission/,
  ],
  ["OpenAI's failure", "responses", "openai_key", { kind: "status", status: 500 }, /Try again/],
  ["a page", "responses", "openai_key", { kind: "html" }, /OPENAI_BASE_URL/],
  ["a closed connection", "containers", "openai_containers", { kind: "cut" }, /Try again/],
  ["silence", "containers", "openai_containers", { kind: "hang" }, /did not answer/],
];

test.each(REFUSALS)(
  "GET /health?deep=1 reports %s at /v1/%s by %s",
  async (_, path, name, fault, message) => {
    await world.emulator.addFault({ ...fault, path: `^/v1/${path}/`, times: -1 });
    const { status, ready, checks } = await readHealth(world);
    expect([status, ready, listFailures(checks)]).toEqual([503, false, [name]]);
    expect(JSON.stringify(checks)).toMatch(message);
  },
);

test("GET /health?deep=1 reports a KV that can't be read", async () => {
  await setKvMode(world.url, "unreadable");
  const { status, checks } = await readHealth(world);
  expect([status, listFailures(checks)]).toEqual([503, ["kv"]]);
  expect(checks.kv.message).toContain("KV can't be read.");
  await setKvMode(world.url, "works");
});

test("GET /health?deep=1 says when the last webhook came, which is the oldest run in flight, and whose notification fails", async () => {
  const id = await world.trigger();
  const { webhook } = await world.waitUntilSettled(id);
  const failing = await waitFor(
    () => readHealth(world),
    ({ checks }) => !checks.notifications.ok,
  );
  expect(failing.checks).toMatchObject({
    webhooks: { ok: true, at: webhook?.received_at },
    notifications: { ok: false, id },
  });
  await world.request(`/results/${id}`, { method: "DELETE" });
  const inFlight = await world.trigger({ input: "emulator: run 600 seconds" });
  await world.trigger({ input: "emulator: run 600 seconds" });
  const { checks } = await waitFor(
    () => readHealth(world),
    (health) => health.checks.pending.id !== null,
  );
  expect(checks).toMatchObject({
    pending: { ok: true, id: inFlight },
    notifications: { ok: true },
  });
});

test("a followed run's webhook counts, though its stream shows the end first", async () => {
  const id = await world.trigger({ stream: true });
  await world.waitUntilSettled(id);
  const received = await waitFor(
    async () => (await (await world.request(`/results/${id}`)).json()) as unknown,
    (record) => JSON.stringify(record).includes('"received_at"'),
  );
  const { checks } = await waitFor(
    () => readHealth(world),
    (health) => JSON.stringify(received).includes(health.checks.webhooks.at ?? "none"),
  );
  expect(checks.webhooks.ok).toBe(true);
});

test("GET /health?deep=1 fails when the last background runs had no webhook, and when a run should have been given up", async () => {
  const catalog = await getCatalog(world);
  const completed_at = new Date(Date.now() - HOUR_MS).toISOString();
  for (const name of ["one", "two", "three"]) {
    const id = `resp_unreported_${name}`;
    await catalog.upsert(
      createEntry({ id, completed_at }, { startedAtMs: Date.now() + HOUR_MS }),
      1,
    );
  }
  const startedAtMs = Date.now() - 26 * HOUR_MS;
  const stuck = createEntry({ id: "resp_stuck", verdict: "pending" }, { startedAtMs });
  await catalog.upsert(stuck, 1);
  const { status, checks } = await readHealth(world);
  expect([status, checks.webhooks.ok, checks.pending.ok]).toEqual([503, false, false]);
  expect(checks.webhooks.message).toContain("npm run deploy");
  expect(checks.pending).toMatchObject({
    id: "resp_stuck",
    at: new Date(startedAtMs).toISOString(),
  });
});

test("GET /health?deep=1 answers 503 when a setting is missing", async () => {
  const other = await startWorld({}, {}, { OPENAI_API_KEY: "" });
  const { status, settings, checks } = await readHealth(other);
  expect([status, settings["OPENAI_API_KEY"]]).toEqual([503, false]);
  expect(listFailures(checks)).toEqual(["openai_key", "openai_containers"]);
  expect(checks.openai_key.message).toContain("npx wrangler secret put OPENAI_API_KEY");
  await other.close();
});
