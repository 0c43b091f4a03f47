// Calls that never finished, and ends that lack something at first.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import {
  PRINTED,
  sendJson,
  startStandIn,
  toResponse,
  type RunShape,
  type StandIn,
} from "../support/openai-stand-in.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

const RESPONSE_PATH = /^\/v1\/responses\/(resp_\d+)$/;

let standIn: StandIn;
let world: World;
let runs = 0;
/** What the first, second … retrieval of a response is answered with. */
let answerRetrieve: (response: ServerResponse, run: RunShape, number: number) => void;
const retrievals = new Map<string, number>();

beforeAll(async () => {
  standIn = await startStandIn(({ method, path }, response) => {
    if (method === "POST" && path === "/v1/responses") {
      runs += 1;
      return sendJson(response, toResponse({ id: `resp_${runs}`, background: true }, "queued"));
    }
    const id = RESPONSE_PATH.exec(path)?.[1];
    if (id === undefined) return sendJson(response, { error: { message: "not found" } }, 404);
    const number = (retrievals.get(id) ?? 0) + 1;
    retrievals.set(id, number);
    return answerRetrieve(response, { id, background: true }, number);
  });
  const vars = {
    OPENAI_BASE_URL: `${standIn.url}/v1`,
    WEBHOOK_DEADLINE: "1",
    REFETCH_DELAYS: "1 1 1",
  };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  retrievals.clear();
  answerRetrieve = (response, run) => sendJson(response, toResponse(run));
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const Output = z.looseObject({ output: z.array(z.looseObject({ type: z.string() })) });

/** A response whose calls have other members. */
function withCall(response: object, members: object): object {
  const { output } = Output.parse(response);
  const items = output.map((item) =>
    item.type === "code_interpreter_call" ? { ...item, ...members } : item,
  );
  return { ...response, output: items };
}

const Page = z.object({ results: z.array(z.looseObject({ id: z.string() })) });

test.each(["in_progress", "interpreting", "incomplete", "failed"])(
  "a call that is %s in a response that was cut off is unfinished, and nothing more is asked for",
  async (status) => {
    answerRetrieve = (response, run) => {
      const call = { status, outputs: [] };
      sendJson(response, { ...withCall(toResponse(run), call), status: "incomplete" });
    };
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
    expect(record).toMatchObject({
      status: "incomplete",
      verdict: "unfinished",
      calls: [{ status, verdict: "unfinished", outputs: [], source: null }],
    });
    expect(record.observations).toHaveLength(1);
    const path = `/results/${record.id}`;
    const page = await (await world.request(path, { headers: { accept: "text/html" } })).text();
    expect(page).toContain("A call never finished");
    expect(page).toContain(`>${status.replaceAll("_", " ")}</span>`);
    const list = Page.parse(await (await world.request("/results?verdict=unfinished")).json());
    expect(list.results.map(({ id }) => id)).toContain(record.id);
    const outputs = await world.request(`${path}/outputs`);
    expect([outputs.status, await outputs.text()]).toEqual([200, ""]);
  },
);

test("a call's status is in the record, and null where OpenAI sends none", async () => {
  const finished = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(finished.calls).toMatchObject([{ status: "completed", outputs: PRINTED }]);
  answerRetrieve = (response, run) =>
    sendJson(response, withCall(toResponse(run), { status: undefined }));
  const old = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(old).toMatchObject({ verdict: "captured", calls: [{ status: null, outputs: PRINTED }] });
});

const TOOL = { type: "code_interpreter", container: { type: "auto" } };

test("a call that uses a name which no call defines has a hint, in JSON and on the page", async () => {
  answerRetrieve = (response, run) => {
    const call = { code: "print(total)", outputs: [] };
    sendJson(response, withCall(toResponse(run), call));
  };
  const id = await world.trigger({ input: "hello", tools: [TOOL] });
  const record = await world.waitUntilSettled(id);
  const hint = record.calls[0]?.hint ?? "";
  expect(hint).toMatch(/^No call of this response defines `total`/);
  expect(record.verdict).toBe("suspect");
  const page = await world.request(`/results/${id}`, { headers: { accept: "text/html" } });
  expect(await page.text()).toContain(hint);
});

const USAGE = { input_tokens: 20, output_tokens: 35, total_tokens: 55 };
const LACKING: [string, (run: RunShape) => object][] = [
  ["output: []", (run) => ({ ...toResponse(run), output: [], usage: USAGE })],
  ["output: null", (run) => ({ ...toResponse(run), output: null, usage: USAGE })],
  [
    "a call that is interpreting",
    (run) => withCall(toResponse(run), { status: "interpreting", code: null, outputs: null }),
  ],
];

test.each(LACKING)(
  "a completed response whose first answer has %s is observed again, and recovered",
  async (_, toFirst) => {
    answerRetrieve = (response, run, number) =>
      sendJson(response, number === 1 ? toFirst(run) : toResponse(run));
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
    expect(record).toMatchObject({
      verdict: "recovered",
      calls: [{ status: "completed", verdict: "recovered", outputs: PRINTED, source: "refetch" }],
      response: toResponse({ id: record.id, background: true }),
    });
    expect(record.observations).toHaveLength(2);
    const printed = await world.request(`/results/${record.id}/outputs`);
    expect(await printed.text()).toBe("naïve – 数据\n");
  },
);

test("a call that was seen in flight, and that the first answer after the end lacks, is waited for", async () => {
  answerRetrieve = (response, run, number) => {
    const running = { status: "in_progress", outputs: null };
    if (number === 1) {
      return sendJson(response, { ...withCall(toResponse(run), running), status: "in_progress" });
    }
    const whole = toResponse(run);
    return sendJson(response, number === 2 ? { ...whole, output: [], usage: null } : whole);
  };
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record).toMatchObject({ verdict: "recovered", calls: [{ outputs: PRINTED }] });
  expect(record.observations).toHaveLength(3);
});

test("outputs of an answer that lacks another call are kept, although its body is not", async () => {
  answerRetrieve = (response, run, number) => {
    const [call, ...others] = Output.parse(toResponse(run)).output;
    const second = { ...call, id: "ci_2", code: "x = 1", outputs: [] };
    const output = number === 2 ? [call, ...others] : [{ ...call, outputs: [] }, second, ...others];
    sendJson(response, { ...toResponse(run), output });
  };
  const id = await world.trigger({ input: "hello" });
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "suspect" });
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  const record = await waitFor(
    () => world.waitUntilSettled(id),
    ({ observations }) => observations.length === 2,
  );
  expect(record.calls).toMatchObject([
    { id: "ci_1", verdict: "recovered", source: "refetch", outputs: PRINTED },
    { id: "ci_2", verdict: "silent" },
  ]);
  const printed = await world.request(`/results/${id}/outputs`);
  expect(await printed.text()).toBe("naïve – 数据\n");
});

test("a completed response whose call stays interpreting is unfinished after the last delay", async () => {
  answerRetrieve = (response, run) =>
    sendJson(response, withCall(toResponse(run), { status: "interpreting", outputs: null }));
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello" }));
  expect(record).toMatchObject({ status: "completed", verdict: "unfinished" });
  expect(record.observations.length).toBeGreaterThan(1);
});
