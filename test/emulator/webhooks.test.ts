import { createServer } from "node:http";
import OpenAI, { InvalidWebhookSignatureError } from "openai";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { sign } from "../../emulator/webhooks/signature.ts";
import { emulate, until } from "./setup.ts";

interface Letter {
  headers: Headers;
  body: string;
}

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes, ok").toString("base64")}`;
const OLD = `whsec_${Buffer.from("an older one of thirty-two bytes").toString("base64")}`;

let letters: Letter[] = [];
/** What the receiver answers, one after another; 200 when there is nothing left. */
let answers: number[] = [];

const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    letters.push({ headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 200, { location: "/elsewhere" }).end();
  });
});
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
afterAll(() => receiver.closeAllConnections());
afterAll(() => receiver.close());

const { port } = z.object({ port: z.number() }).parse(receiver.address());
const { client, control } = await emulate({
  webhookUrl: `http://127.0.0.1:${port}/webhook`,
  webhookSecret: SECRET,
});

beforeEach(async () => {
  letters = [];
  answers = [];
  await control("PATCH /settings", { webhookSecretOld: null, webhookCopies: 1 });
});

async function start(input: string): Promise<string> {
  const { id } = await client.responses.create({ model: "gpt-5.2", background: true, input });
  return id;
}

async function received(count: number): Promise<Letter[]> {
  return until(
    async () => letters,
    (all) => all.length >= count,
  );
}

const Deliveries = z.array(z.looseObject({ response_id: z.string() }));

async function attempts(id: string): Promise<unknown[]> {
  const all = Deliveries.parse(await control("GET /deliveries"));
  return all.filter(({ response_id }) => response_id === id);
}

function unwrap({ body, headers }: Letter, secret: string) {
  return new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret);
}

describe("a webhook", () => {
  test.each([
    ["hello", "response.completed"],
    ["emulator: fail", "response.failed"],
    ["emulator: incomplete", "response.incomplete"],
  ])("after %j is %s, and the SDK accepts it", async (input, type) => {
    const id = await start(input);
    const [letter] = await received(1);
    if (!letter) throw new Error("nothing was received");
    const event = await unwrap(letter, SECRET);
    expect(event).toMatchObject({ type, object: "event", data: { id } });
    expect(event.id).toMatch(/^evt_/);
    expect(letter.headers.get("webhook-id")).toMatch(/^wh_/);
  });

  test("of a cancelled response says so", async () => {
    const id = await start("emulator: run 600 seconds");
    await client.responses.cancel(id);
    const [letter] = await received(1);
    expect(letter?.body).toMatch(`"type": "response.cancelled", "data": {"id": "${id}"}}`);
  });

  test("isn't sent for a foreground response", async () => {
    const done = await client.responses.create({ model: "gpt-5.2", input: "hi" });
    await start("background");
    await received(1);
    expect(letters.map(({ body }) => body).join("")).not.toMatch(done.id);
  });

  test("is sent again under the same id until it is accepted", async () => {
    answers = [500, 302, 410];
    const id = await start("hello");
    const four = await received(4);
    expect(new Set(four.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
    const all = await until(
      () => attempts(id),
      (list) => list.length === 4,
    );
    expect(all).toMatchObject(
      [500, 302, 410, 200].map((status, index) => ({ status, attempt: index + 1 })),
    );
  });

  test("is sent in as many copies as the setting says", async () => {
    await control("PATCH /settings", { webhookCopies: 3 });
    await start("hello");
    const three = await received(3);
    expect(new Set(three.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
  });

  test("is signed with both secrets while they are rotated", async () => {
    await control("PATCH /settings", { webhookSecretOld: OLD });
    await start("hello");
    const [letter] = await received(1);
    if (!letter) throw new Error("nothing was received");
    expect(letter.headers.get("webhook-signature")?.split(" ")).toHaveLength(2);
    await expect(unwrap(letter, SECRET)).resolves.toBeDefined();
    await expect(unwrap(letter, OLD)).resolves.toBeDefined();
  });

  test("is never sent when the setting says so", async () => {
    await control("PATCH /settings", { webhookDrop: true });
    const lost = await start("hello");
    await until(
      () => client.responses.retrieve(lost),
      ({ status }) => status === "completed",
    );
    await control("PATCH /settings", { webhookDrop: false });
    const id = await start("hello");
    const [letter] = await received(1);
    expect(letter?.body).toMatch(id);
  });

  test("of any kind can be sent by hand", async () => {
    const order = { type: "batch.completed", response_id: "batch_1", copies: 2, secret: OLD };
    expect(await control("POST /webhooks", order)).toMatchObject({
      webhook_id: expect.stringMatching(/^wh_/) as unknown,
    });
    const [letter] = await received(2);
    if (!letter) throw new Error("nothing was received");
    await expect(unwrap(letter, OLD)).resolves.toMatchObject({ type: "batch.completed" });
    await expect(unwrap(letter, SECRET)).rejects.toThrow(InvalidWebhookSignatureError);
  });

  test("can be sent with an old timestamp", async () => {
    const order = { type: "response.completed", response_id: "resp_1", timestamp: 1_700_000_000 };
    await control("POST /webhooks", order);
    const [letter] = await received(1);
    if (!letter) throw new Error("nothing was received");
    await expect(unwrap(letter, SECRET)).rejects.toThrow(/too old/);
  });
});

test.each([
  [
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    1_614_265_330,
    '{"test": 2432232314}',
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  ],
  [
    "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
    "wh_685c059ae39c8190af8c71ed1022a24d",
    1_750_861_210,
    '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
  ],
])("signatures agree with published vectors (%s)", (secret, id, timestamp, body, signature) => {
  expect(sign({ secret, id, timestamp, body })).toBe(signature);
});
