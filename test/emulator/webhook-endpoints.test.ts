import { createServer } from "node:http";
import OpenAI, { NotFoundError } from "openai";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { emulate, until } from "./setup.ts";

const TYPES = ["response.completed", "response.failed"] as const;

let letters: { headers: Headers; body: string }[] = [];
let answer = 200;

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    letters.push({ headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answer).end();
  });
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
afterAll(() => receiver.closeAllConnections());
afterAll(() => receiver.close());

const { port } = z.object({ port: z.number() }).parse(receiver.address());
const url = `http://127.0.0.1:${port}/webhook`;
const { client } = await emulate();
const { webhooks } = client;

beforeEach(async () => {
  letters = [];
  answer = 200;
  for await (const { id } of webhooks.list()) await webhooks.delete(id);
});

function register() {
  return webhooks.create({ name: "a recorder", url, event_types: [...TYPES] });
}

async function received(): Promise<{ headers: Headers; body: string }> {
  const all = await until(
    async () => letters,
    (list) => list.length > 0,
  );
  const letter = all[0];
  if (letter === undefined) throw new Error("nothing was received");
  return letter;
}

async function accepts(secret: string): Promise<boolean> {
  const { headers, body } = await received();
  const verifier = new OpenAI({ apiKey: "none" });
  return verifier.webhooks.unwrap(body, headers, secret).then(
    () => true,
    () => false,
  );
}

function run(input = "hello") {
  return client.responses.create({ model: "gpt-5.2", background: true, input });
}

describe("a webhook endpoint", () => {
  test("shows its secret when it is made, and then only a hint of it", async () => {
    const made = await register();
    expect(made).toMatchObject({ object: "webhook_endpoint", url, event_types: TYPES });
    expect(made.signing_secret).toMatch(/^whsec_/);
    const found = await webhooks.retrieve(made.id);
    expect(found).not.toHaveProperty("signing_secret");
    expect(made.signing_secret.endsWith(found.signing_secret_hint?.slice(-4) ?? "?")).toBe(true);
  });

  test("is listed, changed and deleted", async () => {
    const [one, two] = [await register(), await register()];
    const listed: string[] = [];
    for await (const { id } of webhooks.list({ limit: 1 })) listed.push(id);
    expect(new Set(listed)).toEqual(new Set([one.id, two.id]));
    const changed = await webhooks.update(one.id, { event_types: ["response.cancelled"] });
    expect(changed).toMatchObject({ name: "a recorder", event_types: ["response.cancelled"] });
    expect(await webhooks.delete(one.id)).toMatchObject({ id: one.id, deleted: true });
    await expect(webhooks.retrieve(one.id)).rejects.toThrow(NotFoundError);
  });

  test("gets the events it wants, signed with its own secret", async () => {
    const { signing_secret: secret } = await register();
    await webhooks.create({ name: "another", url: `${url}/2`, event_types: ["response.failed"] });
    const { id } = await run();
    expect((await received()).body).toContain(
      `"type": "response.completed", "data": {"id": "${id}"}`,
    );
    expect(await accepts(secret)).toBe(true);
    expect(letters).toHaveLength(1);
  });

  test.each([
    { keep: true, old: true },
    { keep: false, old: false },
  ])(
    "whose secret was rotated, keeping the old one: $keep, signs with it: $old",
    async ({ keep, old }) => {
      const before = await register();
      const after = await webhooks.rotateSecret(before.id, {
        keep_old_secret_active_for_24_hours: keep,
      });
      expect(after.signing_secret).not.toBe(before.signing_secret);
      await run();
      expect(await accepts(after.signing_secret)).toBe(true);
      expect(await accepts(before.signing_secret)).toBe(old);
    },
  );

  test.each([200, 400, 503])("that answers %i to a test event has that told", async (status) => {
    answer = status;
    const { id, signing_secret: secret } = await register();
    const result = await webhooks.test(id, { event_type: "response.completed" });
    expect(result).toMatchObject({ status_code: status, success: true, webhook_endpoint_id: id });
    expect(await accepts(secret)).toBe(true);
    expect(letters).toHaveLength(1);
  });

  test("that is deleted is sent nothing more", async () => {
    answer = 503;
    const { id } = await register();
    await run();
    await received();
    await webhooks.delete(id);
    // An attempt that was on its way may still arrive.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    answer = 200;
    letters = [];
    await register();
    const { id: later } = await run("later");
    expect((await received()).body).toContain(later);
  });

  test.each(["http://example.com/webhook", "ftp://127.0.0.1/"])("can't be at %s", async (bad) => {
    const wish = { name: "x", url: bad, event_types: [...TYPES] };
    await expect(webhooks.create(wish)).rejects.toThrow(/https/);
  });
});
