// Ids of gateways that the recorder can't record: the answer names them, and says what to do.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { containing } from "../support/matchers.ts";
import {
  beginEvents,
  sendEvents,
  sendJson,
  startStandIn,
  toResponse,
  type StandIn,
} from "../support/openai-stand-in.ts";
import { signWebhook } from "../support/sign-webhook.ts";
import { startWorld, WEBHOOK_SECRET, type World } from "../support/world.ts";

const StreamFlag = z.looseObject({ stream: z.boolean().catch(false) });

let standIn: StandIn;
let world: World;
/** The first response object of the next create. */
let created: object;
beforeAll(async () => {
  standIn = await startStandIn(({ method, path, body }, response) => {
    if (method !== "POST") {
      const id = path.split("/").at(-1) ?? "";
      return sendJson(response, toResponse({ id, background: true }));
    }
    if (!StreamFlag.parse(JSON.parse(body.toString())).stream) return sendJson(response, created);
    beginEvents(response);
    sendEvents(response, [{ type: "response.created", response: created }]);
    return response.end();
  });
  world = await startWorld({}, { OPENAI_BASE_URL: `${standIn.url}/v1` });
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const queued = (id: unknown) => ({
  ...toResponse({ id: "resp_1", background: true }, "queued"),
  id,
});

const WAYS = [
  ["a trigger", "/trigger", {}],
  ["a held run", "/trigger", { hold: true }],
  ["a followed run", "/trigger", { stream: true }],
  ["/v1", "/v1/responses", { model: "m", background: true }],
] as const;
const LONG_ID = `resp_${"a".repeat(396)}`;
const ODD_IDS = [
  ["with a slash", "proj/resp_1", "proj/resp_1"],
  ["of 401 characters", LONG_ID, `${LONG_ID.slice(0, 100)}… (401 characters)`],
  ["with hidden characters", "resp_\u202e1\n2", "resp_?1?2"],
  ["that is a number", 17, "17"],
  ["that is ..", "..", ".."],
] as const;

for (const [way, path, flags] of WAYS) {
  test.each(ODD_IDS)(
    `${way} that gets an id %s names it, and says what to do`,
    async (_, id, shown) => {
      created = queued(id);
      const body = JSON.stringify({ input: "hello", ...flags });
      const answer = await world.request(path, { method: "POST", body });
      expect(answer.status).toBe(502);
      expect(await answer.json()).toMatchObject({
        error: { code: "may_have_started", id: shown, message: containing(`"${shown}"`) },
      });
      expect(answer.headers.get("location")).toBeNull();
    },
  );

  test(`${way} that gets no id says that it is not known whether a run started`, async () => {
    created = { object: "response" };
    const body = JSON.stringify({ input: "hello", ...flags });
    const answer = await world.request(path, { method: "POST", body });
    expect(answer.status).toBe(502);
    const text = await answer.text();
    expect(text).toContain("It is not known whether");
    expect(text).toContain("was not a response object");
  });

  test(`${way} that gets an id in an odd answer names it, and a refetch records it`, async () => {
    const id = `resp_odd_${WAYS.findIndex(([name]) => name === way)}`;
    created = { ...queued(id), status: 7 };
    const body = JSON.stringify({ input: "hello", ...flags });
    const answer = await world.request(path, { method: "POST", body });
    const refetch = `/results/${id}/refetch`;
    expect(await answer.json()).toMatchObject({
      error: { code: "may_have_started", id, message: containing(`POST ${refetch}`) },
    });
    expect((await world.request(refetch, { method: "POST" })).status).toBe(202);
    expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "captured" });
  });
}

test("an id of 300 characters with = is recorded, and one of 301 is not", async () => {
  const id = `resp_${"a=".repeat(148)}`.slice(0, 300);
  created = queued(id);
  expect(await world.trigger({ input: "hello" })).toBe(id);
  created = queued(`${id}a`);
  const body = '{"input":"hello"}';
  expect((await world.request("/trigger", { method: "POST", body })).status).toBe(502);
});

test.each(ODD_IDS)("POST /webhook for an id %s names it", async (_, id, shown) => {
  const body = JSON.stringify({ type: "response.completed", data: { id } });
  const headers = signWebhook(body, WEBHOOK_SECRET);
  const answer = await world.request("/webhook", { method: "POST", body, headers });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: "bad_webhook", id: shown, message: containing("/refetch records") },
  });
});
