import type OpenAI from "openai";
import { afterEach, describe, expect, test } from "vitest";
import type { StepParams } from "../../emulator/scripts/schema.ts";
import { pollUntil, startTestEmulator, toLogs } from "./setup.ts";

const SETTINGS = { queueSeconds: 0, runSeconds: 0, interpreters: 1 };
const { client, callControl, script } = await startTestEmulator(SETTINGS);

const include: OpenAI.Responses.ResponseIncludable[] = [
  "code_interpreter_call.outputs",
  "web_search_call.action.sources",
  "file_search_call.results",
];

interface LossCase {
  /** The end of the settings' names. */
  name: string;
  step: StepParams;
  /** The output by the setting's value. */
  present: unknown[];
  empty: unknown[];
  absent: unknown[];
}

/** Stands in each result, and nowhere else. */
const RESULT = "RESULT";
const PAGE = `https://example.com/${RESULT}`;
const SHELL_CALL = { type: "shell_call", action: { commands: ["ls"] } };

const CASES: LossCase[] = [
  {
    name: "Outputs",
    step: { code: "print('RES' + 'ULT')" },
    present: [{ outputs: [toLogs(`${RESULT}\n`)] }],
    empty: [{ outputs: [] }],
    absent: [{ outputs: null }],
  },
  {
    name: "Sources",
    step: { web_search: { sources: [PAGE] } },
    present: [{ action: { type: "search", sources: [{ type: "url", url: PAGE }] } }],
    empty: [{ action: { type: "search", sources: [] } }],
    absent: [{ type: "web_search_call", action: without("sources") }],
  },
  {
    name: "Results",
    step: { file_search: { results: [{ text: RESULT }] } },
    present: [{ results: [{ text: RESULT }] }],
    empty: [{ results: [] }],
    absent: [{ results: null }],
  },
  {
    name: "Images",
    step: { image_generation: { result: RESULT } },
    present: [{ status: "completed", result: RESULT }],
    empty: [{ status: "completed", result: null }],
    absent: [without("result")],
  },
  {
    name: "McpOutputs",
    step: { mcp_call: { name: "roll", output: RESULT } },
    present: [{ name: "roll", output: RESULT, error: null }],
    empty: [{ name: "roll", output: null, error: null }],
    absent: [without("output", "error")],
  },
  {
    name: "McpOutputs",
    step: { mcp_call: { name: "roll", error: { type: "http_error", message: RESULT } } },
    present: [{ status: "failed", output: null, error: { message: RESULT } }],
    empty: [{ status: "failed", output: null, error: null }],
    absent: [without("output", "error")],
  },
  {
    name: "ShellOutputs",
    step: { shell: { commands: ["ls"], outputs: [{ stdout: RESULT }] } },
    present: [SHELL_CALL, { type: "shell_call_output", output: [{ stdout: RESULT }] }],
    empty: [SHELL_CALL, { type: "shell_call_output", output: [] }],
    absent: [SHELL_CALL],
  },
];

const RULES = ["present", "empty", "absent"] as const;
const CASES_BY_RULE = CASES.flatMap((loss) => RULES.map((rule) => ({ ...loss, rule })));

/** Matches an object that lacks members. */
function without(...members: string[]): unknown {
  const lacks = (value: object) => members.every((member) => !(member in value));
  const matcher: unknown = expect.toSatisfy(lacks);
  return matcher;
}

/** Sets the rules of some channels; all others keep everything. */
async function setRules(name: string, rules: { [prefix: string]: string }): Promise<void> {
  const all = { background: "present", stream: "present", conversation: "present", ...rules };
  const entries = Object.entries(all).map(([prefix, rule]) => [`${prefix}${name}`, rule]);
  await callControl("PATCH /settings", Object.fromEntries(entries));
}

afterEach(async () => {
  for (const { name } of CASES) await setRules(name, {});
  await callControl("DELETE /scripts");
});

async function runInBackground(step: StepParams, more: { conversation?: string } = {}) {
  // A message follows, so that a missing item would leave a gap.
  script({ then: [step, { text: "Done." }] });
  const request = { model: "gpt-5.2", input: "go", background: true, ...more };
  const { id } = await client.responses.create(request);
  const done = await pollUntil(
    () => client.responses.retrieve(id, { include }),
    ({ status }) => status === "completed",
  );
  return { id, output: done.output.slice(0, -1) };
}

describe.each(CASES_BY_RULE)("$rule $name of $step", ({ name, step, rule, ...outputs }) => {
  test("is what a retrieved background run shows", async () => {
    await setRules(name, { background: rule });
    expect((await runInBackground(step)).output).toMatchObject(outputs[rule]);
  });

  test("is what a background run's stream shows, numbered without a gap", async () => {
    await setRules(name, { stream: rule });
    script({ then: [step, { text: "Done." }] });
    const items: object[] = [];
    const places = new Set<number>();
    const events: unknown[] = [];
    let final: unknown[] = [];
    const request = { model: "gpt-5.2", input: "go", background: true, include };
    for await (const event of await client.responses.create({ ...request, stream: true })) {
      expect(event.sequence_number).toBe(events.length);
      events.push(event);
      if ("output_index" in event) places.add(event.output_index);
      if (event.type === "response.output_item.done") items.push(event.item);
      if (event.type === "response.completed") final = event.response.output;
    }
    expect(items.slice(0, -1)).toMatchObject(outputs[rule]);
    expect(final).toEqual(items);
    expect([...places]).toEqual([...items.keys()]);
    expect(JSON.stringify(events).includes(RESULT)).toBe(rule === "present");
  });

  test("is what its conversation shows", async () => {
    await setRules(name, { conversation: rule });
    const { id: conversation } = await client.conversations.create();
    await runInBackground(step, { conversation });
    const list = await client.conversations.items.list(conversation, { include, order: "asc" });
    expect(list.data.slice(1, -1)).toMatchObject(outputs[rule]);
  });
});

describe.each(CASES)("$name of $step", ({ name, step, present, empty }) => {
  test("are late while a background run's setting is late", async () => {
    await setRules(name, { background: "late:600" });
    const { id, output } = await runInBackground(step);
    expect(output).toMatchObject(empty);
    await setRules(name, { background: "late:0" });
    const later = await client.responses.retrieve(id, { include });
    expect(later.output.slice(0, -1)).toMatchObject(present);
  });

  test("are never lost in the foreground", async () => {
    const all = { background: "absent", stream: "absent", conversation: "absent" };
    await setRules(name, all);
    const { id: conversation } = await client.conversations.create();
    script({ then: [step] });
    const request = { model: "gpt-5.2", input: "go", include, conversation };
    expect((await client.responses.create(request)).output).toMatchObject(present);
    const list = await client.conversations.items.list(conversation, { include, order: "asc" });
    expect(list.data.slice(1)).toMatchObject(present);
  });
});

test("a conversation loses nothing of what a client sent", async () => {
  await setRules("ShellOutputs", { conversation: "absent" });
  const { id: conversation } = await client.conversations.create();
  const output = [{ stdout: "mine", stderr: "", outcome: { type: "exit" as const, exit_code: 0 } }];
  const input = [{ type: "shell_call_output" as const, call_id: "call_1", output }];
  const request = { model: "gpt-5.2", input, conversation, background: true };
  const { id } = await client.responses.create(request);
  const ask = () => client.responses.retrieve(id);
  await pollUntil(ask, ({ status }) => status === "completed");
  const list = await client.conversations.items.list(conversation, { order: "asc" });
  expect(list.data[0]).toMatchObject({ type: "shell_call_output", output });
});
