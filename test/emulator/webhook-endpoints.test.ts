import OpenAI, { NotFoundError } from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import { startTestEmulator } from "./setup.ts";
import { startWebhookReceiver } from "./webhook-receiver.ts";

const EVENT_TYPES = ["response.completed", "response.failed"] as const;

/** The status that the receiver sends. */
let status = 200;

const receiver = await startWebhookReceiver(() => status);
const { url } = receiver;
const { client } = await startTestEmulator();
const { webhooks } = client;

beforeEach(async () => {
  receiver.clear();
  status = 200;
  for await (const { id } of webhooks.list()) await webhooks.delete(id);
});

function registerEndpoint() {
  return webhooks.create({ name: "a recorder", url, event_types: [...EVENT_TYPES] });
}

async function isSignedWith(secret: string): Promise<boolean> {
  const { headers, body } = await receiver.waitForFirst();
  const verifier = new OpenAI({ apiKey: "none" });
  return verifier.webhooks.unwrap(body, headers, secret).then(
    () => true,
    () => false,
  );
}

function startRun(input = "hello") {
  return client.responses.create({ model: "gpt-5.2", background: true, input });
}

describe("a webhook endpoint", () => {
  test("returns its secret when it is created, and later only a hint", async () => {
    const made = await registerEndpoint();
    expect(made).toMatchObject({ object: "webhook_endpoint", url, event_types: EVENT_TYPES });
    expect(made.signing_secret).toMatch(/^whsec_/);
    const found = await webhooks.retrieve(made.id);
    expect(found).not.toHaveProperty("signing_secret");
    expect(made.signing_secret.endsWith(found.signing_secret_hint?.slice(-4) ?? "?")).toBe(true);
  });

  test("is listed, changed and deleted", async () => {
    const [one, two] = [await registerEndpoint(), await registerEndpoint()];
    const listed: string[] = [];
    for await (const { id } of webhooks.list({ limit: 1 })) listed.push(id);
    expect(new Set(listed)).toEqual(new Set([one.id, two.id]));
    const changed = await webhooks.update(one.id, { event_types: ["response.cancelled"] });
    expect(changed).toMatchObject({ name: "a recorder", event_types: ["response.cancelled"] });
    expect(await webhooks.delete(one.id)).toMatchObject({ id: one.id, deleted: true });
    await expect(webhooks.retrieve(one.id)).rejects.toThrow(NotFoundError);
  });

  test("receives the events that it subscribes to, signed with its own secret", async () => {
    const { signing_secret: secret } = await registerEndpoint();
    await webhooks.create({ name: "another", url: `${url}/2`, event_types: ["response.failed"] });
    const { id } = await startRun();
    expect((await receiver.waitForFirst()).body).toContain(
      `"type": "response.completed", "data": {"id": "${id}"}`,
    );
    expect(await isSignedWith(secret)).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    { keep: true, old: true },
    { keep: false, old: false },
  ])(
    "rotates its secret; with the old one kept: $keep, the old one signs: $old",
    async ({ keep, old }) => {
      const before = await registerEndpoint();
      const after = await webhooks.rotateSecret(before.id, {
        keep_old_secret_active_for_24_hours: keep,
      });
      expect(after.signing_secret).not.toBe(before.signing_secret);
      await startRun();
      expect(await isSignedWith(after.signing_secret)).toBe(true);
      expect(await isSignedWith(before.signing_secret)).toBe(old);
    },
  );

  test.each([200, 400, 503])("returns the receiver's status %i of a test event", async (code) => {
    status = code;
    const { id, signing_secret: secret } = await registerEndpoint();
    const result = await webhooks.test(id, { event_type: "response.completed" });
    expect(result).toMatchObject({ status_code: code, success: true, webhook_endpoint_id: id });
    expect(await isSignedWith(secret)).toBe(true);
    expect(receiver.received).toHaveLength(1);
  });

  test("receives nothing after DELETE", async () => {
    status = 503;
    const { id } = await registerEndpoint();
    await startRun();
    await receiver.waitForFirst();
    await webhooks.delete(id);
    // An attempt that was on its way may still arrive.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    status = 200;
    receiver.clear();
    await registerEndpoint();
    const { id: later } = await startRun("later");
    expect((await receiver.waitForFirst()).body).toContain(later);
  });

  test.each(["http://example.com/webhook", "ftp://127.0.0.1/"])(
    "is rejected at %s",
    async (bad) => {
      const params = { name: "x", url: bad, event_types: [...EVENT_TYPES] };
      await expect(webhooks.create(params)).rejects.toThrow(/https/);
    },
  );
});
