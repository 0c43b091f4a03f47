// The log is what an operator has: one response's story must stand in it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { sign } from "../support/sign.ts";
import { startWorld, TOKEN, WEBHOOK_SECRET, type World } from "../support/world.ts";

const Line = z.looseObject({
  event: z.string(),
  id: z.string().nullish(),
  key: z.string().optional(),
  outcome: z.string().optional(),
  ms: z.number().optional(),
});
type Line = z.infer<typeof Line>;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

function lines(): Line[] {
  const messages = world.worker.getLogs().map(({ message }) => message);
  return messages
    .filter((text) => text.startsWith("{"))
    .map((text) => Line.parse(JSON.parse(text)));
}

/** The lines in which an id stands, without those of single KV operations. */
function storyOf(id: string): Line[] {
  return lines().filter((line) => line.event !== "kv" && JSON.stringify(line).includes(id));
}

/** Waits for what comes after the answer. */
async function untilLogged(id: string, event: string): Promise<Line[]> {
  for (;;) {
    const story = storyOf(id);
    if (story.some((line) => line.event === event)) return story;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("one response's whole story stands in the log, in order, each with its outcome and its time", async () => {
  await world.emulate({ backgroundOutputs: "present" });
  const id = await world.trigger();
  await world.settled(id);
  const story = await untilLogged(id, "run");
  for (const event of ["trigger", "list_record", "webhook", "observe", "store_record", "run"]) {
    const line = story.find((one) => one.event === event);
    expect(line).toMatchObject({ event, id });
    expect(line?.outcome).toMatch(/\w/);
    expect(line?.ms).toBeGreaterThanOrEqual(0);
  }
  const firsts = ["trigger", "observe", "store_record", "run"].map((event) =>
    story.findIndex((line) => line.event === event),
  );
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  expect(story.find(({ event }) => event === "webhook")?.outcome).toMatch(/^(delivered|started)$/);
  expect(story.find(({ event }) => event === "run")?.outcome).toBe("captured");
  const keys = lines().flatMap(({ key }) => (key?.includes(id) === true ? [key] : []));
  expect(keys).toContain(`record:${id}`);
});

test("what fails stands in it with its reason", async () => {
  await world.fault({
    method: "GET",
    path: "^/v1/responses/",
    times: 1,
    kind: "status",
    status: 500,
  });
  const id = await world.trigger();
  await world.settled(id);
  const looks = (await untilLogged(id, "run")).filter(({ event }) => event === "observe");
  expect(looks[0]).toMatchObject({ http_status: 500, outcome: "http_500" });
  expect(looks.at(-1)).toMatchObject({ http_status: 200, status: "completed", outcome: "seen" });
});

test("a webhook that is refused or not acted on stands in it, and so does one that comes again", async () => {
  const id = await world.trigger();
  await world.settled(id);
  const event = { id: "evt_1", type: "response.completed", data: { id } };
  const post = (body: string, secret: string) =>
    fetch(`${world.url}/webhook`, { method: "POST", body, headers: sign(body, secret) });
  await post(JSON.stringify(event), "whsec_d3Jvbmc=");
  await post(JSON.stringify({ ...event, type: "batch.completed" }), WEBHOOK_SECRET);
  await post(JSON.stringify(event), WEBHOOK_SECRET);
  await post(JSON.stringify(event), WEBHOOK_SECRET);
  const webhooks = lines()
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

test("who looks, cancels, deletes or logs in stands in it, and no token", async () => {
  const id = await world.trigger({ input: "emulator: run 5 seconds" });
  const ask = (path: string, method = "POST") => world.ask(`/results/${id}${path}`, { method });
  await ask("/refetch");
  await ask("/cancel");
  await world.settled(id);
  await ask("/cancel");
  await ask("", "DELETE");
  for (const token of ["not-the-right-token", TOKEN]) {
    const body = new URLSearchParams({ token });
    await world.ask("/login", { method: "POST", body, headers: { origin: world.url } });
  }
  const story = storyOf(id).filter((line) => line.event.endsWith("_requested"));
  expect(story.map(({ event, outcome }) => `${event}: ${outcome}`)).toEqual([
    "refetch_requested: done",
    "cancel_requested: done",
    "cancel_requested: already_ended",
    "delete_requested: done",
  ]);
  const logins = lines().filter(({ event }) => event === "login");
  expect(logins.map(({ outcome }) => outcome)).toEqual(["wrong_token", "authenticated"]);
  expect(JSON.stringify(lines())).not.toContain("right-token");
});

test("a trigger that is refused stands in it, without what was asked", async () => {
  const before = lines().length;
  const body = JSON.stringify({ input: "a-secret-question", control: "yes" });
  expect((await world.ask("/trigger", { method: "POST", body })).status).toBe(400);
  const since = lines().slice(before);
  expect(since).toMatchObject([{ event: "trigger", outcome: "bad_request" }]);
  expect(JSON.stringify(since)).not.toContain("a-secret-question");
});

test("a held run, its control's and its deletion stand in it", async () => {
  const held = await world.trigger({ hold: true });
  await world.settled(held);
  const compared = await world.trigger({ control: true });
  await world.settled(compared);
  await untilLogged(held, "run");
  await world.ask(`/results/${held}`, { method: "DELETE" });
  const story = await untilLogged(held, "delete_record");
  const events = story.map(({ event }) => event);
  expect(events).toEqual(
    expect.arrayContaining(["hold_begin", "handover", "hold_end", "hold_reported"]),
  );
  const control = (await untilLogged(compared, "control")).find((line) => line.event === "control");
  expect(control).toMatchObject({ id: compared, outcome: "completed" });
});

// Vitest types its matchers as any.
function containing(text: string): unknown {
  const matcher: unknown = expect.stringContaining(text);
  return matcher;
}
