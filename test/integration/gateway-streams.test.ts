// Streams as gateways change them: `sequence_number` is left out or repeated, members are added, the end is `[DONE]`.
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
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
  type StandInRequest,
} from "../support/openai-stand-in.ts";
import { startWorld, type World } from "../support/world.ts";

/** What a gateway makes of the events of a stream. */
type Gateway = (events: object[]) => object[];

const numbered: Gateway = (events) =>
  events.map((event, index) => ({ ...event, sequence_number: index }));

const GATEWAYS: Record<string, Gateway> = {
  "leaves sequence_number out": (events) => events,
  "numbers every event 0": (events) => events.map((event) => ({ ...event, sequence_number: 0 })),
  "repeats each sequence_number": (events) =>
    events.map((event, index) => ({ ...event, sequence_number: Math.floor(index / 2) })),
  "numbers events backwards": (events) =>
    events.map((event, index) => ({ ...event, sequence_number: 100 - index })),
  "sends sequence_number as text": (events) =>
    events.map((event, index) => ({ ...event, sequence_number: String(index) })),
  "numbers every other event": (events) =>
    events.map((event, index) => (index % 2 === 0 ? event : { ...event, sequence_number: index })),
  "sends every event twice": (events) => numbered(events).flatMap((event) => [event, event]),
};

let standIn: StandIn;
let world: World;
let runs = 0;
/** What the present test does with the stream that a create asks for, and with a later one. */
let answerCreate: (response: ServerResponse, run: RunShape) => void;
let answerReplay: (response: ServerResponse, run: RunShape, after: number) => void;
/** The response object that a refetch gets. */
let retrieved: (run: RunShape) => object;

beforeAll(async () => {
  standIn = await startStandIn(answer);
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "1" };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  standIn.requests.length = 0;
  retrieved = toResponse;
  answerReplay = (response) => sendJson(response, { error: { message: "no replay" } }, 400);
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

function answer({ method, path, query, body }: StandInRequest, response: ServerResponse): void {
  if (method === "POST" && path === "/v1/responses") {
    runs += 1;
    const background = body.includes('"background":true');
    return answerCreate(response, { id: `resp_${runs}`, background });
  }
  const id = /^\/v1\/responses\/(resp_\d+)$/.exec(path)?.[1];
  if (id === undefined) return sendJson(response, { error: { message: "not found" } }, 404);
  const run = { id, background: true };
  if (!query.has("stream")) return sendJson(response, retrieved(run));
  return answerReplay(response, run, Number(query.get("starting_after")));
}

/** Answers with all events of a run, and ends. */
function sendRun(response: ServerResponse, run: RunShape, gateway: Gateway): void {
  beginEvents(response);
  sendEvents(response, gateway(toEvents(run)));
  response.end();
}

/** Sends the first events of a run, and breaks the connection. */
function cutAfter(response: ServerResponse, events: object[]): void {
  beginEvents(response);
  sendEvents(response, events);
  // What was written must arrive before the connection breaks.
  setTimeout(() => response.destroy(), 200);
}

const FLAGS = [{ hold: true }, { stream: true }];
const CASES = FLAGS.flatMap((flags) =>
  Object.entries(GATEWAYS).map(([name, gateway]) => ({ flags, name, gateway })),
);

test.each(CASES)(
  "a run with $flags is whole behind a gateway that $name",
  async ({ flags, gateway }) => {
    answerCreate = (response, run) => sendRun(response, run, gateway);
    const id = await world.trigger({ input: "hello", ...flags });
    const record = await world.waitUntilSettled(id);
    const isFollowed = "stream" in flags;
    const run = { id, background: isFollowed };
    expect(record).toMatchObject({
      status: "completed",
      verdict: "captured",
      error: null,
      calls: [{ id: "ci_1", outputs: PRINTED, verdict: "captured" }],
      response: toResponse(run),
    });
    const whole = { status: "completed", calls: [{ outputs: "populated" }] };
    const seen = isFollowed
      ? [
          { channel: "refetch", ...whole },
          { channel: "stream", ...whole },
        ]
      : [{ channel: "held", ...whole }];
    expect(record.observations).toMatchObject(seen);
    expect(record.held).toEqual("hold" in flags ? { broke_at: null } : null);
    const asked = standIn.requests.filter(({ path }) => path.startsWith("/v1/responses"));
    expect(asked).toHaveLength(isFollowed ? 2 : 1);
  },
);

test.each(FLAGS)(
  "a run with %j is whole when its events have other members, other types and comments between them, and [DONE] follows",
  async (flags) => {
    answerCreate = (response, run) => {
      beginEvents(response);
      response.write(": a comment\n\nretry: 10\n\n");
      for (const event of numbered(toEvents(run))) {
        response.write(
          `event: x\r\nid: 7\r\ndata: ${JSON.stringify({ ...event, extra: [1] })}\r\n\r\n`,
        );
        response.write('data: {"type":"gateway.ping"}\n\n: ping\n\n');
      }
      response.end("data: [DONE]\n\n");
    };
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello", ...flags }));
    expect(record).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  },
);

test.each(FLAGS)(
  "a run with %j whose last event has no items keeps the outputs of the items that were done",
  async (flags) => {
    answerCreate = (response, run) => {
      const events = toEvents(run);
      const last = { type: "response.completed", response: { ...toResponse(run), output: [] } };
      sendRun(response, run, () => numbered([...events.slice(0, -1), last]));
    };
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello", ...flags }));
    expect(record).toMatchObject({
      status: "completed",
      verdict: "captured",
      calls: [{ id: "ci_1", outputs: PRINTED }],
    });
    const printed = await world.request(`/results/${record.id}/outputs`);
    expect(await printed.text()).toBe("naïve – 数据\n");
  },
);

test.each(FLAGS)(
  "a run with %j ends with its last event, also when the connection stays open",
  async (flags) => {
    answerCreate = (response, run) => {
      beginEvents(response);
      sendEvents(response, numbered(toEvents(run)));
    };
    const record = await world.waitUntilSettled(await world.trigger({ input: "hello", ...flags }));
    expect(record).toMatchObject({ verdict: "captured", calls: [{ outputs: PRINTED }] });
  },
);

test.each([1, 2, 9])(
  "a followed stream that is cut after %i events goes on, also when OpenAI sends events again that came before",
  async (count) => {
    answerCreate = (response, run) => cutAfter(response, numbered(toEvents(run)).slice(0, count));
    answerReplay = (response, run) => sendRun(response, run, numbered);
    const id = await world.trigger({ input: "hello", stream: true });
    const record = await world.waitUntilSettled(id);
    expect(record).toMatchObject({
      verdict: "captured",
      calls: [{ id: "ci_1", outputs: PRINTED }],
      observations: [
        { channel: "refetch", status: "completed" },
        { channel: "stream", status: "completed" },
      ],
    });
    const replays = standIn.requests.filter(({ query }) => query.has("starting_after"));
    expect(replays.map(({ query }) => query.get("starting_after"))).toEqual([String(count - 1)]);
  },
);

test("a followed stream without sequence_number that is cut is refetched, and keeps what had come", async () => {
  retrieved = (run) => ({ ...toResponse(run), output: [] });
  answerCreate = (response, run) => cutAfter(response, toEvents(run).slice(0, -3));
  const id = await world.trigger({ input: "hello", stream: true });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    status: "completed",
    calls: [{ id: "ci_1", outputs: PRINTED, source: "stream" }],
    response: { ...toResponse({ id, background: true }), output: [] },
  });
  const channels = record.observations.map(({ channel, status }) => `${channel} ${status}`);
  expect(channels).toEqual(["refetch completed", "stream in_progress"]);
});

test("a held stream without sequence_number that is cut says after which event", async () => {
  answerCreate = (response, run) => cutAfter(response, toEvents(run).slice(0, -3));
  const id = await world.trigger({ input: "hello", hold: true });
  const record = await world.waitUntilSettled(id);
  expect(record).toMatchObject({
    held: { broke_at: "response.output_item.done" },
    calls: [{ id: "ci_1", outputs: PRINTED, source: "held" }],
  });
});

test("a held run whose stream ends with an error event has its code and message", async () => {
  retrieved = (run) => ({ ...toResponse(run, "failed"), output: [] });
  const error = { code: "server_error", message: "It broke." };
  answerCreate = (response, run) => {
    const events = [...toEvents(run).slice(0, 3), { type: "error", ...error }];
    sendRun(response, run, () => numbered(events));
  };
  const record = await world.waitUntilSettled(await world.trigger({ input: "hello", hold: true }));
  expect(record).toMatchObject({ status: "failed", error, held: { broke_at: "3 error" } });
  expect(record.observations[0]).toMatchObject({ channel: "held", status: "in_progress" });
});
