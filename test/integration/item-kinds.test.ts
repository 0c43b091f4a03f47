// Results of every kind that a background run can lose: what the record says, what a control proves, and what other channels recover.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { StepParams } from "../../emulator/scripts/schema.ts";
import type { ResponseRecord } from "../../src/record/schema.ts";
import type { EmulatorSettings } from "../support/emulator-client.ts";
import { waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({}, { REFETCH_DELAYS: "1" });
});
afterEach(() => world.emulator.clearScripts());
afterAll(() => world.close());

type Kind = {
  type: string;
  tool: Record<string, unknown>;
  steps: StepParams[];
  lost: EmulatorSettings;
  lostInStream: EmulatorSettings;
  request: unknown;
  result: unknown;
  hasControl: boolean;
};

const URL_CITATION = {
  type: "url_citation",
  url: "https://example.com/",
  title: "Example",
  start_index: 0,
  end_index: 1,
};
const FILE_CITATION = { type: "file_citation", file_id: "file-1", filename: "a.txt", index: 0 };
const MCP_TOOL = { type: "mcp", server_label: "s", server_url: "https://mcp.example.com" };

const Output = z.object({ output: z.array(z.looseObject({ type: z.string() })) });
const SOURCES = "web_search_call.action.sources";

const WEB_SEARCH: Kind = {
  type: "web_search_call",
  tool: { type: "web_search" },
  steps: [
    { web_search: { query: "q", sources: ["https://example.com/"] } },
    { text: "It says so.", annotations: [URL_CITATION] },
  ],
  lost: { backgroundSources: "absent" },
  lostInStream: { streamSources: "absent" },
  request: ["q"],
  result: [{ type: "url", url: "https://example.com/" }],
  hasControl: true,
};

const KINDS: Kind[] = [
  {
    type: "code_interpreter_call",
    tool: { type: "code_interpreter", container: { type: "auto" } },
    steps: [{ code: "print(1)" }],
    lost: { backgroundOutputs: "empty" },
    lostInStream: { streamOutputs: "empty" },
    request: "print(1)",
    result: [{ type: "logs", logs: "1\n" }],
    hasControl: true,
  },
  WEB_SEARCH,
  {
    type: "file_search_call",
    tool: { type: "file_search", vector_store_ids: ["vs_1"] },
    steps: [
      { file_search: { queries: ["q"], results: [{ file_id: "file-1", text: "found" }] } },
      { text: "It says so.", annotations: [FILE_CITATION] },
    ],
    lost: { backgroundResults: "empty" },
    lostInStream: { streamResults: "empty" },
    request: ["q"],
    result: [expect.objectContaining({ file_id: "file-1", text: "found" })],
    hasControl: true,
  },
  {
    type: "image_generation_call",
    tool: { type: "image_generation" },
    steps: [{ image_generation: { result: "aGk=" } }],
    lost: { backgroundImages: "empty" },
    lostInStream: { streamImages: "empty" },
    request: null,
    result: "aGk=",
    hasControl: true,
  },
  {
    type: "mcp_call",
    tool: MCP_TOOL,
    steps: [{ mcp_call: { server_label: "s", name: "roll", arguments: "{}", output: "4" } }],
    lost: { backgroundMcpOutputs: "absent" },
    lostInStream: { streamMcpOutputs: "absent" },
    request: { server_label: "s", name: "roll", arguments: "{}" },
    result: "4",
    hasControl: false,
  },
  {
    type: "shell_call",
    tool: { type: "shell", environment: { type: "container_auto" } },
    steps: [{ shell: { commands: ["echo hi"], outputs: [{ stdout: "hi\n" }] } }],
    lost: { backgroundShellOutputs: "absent" },
    lostInStream: { streamShellOutputs: "absent" },
    request: ["echo hi"],
    result: [expect.objectContaining({ stdout: "hi\n" })],
    hasControl: false,
  },
];

/** Settings with which a background run loses nothing. */
const NOTHING_LOST: EmulatorSettings = {
  backgroundOutputs: "present",
  backgroundSources: "present",
  backgroundResults: "present",
  backgroundImages: "present",
  backgroundMcpOutputs: "present",
  backgroundShellOutputs: "present",
  streamOutputs: "present",
  streamSources: "present",
  streamResults: "present",
  streamImages: "present",
  streamMcpOutputs: "present",
  streamShellOutputs: "present",
  refusedInclude: null,
};

async function run(kind: Kind, settings: EmulatorSettings, flags: object): Promise<ResponseRecord> {
  await world.emulator.configure({ ...NOTHING_LOST, ...settings });
  // The second one is for a control.
  for (let times = 0; times < 2; times += 1) await world.emulator.addScript(kind.steps);
  const id = await world.trigger({ input: "x", tools: [kind.tool], ...flags });
  return world.waitUntilSettled(id);
}

describe.each(KINDS)("$type", (kind) => {
  const { type, lost, lostInStream, request, result } = kind;

  test("is suspect without its result", async () => {
    const record = await run(kind, { ...lost, ...lostInStream }, {});
    expect(record).toMatchObject({ verdict: "suspect", calls: [{ type, verdict: "suspect" }] });
    expect(record.calls[0]?.request).toEqual(request);
  });

  test("is captured with it", async () => {
    const [call, ...others] = (await run(kind, {}, {})).calls;
    expect(others).toEqual([]);
    expect(call).toMatchObject({ type, verdict: "captured", source: "refetch" });
    expect(call?.result).toEqual(result);
  });

  test("is captured when the run is held", async () => {
    const record = await run(kind, { ...lost, ...lostInStream }, { hold: true });
    expect(record.calls).toMatchObject([{ type, verdict: "captured", source: "held" }]);
    expect(record.calls[0]?.result).toEqual(result);
    expect(record.partial).toBeNull();
  });

  test("is recovered from the stream", async () => {
    const record = await run(kind, lost, { stream: true });
    expect(record.calls).toMatchObject([{ type, verdict: "recovered", source: "stream" }]);
    expect(record.calls[0]?.result).toEqual(result);
  });
});

describe.each(KINDS.filter(({ hasControl }) => hasControl))("$type with a control", (kind) => {
  const { type, lost, lostInStream, result } = kind;

  test("is lost, and the record has what the control showed", async () => {
    const record = await run(kind, { ...lost, ...lostInStream }, { control: true });
    expect(record).toMatchObject({ verdict: "lost", calls: [{ type, verdict: "lost" }] });
    expect(record.control?.calls).toMatchObject([{ type, source: "control" }]);
    expect(record.control?.calls[0]?.result).toEqual(result);
  });
});

test("refetches ask for the results of the run's tools, and for nothing else", async () => {
  const record = await run(WEB_SEARCH, {}, {});
  expect(record.include).toEqual([SOURCES]);
  const requests = await world.emulator.listRequests();
  const gets = requests.filter(({ method, path }) => method === "GET" && path.includes(record.id));
  expect(gets.length).toBeGreaterThan(0);
  for (const { query } of gets) expect(Object.values(query).flat()).toEqual([SOURCES]);
});

test("a value of include that OpenAI refuses is left out from then on", async () => {
  const record = await run(WEB_SEARCH, { refusedInclude: [SOURCES] }, {});
  expect(record).toMatchObject({ verdict: "silent", include: [], error: null });
  expect(record.observations.map(({ http_status }) => http_status)).toEqual([400, 200]);
});

test("what had come over a held connection that broke is in the record, in its order", async () => {
  await world.emulator.configure({ ...NOTHING_LOST, onDisconnect: "cancel" });
  const steps = KINDS.flatMap((kind) => kind.steps);
  await world.emulator.addScript([{ reasoning: "Hm." }, ...steps, { cut: true }, { wait: 5 }]);
  const tools = KINDS.map(({ tool }) => tool);
  const record = await world.waitUntilSettled(
    await world.trigger({ input: "x", tools, hold: true }),
  );
  expect(record).toMatchObject({ status: "cancelled", response: { output: [] } });
  expect(record.calls.map(({ type }) => type)).toEqual(KINDS.map(({ type }) => type));
  expect(record.calls.map(({ verdict }) => verdict)).toEqual(KINDS.map(() => "recovered"));
  expect(record.calls.map(({ result }) => result)).toEqual(KINDS.map(({ result }) => result));
  const types = z.array(z.looseObject({ type: z.string() })).parse(record.partial);
  expect(types.map(({ type }) => type)).toEqual([
    "reasoning",
    "code_interpreter_call",
    "web_search_call",
    "message",
    "file_search_call",
    "message",
    "image_generation_call",
    "mcp_call",
    "shell_call",
    "shell_call_output",
  ]);
  const page = await world.request(`/results/${record.id}`, { headers: { accept: "text/html" } });
  const html = await page.text();
  for (const text of ["Web search, call 2", "It says so.", "Shell, call 6", "hi"]) {
    expect(html).toContain(text);
  }
  const shown = await world.request(`/v1/responses/${record.id}?include[]=${SOURCES}`);
  const { output } = Output.parse(await shown.json());
  expect(output.map(({ type }) => type)).toEqual(types.map(({ type }) => type));
  expect(output).toContainEqual(
    expect.objectContaining({ type: "image_generation_call", result: "aGk=" }),
  );
});

test("the files and the text of a hosted shell are there after its container expired", async () => {
  await world.emulator.configure(NOTHING_LOST);
  const outputs = [{ stdout: "one\n", stderr: "warned\n" }, { stdout: "two" }];
  const shell = { commands: ["a", "b"], outputs, files: { "out.txt": "naïve – 数据" } };
  await world.emulator.addScript([{ shell }, { code: "print(3)" }]);
  const tools = [
    { type: "shell", environment: { type: "container_auto" } },
    { type: "code_interpreter", container: { type: "auto" } },
  ];
  const record = await world.waitUntilSettled(await world.trigger({ input: "x", tools }));
  const [call] = record.calls;
  await world.emulator.expireContainer(call?.container_id ?? "");
  const file = record.files.find(({ filename }) => filename === "out.txt");
  const copied = await world.request(file?.url ?? "");
  expect(Buffer.from(await copied.arrayBuffer()).toString()).toBe("naïve – 数据");
  const printed = await world.request(`/results/${record.id}/outputs`);
  expect(await printed.text()).toBe("one\nwarned\ntwo\n3\n");
});

test("a run that another program started says what it was asked", async () => {
  await world.emulator.configure(NOTHING_LOST);
  const body = JSON.stringify({ model: "gpt-5.2", input: "What is asked here?", background: true });
  const answer = await world.emulator.sendToApi("/responses", { method: "POST", body });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  await waitUntil(async () => (await world.request(`/results/${id}`)).status === 200);
  await world.waitUntilSettled(id);
  const list = await world.request(`/results?limit=100`);
  expect(JSON.stringify(await list.json())).toContain("What is asked here?");
  const requests = await world.emulator.listRequests();
  const asked = requests.filter(({ path }) => path === `/v1/responses/${id}/input_items`);
  expect(asked.length).toBe(1);
});
