// Responses that OpenAI had, and has no more. The Worker's time for that is shortened.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import {
  beginEvents,
  PRINTED,
  sendEvents,
  sendJson,
  startStandIn,
  toEvents,
  toResponse,
  type RunShape,
  type StandIn,
} from "../support/openai-stand-in.ts";
import { containing } from "../support/matchers.ts";
import { IMPATIENT_WORKER } from "../support/impatient-worker.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";
import { createV1Client, type V1Client } from "./v1/v1-client.ts";

const RESPONSE_PATH = /^\/v1\/responses\/(resp_\d+)$/;

let standIn: StandIn;
let world: World;
let v1: V1Client;
let runs = 0;
let answerCreate: (response: ServerResponse, run: RunShape) => void;
/** What the first, second … retrieval of a response is answered with. */
let answerRetrieve: (response: ServerResponse, run: RunShape, number: number) => void;
const retrievals = new Map<string, number>();

beforeAll(async () => {
  standIn = await startStandIn(({ method, path, body }, response) => {
    if (method === "POST" && path === "/v1/responses") {
      runs += 1;
      const background = body.includes('"background":true');
      return answerCreate(response, { id: `resp_${runs}`, background });
    }
    const id = RESPONSE_PATH.exec(path)?.[1];
    if (id === undefined) return sendJson(response, { error: { message: "not found" } }, 404);
    const number = (retrievals.get(id) ?? 0) + 1;
    retrievals.set(id, number);
    return answerRetrieve(response, { id, background: true }, number);
  });
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "1", REFETCH_DELAYS: "1" };
  world = await startWorld({}, vars, {}, { main: IMPATIENT_WORKER });
  v1 = createV1Client(world.url);
});
beforeEach(() => {
  answerCreate = (response, run) => sendJson(response, toResponse(run, "queued"));
  answerRetrieve = answerMissing;
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

function answerMissing(response: ServerResponse, { id }: RunShape): void {
  const error = { message: `Response with id '${id}' not found.`, type: "invalid_request_error" };
  sendJson(response, { error: { ...error, param: "id", code: null } }, 404);
}

const QUOTA = { type: "insufficient_quota", code: "insufficient_quota", message: "No money left." };

/** Sends a stream whose call is done, and which ends with an `error` event. */
function breakWithError(response: ServerResponse, run: RunShape): void {
  beginEvents(response);
  const events = [
    ...toEvents(run).slice(0, 7),
    { type: "error", error: { ...QUOTA, param: null } },
  ];
  sendEvents(
    response,
    events.map((event, index) => ({ ...event, sequence_number: index })),
  );
  response.end();
}

const Page = z.object({ results: z.array(z.looseObject({ id: z.string(), verdict: z.string() })) });

/** A response object that failed, as OpenAI's SDK reads it. */
const Failed = z.looseObject({
  id: z.string(),
  object: z.literal("response"),
  status: z.literal("failed"),
  created_at: z.number(),
  error: z.object({ code: z.literal("server_error"), message: z.string() }),
  output: z.array(z.looseObject({ type: z.string(), id: z.string() })),
});

async function retrieveFailed(id: string, query = "") {
  const answer = await v1.request(`/responses/${id}${query}`);
  expect(answer.status).toBe(200);
  return Failed.parse(await answer.json());
}

test("a response that vanishes in flight is gone, on every page, in the list, and for pollers of /v1", async () => {
  answerRetrieve = (response, run, number) =>
    number === 1
      ? sendJson(response, toResponse(run, "in_progress"))
      : answerMissing(response, run);
  const id = await world.trigger({ input: "hello" });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    verdict: "gone",
    status: "in_progress",
    calls: [],
    response: null,
    error: { message: `Response with id '${id}' not found.` },
  });
  expect(record.observations.slice(1).every((seen) => seen.http_status === 404)).toBe(true);
  const path = `/results/${id}`;
  const page = await world.request(path, { headers: { accept: "text/html" } });
  expect([page.status, await page.text()]).toEqual([200, containing("has it no more")]);
  const list = Page.parse(await (await world.request("/results?verdict=gone")).json());
  expect(list.results).toContainEqual(expect.objectContaining({ id, verdict: "gone" }));
  const filter = await world.request("/results", { headers: { accept: "text/html" } });
  expect(await filter.text()).toMatch(/href="\/results\?verdict=gone"/);
  const failed = await retrieveFailed(id);
  expect(failed.output).toEqual([]);
  expect(failed.error.message).toContain("not found");
  for (const part of ["outputs", "response"]) {
    expect((await world.request(`${path}/${part}`)).status).toBeLessThan(500);
  }
});

test("a run in the background that is gone keeps the outputs that a refetch in flight had", async () => {
  answerRetrieve = (response, run, number) => {
    if (number > 1) return answerMissing(response, run);
    return sendJson(response, { ...toResponse(run), status: "in_progress", completed_at: null });
  };
  const id = await world.trigger({ input: "hello" });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    verdict: "gone",
    status: "in_progress",
    response: null,
    calls: [{ id: "ci_1", verdict: "recovered", source: "refetch", outputs: PRINTED }],
  });
  const printed = await world.request(`/results/${id}/outputs`);
  expect([printed.status, await printed.text()]).toEqual([200, "naïve – 数据\n"]);
  const shown = await retrieveFailed(id, "?include[]=code_interpreter_call.outputs");
  expect(shown.output).toMatchObject([{ id: "ci_1", outputs: PRINTED }]);
});

test("a response that appears after all has its end", async () => {
  const id = await world.trigger({ input: "hello" });
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "gone", status: "queued" });
  answerRetrieve = (response, run) => sendJson(response, toResponse(run));
  expect((await world.request(`/results/${id}/refetch`, { method: "POST" })).status).toBe(202);
  const record = await waitFor(
    () => world.waitUntilSettled(id),
    ({ verdict }) => verdict !== "gone",
  );
  expect(record).toMatchObject({
    status: "completed",
    calls: [{ outputs: PRINTED }],
    error: null,
  });
});

test("a held run that breaks with an error event, and is a 404 after that, keeps its calls and OpenAI's words", async () => {
  answerCreate = breakWithError;
  const id = await world.trigger({ input: "hello", hold: true });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    verdict: "gone",
    held: { broke_at: "7 error" },
    calls: [{ id: "ci_1", verdict: "recovered", source: "held", outputs: PRINTED }],
    error: { code: QUOTA.code, message: QUOTA.message },
  });
  const printed = await world.request(`/results/${id}/outputs`);
  expect([printed.status, await printed.text()]).toEqual([200, "naïve – 数据\n"]);
});

test("a poller of /v1 whose held run is gone gets failed, with the calls that came", async () => {
  answerCreate = breakWithError;
  const body = { model: "m", input: "hello", background: true };
  const { id } = await v1.create({ ...body, include: ["code_interpreter_call.outputs"] });
  const ended = await v1.waitForEnd(id);
  expect(ended).toMatchObject({ id, status: "failed", background: true, model: "m" });
  const call = { type: "code_interpreter_call", id: "ci_1", status: "completed" };
  const shown = await retrieveFailed(id, "?include[]=code_interpreter_call.outputs");
  expect(shown.output).toMatchObject([{ ...call, outputs: PRINTED, container_id: "cntr_1" }]);
  expect(shown.error.message).toContain(QUOTA.message);
  expect((await retrieveFailed(id)).output).toMatchObject([{ ...call, outputs: null }]);
});

test("a run that is abandoned is failed for pollers of /v1, too", async () => {
  answerRetrieve = (response, run) => sendJson(response, toResponse(run, "in_progress"));
  const id = await world.trigger({ input: "hello" });
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "abandoned" });
  expect((await retrieveFailed(id)).error.message).toContain("No end of this response");
});
