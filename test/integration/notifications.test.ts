// The report of a run's end to NOTIFY_URL.
import OpenAI from "openai";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { matching } from "../support/matchers.ts";
import {
  startNotificationReceiver,
  type NotificationReceiver,
  type ReceivedNotification,
  type ReceiverAnswer,
} from "../support/notification-receiver.ts";
import { sleep } from "../../src/lib/retry.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const KEY = "bm90aWZpY2F0aW9ucy1mb3ItdGVzdHMtb25seQ==";
const NOTIFY_SECRET = `whsec_${KEY}`;
const CANARY = "canary-7e21ab";

const openai = new OpenAI({ apiKey: "unused", webhookSecret: NOTIFY_SECRET });

let world: World;
let receiver: NotificationReceiver;
/** By the name in a run's metadata: how its attempts are answered; after the last, 200. */
const answers = new Map<string, ReceiverAnswer[]>();
/** The statuses that `GET /v1/responses/:id` showed when a notification came. */
const shownStatuses = new Map<string, string>();

const V1Response = z.object({ id: z.string(), status: z.string() });

beforeAll(async () => {
  receiver = await startNotificationReceiver(async (attempt, { event }) => {
    const { id, metadata } = event.data;
    if (metadata["ask"] === "v1") shownStatuses.set(id, await readStatus(id));
    return answers.get(metadata["name"] ?? "")?.[attempt - 1] ?? 200;
  });
  const NOTIFY_URL = `${receiver.url}/hooks/${CANARY}?key=${CANARY}`;
  world = await startWorld({ backgroundOutputs: "present" }, { NOTIFY_URL }, { NOTIFY_SECRET });
});
afterAll(async () => {
  await world.close();
  await receiver.close();
});

async function readStatus(id: string): Promise<string> {
  const answer = await world.request(`/v1/responses/${id}`);
  return V1Response.parse(await answer.json()).status;
}

function readNotification(id: string): Promise<ResponseRecord["notification"]> {
  return world
    .request(`/results/${id}`)
    .then(async (answer) => ResponseRecord.parse(await answer.json()).notification);
}

/** Waits until the last attempt was delivered or given up. */
function waitForDelivery(id: string): Promise<ResponseRecord["notification"]> {
  return waitFor(
    () => readNotification(id),
    (notification) => notification !== null && notification.next_at === null,
  );
}

/** Starts a run with metadata. */
function triggerWith(metadata: Record<string, string>, flags: object = {}): Promise<string> {
  const input = toPythonInput("print('done')");
  return world.trigger({ input, tools: CODE_INTERPRETER, metadata, ...flags });
}

/** What both libraries make of a notification. */
async function unwrap({ body, headers }: ReceivedNotification): Promise<unknown> {
  const event: unknown = await openai.webhooks.unwrap(body, headers);
  expect(new Webhook(NOTIFY_SECRET).verify(body, headers)).toEqual(event);
  return event;
}

test("a run's end is reported once, as an event of OpenAI's own shape that both libraries verify", async () => {
  const id = await triggerWith({ order: "17" });
  await world.waitUntilSettled(id);
  const notification = await waitForDelivery(id);
  expect(notification).toEqual({ at: matching(/^\d{4}-/), status: 200, next_at: null });
  const [received, ...more] = receiver.about(id);
  if (received === undefined) throw new Error("Nothing was received.");
  expect(more).toEqual([]);
  expect(await unwrap(received)).toEqual({
    id: received.headers["webhook-id"],
    object: "event",
    type: "response.completed",
    created_at: Math.floor(Date.parse(notification?.at ?? "") / 1000),
    data: {
      id,
      verdict: "captured",
      result_url: `${world.url}/results/${id}`,
      metadata: { order: "17" },
    },
  });
  expect(received.headers).toMatchObject({
    "content-type": "application/json",
    "webhook-id": matching(/^evt_[0-9a-f]{32}$/),
    "user-agent": matching(/^response-recorder\//),
  });
  expect(received.headers["authorization"]).toBeUndefined();
});

test("a notification comes again until it is answered 2xx, with the same id and a timestamp of its own; a redirect is not followed", async () => {
  answers.set("stubborn", [503, 302, "hang"]);
  const id = await triggerWith({ name: "stubborn" });
  const received = await receiver.waitFor(id, 4);
  expect(await waitForDelivery(id)).toMatchObject({ status: 200 });
  const events = await Promise.all(received.map(unwrap));
  expect(new Set(events.map((event) => JSON.stringify(event))).size).toBe(1);
  expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  // The attempts are seconds apart.
  const times = received.map(({ headers }) => headers["webhook-timestamp"]);
  expect(new Set(times).size).toBe(4);
  expect(receiver.received.map(({ path }) => path)).not.toContain("/elsewhere");
});

test("GET /results/:id says when a refused notification is tried again, also on its page", async () => {
  answers.set(
    "refused",
    Array.from({ length: 20 }, () => 500),
  );
  const id = await triggerWith({ name: "refused" });
  await receiver.waitFor(id, 3);
  const notification = await waitFor(
    () => readNotification(id),
    (one) => one !== null,
  );
  expect(notification).toMatchObject({ status: 500, next_at: matching(/Z$/) });
  const page = await world.request(`/results/${id}`, { headers: { accept: "text/html" } });
  expect(await page.text()).toMatch(/Notification<\/dt><dd>answered 500 .*; next attempt /);
});

test("DELETE /results/:id ends the attempts", async () => {
  answers.set(
    "deleted",
    Array.from({ length: 20 }, () => 500),
  );
  const id = await triggerWith({ name: "deleted" });
  await receiver.waitFor(id, 2);
  expect((await world.request(`/results/${id}`, { method: "DELETE" })).status).toBe(204);
  const { length } = receiver.about(id);
  // Longer than the gap before the next attempts.
  await sleep(6_000);
  expect(receiver.about(id).length).toBe(length);
});

test("a held run of /v1 can be retrieved whole when its notification comes", async () => {
  const body = JSON.stringify({
    model: "gpt-5.2",
    input: "hello",
    background: true,
    metadata: { ask: "v1" },
  });
  const created = await world.request("/v1/responses", { method: "POST", body });
  const { id } = V1Response.parse(await created.json());
  const [received] = await receiver.waitFor(id);
  expect(received?.event).toMatchObject({ type: "response.completed", data: { id } });
  expect(await waitForDelivery(id)).toMatchObject({ status: 200 });
  expect(shownStatuses.get(id)).toBe("completed");
});

test("a control is not reported, and its run once", async () => {
  const id = await triggerWith({ name: "compared" }, { control: true });
  const { control } = await world.waitUntilSettled(id);
  await waitForDelivery(id);
  expect(receiver.about(id).length).toBe(1);
  expect(receiver.about(control?.id ?? "")).toEqual([]);
});

test("a response that failed is reported as response.failed", async () => {
  const id = await world.trigger({ input: "emulator: fail with server_error" });
  const [received] = await receiver.waitFor(id);
  expect(received?.event.type).toBe("response.failed");
});

test("an external response is reported with the origin that its webhook came to", async () => {
  const created = await world.emulator.sendToApi("/responses", {
    method: "POST",
    body: JSON.stringify({ model: "gpt-5.2", input: "hello", background: true }),
  });
  const { id } = V1Response.parse(await created.json());
  const [received] = await receiver.waitFor(id);
  expect(received?.event.data.result_url).toBe(`${world.url}/results/${id}`);
});

test("a notification costs no write to KV", async () => {
  const id = await world.trigger({ input: "hello" });
  await waitForDelivery(id);
  const writes = world.kvOperations().filter(({ operation }) => operation === "put");
  expect(writes.filter(({ key }) => key.includes(id)).length).toBe(1);
});

test("neither NOTIFY_SECRET nor what NOTIFY_URL has after its host is in a log line, a record or a page", async () => {
  answers.set("secret", [500]);
  const id = await triggerWith({ name: "secret" });
  await receiver.waitFor(id, 2);
  await waitForDelivery(id);
  const lines = world.worker.getLogs().map(({ message }) => message);
  const sent = lines.filter((line) => line.startsWith('{"event":"notify"') && line.includes(id));
  expect(sent.map((line) => z.looseObject({}).parse(JSON.parse(line)))).toMatchObject([
    { to: receiver.url, outcome: "refused", http_status: 500 },
    { to: receiver.url, outcome: "delivered", http_status: 200 },
  ]);
  const record = await (await world.request(`/results/${id}`)).text();
  const page = await world.request(`/results/${id}`, { headers: { accept: "text/html" } });
  const list = await world.request("/results", { headers: { authorization: `Bearer ${TOKEN}` } });
  for (const text of [lines.join("\n"), record, await page.text(), await list.text()]) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(KEY);
  }
});
