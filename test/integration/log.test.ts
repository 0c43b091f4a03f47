// What an operator finds in the log.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { containing, matching } from "../support/matchers.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, TOKEN, WEBHOOK_SECRET, type World } from "../support/world.ts";

const LogLine = z.looseObject({
  event: z.string(),
  id: z.string().nullish(),
  key: z.string().optional(),
  outcome: z.string().optional(),
  ms: z.number().optional(),
});
type LogLine = z.infer<typeof LogLine>;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

function readLog(): LogLine[] {
  const messages = world.worker.getLogs().map(({ message }) => message);
  return messages
    .filter((text) => text.startsWith("{"))
    .map((text) => LogLine.parse(JSON.parse(text)));
}

/** Returns the lines that contain an id, without those of KV operations. */
function findLines(id: string): LogLine[] {
  return readLog().filter((line) => line.event !== "kv" && JSON.stringify(line).includes(id));
}

/** Waits until an event is logged, which can be after the answer. */
function waitForEvent(id: string, event: string): Promise<LogLine[]> {
  return waitFor(
    async () => findLines(id),
    (lines) => lines.some((line) => line.event === event),
  );
}

test("the log has the events of a response in order, each with its outcome and duration", async () => {
  await world.emulator.configure({ backgroundOutputs: "present" });
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const lines = await waitForEvent(id, "store_record");
  for (const event of ["trigger", "list_record", "webhook", "observe", "run", "store_record"]) {
    const line = lines.find((one) => one.event === event);
    expect(line).toMatchObject({ event, id });
    expect(line?.outcome).toMatch(/\w/);
    expect(line?.ms).toBeGreaterThanOrEqual(0);
  }
  const order = ["trigger", "observe", "run", "store_record"].map((event) =>
    lines.findIndex((line) => line.event === event),
  );
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(lines.find(({ event }) => event === "webhook")?.outcome).toMatch(/^(delivered|started)$/);
  expect(lines.find(({ event }) => event === "run")?.outcome).toBe("captured");
  const keys = readLog().flatMap(({ key }) => (key?.includes(id) === true ? [key] : []));
  expect(keys).toContain(`record:${id}`);
});

test("the log has a failed observation with its reason", async () => {
  await world.emulator.addFault({
    method: "GET",
    path: "^/v1/responses/",
    times: 1,
    kind: "status",
    status: 500,
  });
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const observations = (await waitForEvent(id, "run")).filter(({ event }) => event === "observe");
  expect(observations[0]).toMatchObject({ http_status: 500, outcome: "http_500" });
  expect(observations.at(-1)).toMatchObject({
    http_status: 200,
    status: "completed",
    outcome: "seen",
  });
});

test("the log has rejected, ignored and duplicate webhooks", async () => {
  const id = await world.trigger();
  await world.waitUntilSettled(id);
  const event = { id: "evt_1", type: "response.completed", data: { id } };
  const post = (body: string, secret: string) =>
    fetch(`${world.url}/webhook`, { method: "POST", body, headers: signWebhook(body, secret) });
  await post(JSON.stringify(event), "whsec_d3Jvbmc=");
  await post(JSON.stringify({ ...event, type: "batch.completed" }), WEBHOOK_SECRET);
  await post(JSON.stringify(event), WEBHOOK_SECRET);
  await post(JSON.stringify(event), WEBHOOK_SECRET);
  const webhooks = readLog()
    .filter((line) => line.event === "webhook")
    .slice(-4);
  expect(webhooks[0]).toMatchObject({ error: containing("Signature does not match") });
  expect(webhooks.map(({ outcome }) => outcome)).toEqual([
    "bad_webhook",
    "ignored",
    "duplicate",
    "duplicate",
  ]);
});

test("the log has refetches, cancels, deletes and log-ins, and no token", async () => {
  const id = await world.trigger({ input: "emulator: run 5 seconds" });
  const ask = (path: string, method = "POST") => world.request(`/results/${id}${path}`, { method });
  await ask("/refetch");
  await ask("/cancel");
  await world.waitUntilSettled(id);
  await ask("/cancel");
  await ask("", "DELETE");
  for (const token of ["not-the-right-token", TOKEN]) {
    const body = new URLSearchParams({ token });
    await world.request("/login", { method: "POST", body, headers: { origin: world.url } });
  }
  const lines = findLines(id).filter((line) => line.event.endsWith("_requested"));
  expect(lines.map(({ event, outcome }) => `${event}: ${outcome}`)).toEqual([
    "refetch_requested: done",
    "cancel_requested: done",
    "cancel_requested: already_ended",
    "delete_requested: done",
  ]);
  const logins = readLog().filter(({ event }) => event === "login");
  expect(logins.map(({ outcome }) => outcome)).toEqual(["wrong_token", "authenticated"]);
  expect(JSON.stringify(readLog())).not.toContain("right-token");
});

test("the log has a rejected trigger, without its input", async () => {
  const before = readLog().length;
  const body = JSON.stringify({ input: "a-secret-question", control: "yes" });
  expect((await world.request("/trigger", { method: "POST", body })).status).toBe(400);
  const since = readLog().slice(before);
  expect(since).toMatchObject([{ event: "trigger", outcome: "bad_request" }]);
  expect(JSON.stringify(since)).not.toContain("a-secret-question");
});

test("the log has a held run's Connection, its deletion, and a control's Connection", async () => {
  const held = await world.trigger({ hold: true });
  await world.waitUntilSettled(held);
  const compared = await world.trigger({ control: true });
  await world.waitUntilSettled(compared);
  await waitForEvent(held, "run");
  await world.request(`/results/${held}`, { method: "DELETE" });
  const lines = await waitForEvent(held, "delete_record");
  const events = lines.map(({ event }) => event);
  expect(events).toEqual(
    expect.arrayContaining([
      "connection_open",
      "connection_hand_over",
      "connection_end",
      "connection_tell_end",
    ]),
  );
  const opened = lines.find(({ event }) => event === "connection_open");
  expect(opened).toMatchObject({ kind: "held", outcome: "opened" });
  expect(lines.find(({ event }) => event === "connection_end")).toMatchObject({
    connection: opened?.["connection"],
    outcome: "terminal",
    last_event: matching(/^\d+ response\.completed$/),
  });
  const controlLines = await waitForEvent(compared, "observe_control");
  const name = controlLines.find(({ kind }) => kind === "control")?.["connection"];
  expect(readLog().filter(({ connection }) => connection === name)).toMatchObject(
    [
      ["connection_announce_control", "accepted"],
      ["connection_open", "opened"],
      ["connection_end", "terminal"],
      ["connection_tell_control_end", "accepted"],
    ].map(([event, outcome]) => ({ event, outcome, kind: "control" })),
  );
  expect(controlLines.find(({ event }) => event === "observe_control")).toMatchObject({
    id: compared,
    outcome: "completed",
  });
});

test("the log says for a trigger, an observation and /v1 that OpenAI refused the key", async () => {
  const before = readLog().length;
  const refusal = { kind: "status", status: 401, times: 1 };
  await world.emulator.addFault({ ...refusal, method: "POST", path: "^/v1/responses$" });
  await world.request("/trigger", { method: "POST", body: "{}" });
  await world.emulator.addFault({ ...refusal, method: "GET", path: "^/v1/models$" });
  await world.request("/v1/models");
  await world.emulator.addFault({ ...refusal, method: "GET", path: "^/v1/responses/" });
  await waitForEvent(await world.trigger(), "observe");
  const found = readLog().slice(before);
  expect(found.filter(({ outcome }) => outcome === "openai_unauthorized")).toMatchObject([
    { event: "trigger" },
    { event: "v1", path: "/v1/models" },
  ]);
  const observations = found.filter(({ event }) => event === "observe");
  expect(observations.map((line) => line["http_status"])).toContain(401);
});

test("every filter of the table of alerts names an event that the Worker logs", () => {
  const table = readFileSync("docs/operations.md", "utf8").split("## Watch it")[1] ?? "";
  const filters = table.matchAll(/^\| `event = (\w+)`?(.*?) {2,}\|/gm);
  const events = [...filters].flatMap(([, first = "", more = ""]) => [
    first,
    ...[...more.replace(/`(outcome|ok|http_status) = .*/, "").matchAll(/`(\w+)`/g)].map(
      ([, name]) => name,
    ),
  ]);
  expect(events.length).toBeGreaterThan(15);
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(`src/${name}`, "utf8"));
  const logged = new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/(?:withLog|logged|log|logFailure)\(\s*"(\w+)"/g)].map(([, name]) => name),
    ),
  );
  expect(events.filter((name) => !logged.has(name))).toEqual([]);
});
