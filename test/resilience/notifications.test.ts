// The report of a run's end while the Worker or the receiver is down, or the settings are wrong.
import OpenAI from "openai";
import { expect, test } from "vitest";
import { freePort } from "../../scripts/lib/free-port.ts";
import { ResponseRecord } from "../../src/record/schema.ts";
import { startNotificationReceiver } from "../support/notification-receiver.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { waitFor, waitUntil } from "../support/wait.ts";

const NOTIFY_SECRET = `whsec_${btoa("notifications-for-tests-only")}`;

async function readRecord(world: ProcessWorld, id: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}`)).json());
}

function waitForAttempt(world: ProcessWorld, id: string): Promise<ResponseRecord> {
  return waitFor(
    () => readRecord(world, id),
    ({ notification }) => notification !== null,
  );
}

test("a run is reported after its receiver was down and workerd was killed, without any request meanwhile", async () => {
  const port = await freePort();
  const vars = { NOTIFY_URL: `http://127.0.0.1:${port}/hook`, NOTIFY_SECRET };
  const world = await startProcessWorld({ runSeconds: 0.1 }, { vars });
  try {
    const id = await world.trigger({});
    const { notification } = await waitForAttempt(world, id);
    expect(notification).toMatchObject({ status: null });
    await world.kill();
    const receiver = await startNotificationReceiver(() => 204, port);
    try {
      await world.restart();
      const [received] = await receiver.waitFor(id);
      const { body = "", headers = {} } = received ?? {};
      const client = new OpenAI({ apiKey: "unused", webhookSecret: NOTIFY_SECRET });
      expect(await client.webhooks.unwrap(body, headers)).toMatchObject({ data: { id } });
      await waitUntil(async () => (await readRecord(world, id)).notification?.status === 204);
      expect(receiver.about(id).length).toBe(1);
    } finally {
      await receiver.close();
    }
  } finally {
    await world.close();
  }
});

test("an attempt that a kill -9 cuts off is made again with the same id", async () => {
  const receiver = await startNotificationReceiver((attempt) => (attempt === 1 ? "hang" : 200));
  // The deadline's alarm stays while effects are under way, so it is what notices the kill.
  const vars = { NOTIFY_URL: receiver.url, NOTIFY_SECRET, WEBHOOK_DEADLINE: "5" };
  const world = await startProcessWorld({ runSeconds: 0.1 }, { vars });
  try {
    const id = await world.trigger({});
    await receiver.waitFor(id);
    await world.restart();
    const received = await receiver.waitFor(id, 2);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    await waitUntil(async () => (await readRecord(world, id)).notification?.status === 200);
  } finally {
    await world.close();
    await receiver.close();
  }
});

test("without a valid NOTIFY_SECRET nothing is sent, GET /health says so, and runs are recorded and reported once it is corrected", async () => {
  const receiver = await startNotificationReceiver();
  const vars = { NOTIFY_URL: receiver.url, NOTIFY_SECRET: "not-a-secret" };
  const world = await startProcessWorld({ runSeconds: 0.1 }, { vars });
  try {
    const health = await world.request("/health");
    expect([health.status, await health.json()]).toMatchObject([
      503,
      { ready: false, settings: { NOTIFY_URL: true, NOTIFY_SECRET: false, ACCESS_TOKEN: true } },
    ]);
    const id = await world.trigger({});
    const record = await waitForAttempt(world, id);
    expect(record).toMatchObject({ status: "completed", notification: { status: null } });
    expect(receiver.received).toEqual([]);
    await world.restart({ NOTIFY_SECRET });
    expect((await world.request("/health")).status).toBe(200);
    await receiver.waitFor(id);
  } finally {
    await world.close();
    await receiver.close();
  }
});

type WrongSettings = {
  what: string;
  vars: Record<string, string>;
  settings: Record<string, boolean>;
};

test.each<WrongSettings>([
  {
    what: "NOTIFY_SECRET alone",
    vars: { NOTIFY_SECRET },
    settings: { NOTIFY_URL: false, NOTIFY_SECRET: true },
  },
  {
    what: "NOTIFY_URL alone",
    vars: { NOTIFY_URL: "http://127.0.0.1/" },
    settings: { NOTIFY_URL: true, NOTIFY_SECRET: false },
  },
  {
    what: "a password in NOTIFY_URL",
    vars: { NOTIFY_SECRET, NOTIFY_URL: "http://user:password@127.0.0.1/" },
    settings: { NOTIFY_URL: false, NOTIFY_SECRET: true },
  },
])(
  "with $what GET /health answers 503 and says which setting it is",
  async ({ vars, settings }) => {
    const world = await startProcessWorld({}, { vars });
    try {
      const health = await world.request("/health");
      expect([health.status, await health.json()]).toMatchObject([503, { settings }]);
    } finally {
      await world.close();
    }
  },
);
