import type OpenAI from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import type { StepParams } from "../../emulator/scripts/schema.ts";
import { pollUntil, startTestEmulator, toLogs } from "./setup.ts";

const { client, callControl, script } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 1,
  backgroundOutputs: "present",
  streamOutputs: "present",
});

type Include = OpenAI.Responses.ResponseIncludable;
type Request = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, "model" | "input">;

interface ItemCase {
  name: string;
  step: StepParams;
  /** What the client sees who includes the item's fields. */
  shown: object[];
  /** What it sees otherwise, if that differs. */
  hidden?: object[];
  include?: Include;
  /** The distinct types of the events between the response's first and last ones. */
  events: string[];
}

const ITEM_EVENTS = ["output_item.added", "output_item.done"];
const around = (...types: string[]) => ["output_item.added", ...types, "output_item.done"];
const pngData: unknown = expect.stringMatching(/^iVBOR/);
const containerId: unknown = expect.stringMatching(/^cntr_/);
const noSources: unknown = expect.toSatisfy((action: object) => !("sources" in action));

const CASES: ItemCase[] = [
  {
    name: "code",
    step: { code: "print(6 * 7)" },
    include: "code_interpreter_call.outputs",
    shown: [{ type: "code_interpreter_call", code: "print(6 * 7)", outputs: [toLogs("42\n")] }],
    hidden: [{ type: "code_interpreter_call", code: "print(6 * 7)", outputs: null }],
    events: around(
      "code_interpreter_call.in_progress",
      "code_interpreter_call_code.delta",
      "code_interpreter_call_code.done",
      "code_interpreter_call.interpreting",
      "code_interpreter_call.completed",
    ),
  },
  {
    name: "text",
    step: { text: "hello", phase: "commentary" },
    shown: [{ type: "message", phase: "commentary", content: [{ text: "hello", logprobs: [] }] }],
    events: around(
      "content_part.added",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
    ),
  },
  {
    name: "text with citations and log probabilities",
    step: {
      text: "see it",
      annotations: [{ type: "url_citation", url: "https://example.com/", title: "it" }],
      logprobs: [{ token: "see", logprob: -0.1, bytes: [], top_logprobs: [] }],
    },
    include: "message.output_text.logprobs",
    shown: [
      { content: [{ annotations: [{ type: "url_citation" }], logprobs: [{ token: "see" }] }] },
    ],
    hidden: [{ content: [{ annotations: [{ type: "url_citation" }], logprobs: [] }] }],
    events: around(
      "content_part.added",
      "output_text.delta",
      "output_text.annotation.added",
      "output_text.done",
      "content_part.done",
    ),
  },
  {
    name: "refusal",
    step: { refusal: "I can't help with that." },
    shown: [{ content: [{ type: "refusal", refusal: "I can't help with that." }] }],
    events: around("content_part.added", "refusal.delta", "refusal.done", "content_part.done"),
  },
  {
    name: "reasoning",
    step: { reasoning: "I think." },
    shown: [{ type: "reasoning", summary: [{ type: "summary_text", text: "I think." }] }],
    events: around(
      "reasoning_summary_part.added",
      "reasoning_summary_text.delta",
      "reasoning_summary_text.done",
      "reasoning_summary_part.done",
    ),
  },
  {
    name: "function call",
    step: { function_call: { name: "add", arguments: { a: 1 }, call_id: "call_1" } },
    shown: [{ type: "function_call", name: "add", arguments: '{"a":1}', call_id: "call_1" }],
    events: around("function_call_arguments.delta", "function_call_arguments.done"),
  },
  {
    name: "web search with sources",
    step: { web_search: { query: "cats", sources: ["https://cats.example/"] } },
    include: "web_search_call.action.sources",
    shown: [
      {
        type: "web_search_call",
        status: "completed",
        action: {
          type: "search",
          query: "cats",
          sources: [{ type: "url", url: "https://cats.example/" }],
        },
      },
    ],
    hidden: [{ type: "web_search_call", action: noSources }],
    events: around(
      "web_search_call.in_progress",
      "web_search_call.searching",
      "web_search_call.completed",
    ),
  },
  {
    name: "web search without sources",
    step: { web_search: { action: { type: "open_page", url: "https://cats.example/" } } },
    include: "web_search_call.action.sources",
    shown: [{ action: { type: "open_page", url: "https://cats.example/" } }],
    hidden: [{ action: noSources }],
    events: around(
      "web_search_call.in_progress",
      "web_search_call.searching",
      "web_search_call.completed",
    ),
  },
  {
    name: "file search with results",
    step: { file_search: { queries: ["cats"], results: [{ filename: "a.txt", text: "a cat" }] } },
    include: "file_search_call.results",
    shown: [{ queries: ["cats"], results: [{ filename: "a.txt", text: "a cat", score: 0.9 }] }],
    hidden: [{ queries: ["cats"], results: null }],
    events: around(
      "file_search_call.in_progress",
      "file_search_call.searching",
      "file_search_call.completed",
    ),
  },
  {
    name: "file search without results",
    step: { file_search: {} },
    include: "file_search_call.results",
    shown: [{ type: "file_search_call", results: [] }],
    hidden: [{ type: "file_search_call", results: null }],
    events: around(
      "file_search_call.in_progress",
      "file_search_call.searching",
      "file_search_call.completed",
    ),
  },
  {
    name: "MCP call with output",
    step: { mcp_call: { name: "roll", arguments: { dice: 2 }, output: "7" } },
    shown: [{ type: "mcp_call", arguments: '{"dice":2}', output: "7", error: null }],
    events: around(
      "mcp_call.in_progress",
      "mcp_call_arguments.delta",
      "mcp_call_arguments.done",
      "mcp_call.completed",
    ),
  },
  {
    name: "MCP call with error",
    step: { mcp_call: { name: "roll", error: "no dice" } },
    shown: [
      { status: "failed", output: null, error: { content: [{ type: "text", text: "no dice" }] } },
    ],
    events: around(
      "mcp_call.in_progress",
      "mcp_call_arguments.delta",
      "mcp_call_arguments.done",
      "mcp_call.failed",
    ),
  },
  {
    name: "image generation",
    step: { image_generation: { partial_images: 2, status: "generating" } },
    shown: [{ type: "image_generation_call", status: "generating", result: pngData }],
    events: around(
      "image_generation_call.in_progress",
      "image_generation_call.generating",
      "image_generation_call.partial_image",
      "image_generation_call.completed",
    ),
  },
  {
    name: "hosted shell call",
    step: {
      shell: {
        commands: ["ls", "sleep 60"],
        outputs: [{ stdout: "a.txt\n" }, { exit_code: null }],
        files: { "a.txt": "hello" },
      },
    },
    shown: [
      {
        type: "shell_call",
        action: { commands: ["ls", "sleep 60"] },
        environment: { type: "container_reference", container_id: containerId },
      },
      {
        type: "shell_call_output",
        output: [
          { stdout: "a.txt\n", stderr: "", outcome: { type: "exit", exit_code: 0 } },
          { stdout: "", outcome: { type: "timeout" } },
        ],
      },
    ],
    events: [
      "output_item.added",
      ...["added", "delta", "done", "added", "delta", "done"].map(
        (event) => `shell_call_command.${event}`,
      ),
      ...ITEM_EVENTS.toReversed(),
      ...["delta", "done", "delta", "done"].map((event) => `shell_call_output_content.${event}`),
      "output_item.done",
    ],
  },
  {
    name: "raw item of a known type",
    step: {
      item: { type: "mcp_list_tools", server_label: "dice", tools: [], id: "mcpl_1" },
    },
    shown: [{ id: "mcpl_1", type: "mcp_list_tools", tools: [] }],
    events: around("mcp_list_tools.in_progress", "mcp_list_tools.completed"),
  },
  {
    name: "raw item of an unknown type",
    step: { item: { type: "compaction", encrypted_content: "abc" } },
    shown: [{ type: "compaction", encrypted_content: "abc" }],
    events: ITEM_EVENTS,
  },
];

beforeEach(async () => {
  await callControl("DELETE /scripts");
});

function create(more: Request = {}) {
  return client.responses.create({ model: "gpt-5.2", input: "go", ...more });
}

/** Creates a stream; returns its events. */
async function stream(more: Request = {}): Promise<OpenAI.Responses.ResponseStreamEvent[]> {
  const request = { ...more, model: "gpt-5.2", input: "go", stream: true as const };
  const events: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of await client.responses.create(request)) events.push(event);
  return events;
}

function retrieve(id: string, include: Include[]) {
  return client.responses.retrieve(id, { include });
}

/** The types of the events of items, each run of the same type once. */
function getItemEventTypes(events: OpenAI.Responses.ResponseStreamEvent[]): string[] {
  const types = events.map(({ type }) => type.replace("response.", ""));
  const ofItems = types.filter((type) => !/^(created|queued|in_progress|completed)$/.test(type));
  return ofItems.filter((type, index) => type !== ofItems[index - 1]);
}

function getDoneItems(events: OpenAI.Responses.ResponseStreamEvent[]): object[] {
  return events.flatMap((event) =>
    event.type === "response.output_item.done" ? [event.item] : [],
  );
}

function getFinalOutput(events: OpenAI.Responses.ResponseStreamEvent[]): object[] {
  const event = events.at(-1);
  return event?.type === "response.completed" ? event.response.output : [];
}

describe.each(CASES)("a scripted $name", ({ step, shown, hidden = shown, include, events }) => {
  const included = include === undefined ? [] : [include];

  test("is in the answer of a foreground run and in its retrieval", async () => {
    script({ then: [step] });
    const done = await create({ include: included });
    expect(done.output).toMatchObject(shown);
    expect((await retrieve(done.id, included)).output).toEqual(done.output);
    expect((await retrieve(done.id, [])).output).toMatchObject(hidden);
  });

  test("is in the retrieval of a background run, while it runs and after", async () => {
    script({ then: [step, { wait: 600 }] });
    const running = await create({ background: true });
    const ask = () => retrieve(running.id, included);
    const current = await pollUntil(ask, ({ output }) => output.length === shown.length);
    expect(current).toMatchObject({ status: "in_progress", output: shown });
    expect((await retrieve(running.id, [])).output).toMatchObject(hidden);
    await client.responses.cancel(running.id);

    script({ then: [step] });
    const { id } = await create({ background: true });
    const ended = await pollUntil(() => retrieve(id, included), isEnded);
    expect(ended).toMatchObject({ status: "completed", output: shown });
    expect((await retrieve(id, [])).output).toMatchObject(hidden);
  });

  test.each([true, false])("is streamed, in the background: %s", async (background) => {
    script({ then: [step], times: 2 });
    const streamed = await stream({ background, include: included });
    expect(getItemEventTypes(streamed)).toEqual(events);
    expect(streamed.map((event) => event.sequence_number)).toEqual([...streamed.keys()]);
    expect(getDoneItems(streamed)).toMatchObject(shown);
    expect(getFinalOutput(streamed)).toMatchObject(shown);
    const plain = await stream({ background });
    expect(getDoneItems(plain)).toMatchObject(hidden);
    expect(getFinalOutput(plain)).toMatchObject(hidden);
  });
});

test.each(CASES)(
  "a scripted $name has come when the stream is cut before its last event",
  async (item) => {
    const { step, shown, include } = item;
    script({ then: [step, { cut: true }] });
    const included = include === undefined ? [] : [include];
    const request = { model: "gpt-5.2", input: "go", include: included, stream: true as const };
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const read = async () => {
      for await (const event of await client.responses.create(request)) events.push(event);
    };
    await expect(read()).rejects.toThrow("terminated");
    expect(getDoneItems(events)).toMatchObject(shown);
    expect(events.at(-1)?.type).toBe("response.output_item.done");
  },
);

test.each(CASES)("the SDK's stream helper collects a scripted $name", async ({ step, ...rest }) => {
  const { shown, include } = rest;
  script({ then: [step] });
  const included = include === undefined ? [] : [include];
  const helper = client.responses.stream({ model: "gpt-5.2", input: "go", include: included });
  expect((await helper.finalResponse()).output).toMatchObject(shown);
});

function isEnded({ status }: { status?: string | undefined }): boolean {
  return status !== "queued" && status !== "in_progress";
}

test("encrypted reasoning is shown to a create request that includes it", async () => {
  script({ then: [{ reasoning: "hm" }], times: 2 });
  const { output } = await create({ store: false, include: ["reasoning.encrypted_content"] });
  expect(output).toMatchObject([{ encrypted_content: expect.any(String) as unknown }]);
  expect((await create()).output[0]).not.toHaveProperty("encrypted_content");
});
