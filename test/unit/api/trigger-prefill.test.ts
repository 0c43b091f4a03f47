import { expect, test } from "vitest";
import type { TriggerQuery } from "../../../src/api/queries.ts";
import { EMPTY_FORM, EXAMPLE_FORM } from "../../../src/api/trigger-form.ts";
import { prefill, type StartedRun } from "../../../src/api/trigger-prefill.ts";
import { redactRequest } from "../../../src/record/request/redact.ts";
import { containing } from "../../support/matchers.ts";

const INTERPRETER = { type: "code_interpreter", container: { type: "auto", memory_limit: "4g" } };
const MCP = { type: "mcp", server_label: "deepwiki", headers: { "x-key": "secret" } };

function createRun(given: Partial<StartedRun>): StartedRun {
  return {
    request: { model: "gpt-x", input: "2 + 2", tools: [INTERPRETER] },
    input: null,
    tools: ["code_interpreter"],
    model: "gpt-x-2026",
    held: null,
    streamed: false,
    control: null,
    control_due: false,
    retention_days: null,
    ...given,
  };
}

const HELD = { held: { broke_at: null } };
const FOLLOWED = { streamed: true };
const COMPARED = { control: { id: "resp_2", status: "completed", calls: [] } };

const FLAGS: [string, Partial<StartedRun>, TriggerQuery, string[]][] = [
  ["none", {}, {}, []],
  ["those of a held run", HELD, {}, ["hold"]],
  [
    "those of a followed run with a control",
    { ...FOLLOWED, ...COMPARED },
    {},
    ["stream", "control"],
  ],
  ["those of a run whose control runs", { control_due: true }, {}, ["control"]],
  ["hold in place of the run's others", { ...FOLLOWED, ...COMPARED }, { hold: "on" }, ["hold"]],
  ["control in place of the run's hold", HELD, { control: "on" }, ["control"]],
  ["stream in place of the run's hold", HELD, { stream: "on" }, ["stream"]],
  ["none of a held run when it is off", HELD, { hold: "off" }, []],
  ["none of a followed run when it is off", FOLLOWED, { stream: "off" }, []],
  ["hold, though control is off", COMPARED, { hold: "on", control: "off" }, ["hold"]],
];

test.each(FLAGS)("prefill sets %s", (_, run, query, expected) => {
  const { hold, stream, control } = prefill(createRun(run), query).form;
  const flags = Object.entries({ hold, stream, control });
  expect(flags.filter(([, value]) => value === "on").map(([name]) => name)).toEqual(expected);
  expect(flags.every(([, value]) => value === "on" || value === "")).toBe(true);
});

test("prefill without a run has the example, with the input and the flags of the query", () => {
  expect(prefill(null, {})).toEqual({ form: EXAMPLE_FORM, gaps: [] });
  expect(prefill(null, { input: "Print 1", control: "on" })).toEqual({
    form: { ...EMPTY_FORM, input: "Print 1", control: "on" },
    gaps: [],
  });
});

test("prefill puts what has a field into its field, and the rest into the advanced field", () => {
  const request = {
    model: "gpt-x",
    input: "2 + 2",
    tools: [INTERPRETER],
    include: ["code_interpreter_call.outputs"],
    background: true,
    store: true,
    metadata: { response_recorder: "{}", team: "a" },
    reasoning: { effort: "low" },
  };
  const { form, gaps } = prefill(createRun({ request, retention_days: 7 }), {});
  expect(gaps).toEqual([]);
  const advanced: unknown = JSON.parse(form.advanced);
  expect({ ...form, advanced }).toEqual({
    ...EMPTY_FORM,
    model: "gpt-x",
    input: "2 + 2",
    memory: "4g",
    retention_days: "7",
    advanced: { reasoning: { effort: "low" }, metadata: { team: "a" } },
  });
});

test("prefill says which credentials are missing, and where to put them", () => {
  const request = redactRequest({ input: "x", tools: [INTERPRETER, MCP] });
  const { form, gaps } = prefill(createRun({ request }), {});
  expect(form.advanced).toContain('"headers": "[removed]"');
  expect(gaps).toEqual([
    { field: "advanced", message: containing("tools[1].headers, of the MCP server deepwiki,") },
  ]);
});

test("prefill says which texts of a request of more than 128 KiB are missing, and not one that the query replaces", () => {
  const long = "word ".repeat(40_000);
  const request = redactRequest({ model: "gpt-x", input: long, instructions: long });
  const run = createRun({ request });
  expect(prefill(run, {}).gaps).toEqual([
    { field: "input", message: containing("input has only the beginning") },
    { field: "advanced", message: containing("instructions has only the beginning") },
  ]);
  const { form, gaps } = prefill(run, { input: "Short" });
  expect(form.input).toBe("Short");
  expect(gaps.map(({ field }) => field)).toEqual(["advanced"]);
});

test("prefill of a run of whose request only the model was kept asks for the rest", () => {
  const parts = Array.from({ length: 5_000 }, (_, index) => `part ${index} of the long input`);
  const request = redactRequest({ model: "gpt-x", input: parts });
  expect(prefill(createRun({ request }), {})).toEqual({
    form: { ...EMPTY_FORM, model: "gpt-x" },
    gaps: [{ field: "input", message: containing("more than 128 KiB") }],
  });
});

test("prefill puts an input of several parts into the advanced field, unless the query replaces it", () => {
  const request = { input: [{ role: "user", content: "2 + 2" }] };
  expect(JSON.parse(prefill(createRun({ request }), {}).form.advanced)).toEqual(request);
  expect(prefill(createRun({ request }), { input: "3 + 3" }).form).toEqual({
    ...EMPTY_FORM,
    memory: "none",
    input: "3 + 3",
  });
});

test("prefill of a run that another program started has what its response tells, and says what is not known", () => {
  const question = {
    type: "message",
    role: "user",
    content: [{ type: "input_text", text: "2 + 2" }],
  };
  const run = createRun({ request: null, input: [question], tools: ["mcp", "code_interpreter"] });
  expect(prefill(run, {})).toEqual({
    form: { ...EMPTY_FORM, input: "2 + 2", model: "gpt-x-2026" },
    gaps: [{ field: "advanced", message: containing("such as those of mcp.") }],
  });
  const unknown = createRun({ request: null, tools: [], model: null });
  expect(prefill(unknown, {})).toEqual({
    form: { ...EMPTY_FORM, memory: "none" },
    gaps: [
      { field: "advanced", message: containing("The recorder did not start this run") },
      { field: "input", message: containing("Type the input.") },
    ],
  });
  expect(prefill(unknown, { input: "x" }).gaps.map(({ field }) => field)).toEqual(["advanced"]);
});

test("prefill says that store: false is left out, and that a control can't run the request", () => {
  const request = { input: "x", store: false, previous_response_id: "resp_1" };
  const { form, gaps } = prefill(createRun({ request }), { control: "on" });
  expect([form.previous_response_id, form.advanced]).toEqual(["resp_1", ""]);
  expect(gaps).toEqual([
    { field: "advanced", message: containing("store: false") },
    { field: "control", message: containing("continues another response") },
  ]);
});
