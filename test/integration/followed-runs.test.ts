// Runs that are triggered with `stream: true`: a Connection reads their events as they come.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { matching } from "../support/matchers.ts";
import { waitFor } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ interpreters: 1 }, { WEBHOOK_DEADLINE: "30", REFETCH_DELAYS: "1 1" });
});
beforeEach(async () => {
  await world.emulator.clearRequests();
  await world.emulator.configure({
    backgroundOutputs: "empty",
    streamOutputs: "present",
    webhookDrop: true,
    queueSeconds: 0.1,
    runSeconds: 0.1,
  });
});
afterAll(() => world.close());

const PRINTS = { input: toPythonInput("print('naïve – 数据')"), tools: CODE_INTERPRETER };
const PRINTED = [{ type: "logs", logs: "naïve – 数据\n" }];
const INCLUDE_OUTPUTS = "include[]=code_interpreter_call.outputs";

async function readRecord(id: string): Promise<ResponseRecord> {
  return ResponseRecord.parse(await (await world.request(`/results/${id}`)).json());
}

/** The requests for a response after its create. */
async function listRetrievals(id: string): Promise<unknown[]> {
  const requests = await world.emulator.listRequests();
  return requests.filter(({ path }) => path.startsWith(`/v1/responses/${id}`));
}

test("POST /trigger with stream creates with background and stream, and answers 202 while the run goes on", async () => {
  await world.emulator.configure({ runSeconds: 5 });
  const id = await world.trigger({ ...PRINTS, stream: true });
  expect(await world.emulator.getRun(id)).toMatchObject({ ended_at: null, background: true });
  const [create] = await world.emulator.listRequests();
  expect(create).toMatchObject({
    method: "POST",
    path: "/v1/responses",
    body: { ...PRINTS, background: true, stream: true, store: true },
  });
  await world.request(`/results/${id}/cancel`, { method: "POST" });
});

test("GET /results/:id of a followed run shows its live status without any refetch", async () => {
  await world.emulator.configure({ queueSeconds: 3, runSeconds: 3 });
  const id = await world.trigger({ ...PRINTS, stream: true });
  expect(await readRecord(id)).toMatchObject({ status: "queued", verdict: "pending" });
  const running = await waitFor(
    () => readRecord(id),
    ({ status }) => status !== "queued",
  );
  expect(running).toMatchObject({ status: "in_progress", verdict: "pending", observations: [] });
  expect(await listRetrievals(id)).toEqual([]);
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "completed" });
});

test("GET /results lists the live status of a followed run", async () => {
  await world.emulator.configure({ queueSeconds: 1, runSeconds: 60 });
  const id = await world.trigger({ ...PRINTS, stream: true });
  const Page = z.object({ results: z.array(z.looseObject({ id: z.string() })) });
  const row = await waitFor(
    async () => {
      const page = Page.parse(await (await world.request("/results?limit=100")).json());
      return page.results.find((one) => one.id === id);
    },
    (found) => found?.["status"] === "in_progress",
  );
  expect(row).toMatchObject({ verdict: "pending", held: false });
  await world.request(`/results/${id}/cancel`, { method: "POST" });
});

test("a followed run recovers from its stream the outputs that a refetch at its end lacks", async () => {
  const metadata = { mine: "yes" };
  const id = await world.trigger({ ...PRINTS, model: "m", metadata, stream: true });
  const record = await world.waitUntilSettled(id);
  await world.emulator.configure({ backgroundOutputs: "present" });
  const sent = await world.emulator.sendToApi(`/responses/${id}?${INCLUDE_OUTPUTS}`);
  const response = z.looseObject({ created_at: z.number() }).parse(await sent.json());
  const [call] = record.calls;
  expect(record).toEqual({
    id,
    status: "completed",
    verdict: "recovered",
    model: "m",
    background: true,
    created_at: new Date(response.created_at * 1000).toISOString(),
    completed_at: matching(/^\d{4}-.*Z$/),
    status_at: record.observations[0]?.at,
    recorded_at: record.observations[0]?.at,
    updated_at: record.observations[1]?.at,
    settled_at: record.observations[1]?.at,
    expires_at: matching(/^\d{4}-.*Z$/),
    started_by: "trigger",
    include: ["code_interpreter_call.outputs"],
    metadata,
    request: {
      ...PRINTS,
      model: "m",
      include: ["code_interpreter_call.outputs"],
      metadata: { ...metadata, response_recorder: matching(/"stream":true/) },
      background: true,
      store: true,
      stream: true,
    },
    calls: [
      {
        id: matching(/^ci_/),
        type: "code_interpreter_call",
        status: "completed",
        container_id: matching(/^cntr_/),
        request: "print('naïve – 数据')",
        result: PRINTED,
        code: "print('naïve – 数据')",
        outputs: PRINTED,
        verdict: "recovered",
        source: "stream",
        hint: null,
      },
    ],
    observations: [
      {
        at: matching(/^\d{4}-.*Z$/),
        channel: "refetch",
        http_status: 200,
        status: "completed",
        request_id: matching(/^req_/),
        calls: [{ id: call?.id, outputs: "empty" }],
      },
      {
        at: matching(/^\d{4}-.*Z$/),
        channel: "stream",
        http_status: 200,
        status: "completed",
        request_id: matching(/^req_/),
        calls: [{ id: call?.id, outputs: "populated" }],
      },
    ],
    webhook: null,
    files: [],
    control: null,
    held: null,
    partial: null,
    notification: null,
    error: null,
    response,
  });
  const requests = await world.emulator.listRequests();
  expect(requests.filter(({ path }) => path.startsWith("/v1/responses"))).toHaveLength(3);
});

test("GET /results/:id/outputs and GET /results/:id/response have what the stream had", async () => {
  const id = await world.trigger({ ...PRINTS, stream: true });
  const record = await world.waitUntilSettled(id);
  expect(await (await world.request(`/results/${id}/outputs`)).text()).toBe("naïve – 数据\n");
  const response: unknown = await (await world.request(`/results/${id}/response`)).json();
  expect(response).toEqual(record.response);
});

test("a followed run has its outputs from the stream, also when its webhook comes first", async () => {
  await world.emulator.configure({ webhookDrop: false });
  const record = await world.waitUntilSettled(await world.trigger({ ...PRINTS, stream: true }));
  expect(record.calls).toMatchObject([{ outputs: PRINTED, source: "stream" }]);
  expect(record.verdict).toBe("recovered");
  const read = record.observations.filter(({ channel }) => channel === "stream");
  expect(read).toMatchObject([{ status: "completed", calls: [{ outputs: "populated" }] }]);
});

test("a followed run whose stream has empty outputs captures those of the refetch at its end", async () => {
  await world.emulator.configure({ streamOutputs: "empty", backgroundOutputs: "present" });
  const record = await world.waitUntilSettled(await world.trigger({ ...PRINTS, stream: true }));
  expect(record).toMatchObject({
    verdict: "captured",
    calls: [{ outputs: PRINTED, source: "refetch", verdict: "captured" }],
    observations: [
      { channel: "refetch", status: "completed", calls: [{ outputs: "populated" }] },
      { channel: "stream", status: "completed", calls: [{ outputs: "empty" }] },
    ],
  });
});

test("a followed run without outputs anywhere is suspect, and its stream is read once", async () => {
  await world.emulator.configure({ streamOutputs: "empty" });
  const record = await world.waitUntilSettled(await world.trigger({ ...PRINTS, stream: true }));
  expect(record).toMatchObject({ verdict: "suspect", calls: [{ outputs: [], source: null }] });
  const channels = record.observations.map(({ channel }) => channel);
  expect(channels.filter((channel) => channel === "stream")).toHaveLength(1);
  expect(channels.filter((channel) => channel === "refetch").length).toBeGreaterThan(0);
});

test("a followed run with a control and with outputs in neither the stream nor a refetch is lost", async () => {
  await world.emulator.configure({ streamOutputs: "empty" });
  const id = await world.trigger({ ...PRINTS, stream: true, control: true });
  expect(await world.waitUntilSettled(id)).toMatchObject({
    verdict: "lost",
    calls: [{ verdict: "lost", outputs: [] }],
    control: { status: "completed", calls: [{ source: "control", outputs: PRINTED }] },
  });
});

test.each([
  ["emulator: fail with server_error", { status: "failed", error: { code: "server_error" } }],
  ["emulator: incomplete", { status: "incomplete" }],
])(
  "a followed run that ends otherwise is recorded with that status: %s",
  async (input, expected) => {
    const record = await world.waitUntilSettled(await world.trigger({ input, stream: true }));
    expect(record).toMatchObject({
      ...expected,
      verdict: "no_calls",
      observations: [
        { channel: "refetch", status: expected.status },
        { channel: "stream", status: expected.status },
      ],
    });
  },
);

test("GET /results/:id/outputs of a followed run returns 20 MiB whole", async () => {
  const times = Math.floor((20 * 1024 * 1024) / 3);
  const input = toPythonInput(`print('xé' * ${times}, end='')`);
  const id = await world.trigger({ input, tools: CODE_INTERPRETER, stream: true });
  const record = await world.waitUntilSettled(id);
  expect([record.verdict, record.error]).toEqual(["recovered", null]);
  const printed = await (await world.request(`/results/${id}/outputs`)).text();
  expect(printed === "xé".repeat(times)).toBe(true);
});

test("POST /results/:id/cancel cancels a followed run at OpenAI", async () => {
  await world.emulator.configure({ runSeconds: 60 });
  const id = await world.trigger({ ...PRINTS, stream: true });
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(202);
  expect(await world.waitUntilSettled(id)).toMatchObject({ status: "cancelled", held: null });
  expect((await world.emulator.getRun(id)).status).toBe("cancelled");
  expect((await world.request(`/results/${id}/cancel`, { method: "POST" })).status).toBe(409);
});

test("POST /trigger as a form with stream starts a followed run", async () => {
  const body = new URLSearchParams({ input: "hello", stream: "on" });
  const headers = { origin: world.url, accept: "text/html" };
  const answer = await world.request("/trigger", { method: "POST", body, headers });
  expect(answer.status).toBe(303);
  const [create] = await world.emulator.listRequests();
  expect(create?.body).toMatchObject({ input: "hello", background: true, stream: true });
  const id = answer.headers.get("location")?.split("/").at(-1) ?? "";
  expect(await world.waitUntilSettled(id)).toMatchObject({
    observations: [
      { channel: "refetch", status: "completed" },
      { channel: "stream", status: "completed" },
    ],
  });
});

test("POST /trigger as a form with hold and stream answers 400 with the message at the field, and starts nothing", async () => {
  const body = new URLSearchParams({ input: "hello", stream: "on", hold: "on" });
  const headers = { origin: world.url, accept: "text/html" };
  const answer = await world.request("/trigger", { method: "POST", body, headers });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/id="hold-error".*Leave stream out/);
  expect(await world.emulator.listRequestsButFiles()).toEqual([]);
});

test("GET /trigger has a field for stream, and none for replay", async () => {
  const page = await world.request("/trigger", { headers: { accept: "text/html" } });
  const html = await page.text();
  expect(html).toContain('name="stream"');
  expect(html).not.toContain("replay");
});

const REFUSALS = [
  { name: "OpenAI refuses it", rule: { kind: "status", status: 429 }, status: 429, code: /./ },
  {
    name: "OpenAI fails",
    rule: { kind: "status", status: 500 },
    status: 502,
    code: /may_have_started/,
  },
  { name: "the connection is cut", rule: { kind: "cut" }, status: 502, code: /may_have_started/ },
  {
    name: "the answer is no stream",
    rule: { kind: "html" },
    status: 502,
    code: /may_have_started/,
  },
];

test.each(REFUSALS)(
  "POST /trigger with stream answers $status when $name, and sends the create once",
  async ({ rule, status, code }) => {
    await world.emulator.addFault({ method: "POST", path: "^/v1/responses$", times: 1, ...rule });
    const body = JSON.stringify({ ...PRINTS, stream: true });
    const answer = await world.request("/trigger", { method: "POST", body });
    expect(answer.status).toBe(status);
    expect(
      z.object({ error: z.object({ code: z.string() }) }).parse(await answer.json()).error.code,
    ).toMatch(code);
    const requests = await world.emulator.listRequests();
    expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  },
);

test("a followed run whose create lost its answer is recorded by its webhook, and its stream is replayed", async () => {
  await world.emulator.configure({ webhookDrop: false });
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...where, kind: "cut", after_events: 0 });
  const body = JSON.stringify({ ...PRINTS, stream: true });
  const before = new Set((await world.emulator.listRuns()).map((run) => run.id));
  const answer = await world.request("/trigger", { method: "POST", body });
  expect([answer.status, await answer.text()]).toEqual([502, matching(/webhook will record it/)]);
  const runs = await world.emulator.listRuns();
  const id = runs.find((run) => !before.has(run.id))?.id ?? "";
  const answered = await waitFor(
    () => world.request(`/results/${id}`),
    ({ status }) => status === 200,
  );
  expect(ResponseRecord.parse(await answered.json()).started_by).toBe("webhook");
  expect(await world.waitUntilSettled(id)).toMatchObject({
    verdict: "recovered",
    calls: [{ outputs: PRINTED, source: "stream" }],
  });
});
