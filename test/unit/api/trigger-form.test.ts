import { expect, test } from "vitest";
import { parseTriggerForm, toCreateParams } from "../../../src/api/trigger-form.ts";
import { containing } from "../../support/matchers.ts";

const INTERPRETER = { type: "code_interpreter", container: { type: "auto" } };

function read(form: Record<string, string>): Record<string, unknown> {
  return toCreateParams(parseTriggerForm(form));
}

test("the form's input has the line breaks and the white space that were typed", () => {
  expect(read({ input: " first\r\n\r\nsecond\r\n", memory: "none" })).toEqual({
    input: " first\n\nsecond\n",
  });
});

test("the form's container has OpenAI's default memory, or the chosen one, and the files", () => {
  const input = "x";
  expect(read({ input })).toEqual({ input, tools: [INTERPRETER] });
  expect(read({ input, memory: "16g", file_ids: " file-1,file-2\t file_3 " })).toEqual({
    input,
    tools: [
      {
        type: "code_interpreter",
        container: { type: "auto", memory_limit: "16g", file_ids: ["file-1", "file-2", "file_3"] },
      },
    ],
  });
});

test("the form's flags, days and previous response become parameters, and the advanced field overrides all", () => {
  const form = {
    input: "x",
    memory: "none",
    hold: "on",
    retention_days: " 7 ",
    previous_response_id: " resp_1 ",
  };
  const params = { input: "x", hold: true, retention_days: 7, previous_response_id: "resp_1" };
  expect(read(form)).toEqual(params);
  const advanced = '{"retention_days": 8, "hold": false, "reasoning": {"effort": "low"}}';
  expect(read({ ...form, advanced })).toEqual({
    ...params,
    retention_days: 8,
    hold: false,
    reasoning: { effort: "low" },
  });
});

const REFUSED = [
  [{ memory: "none" }, "input", "The input is empty."],
  [{ input: " \r\n " }, "input", "The input is empty."],
  [{ input: "x", memory: "none", file_ids: "file-1" }, "file_ids", "turn it on"],
  [{ input: "x", file_ids: "file-1", advanced: '{"tools": []}' }, "file_ids", "tools of its own"],
  [{ input: "x", advanced: '{\r\n  "a": 1,\r\n}' }, "advanced", "Line 3, column 1: a name"],
  [{ input: "x", advanced: "[1]" }, "advanced", "one JSON object"],
  [{ input: "x", advanced: "null" }, "advanced", "one JSON object"],
] as const;

test.each(REFUSED)("the form %j is refused at its field %s: %s", (form, param, message) => {
  expect(() => read(form)).toThrow(
    expect.objectContaining({ status: 400, param, message: containing(message) }),
  );
});

test("an empty input is no mistake beside a stored prompt, a conversation or a previous response", () => {
  for (const advanced of ['{"prompt": {"id": "pmpt_1"}}', '{"conversation": "conv_1"}']) {
    expect(read({ memory: "none", advanced })).toEqual(JSON.parse(advanced));
  }
  expect(read({ memory: "none", previous_response_id: "resp_1" })).toEqual({
    previous_response_id: "resp_1",
  });
});
