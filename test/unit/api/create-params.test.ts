import { expect, test } from "vitest";
import { z } from "zod";
import {
  parseInclude,
  parseTrigger,
  toControlBody,
  toRequestBody,
  type CreateParams,
} from "../../../src/api/create-params.ts";
import { parseJsonBody } from "../../../src/api/json-body.ts";
import { decodeChunks } from "../../../src/lib/byte-stream.ts";
import { containing, matching } from "../../support/matchers.ts";

/** Only the model is read here. */
const env = z.custom<Env>().parse({ OPENAI_MODEL: "gpt-default" });

const Params = z.record(z.string(), z.unknown());
const OUTPUTS = "code_interpreter_call.outputs";
const INTERPRETER = '{"type":"code_interpreter","container":{"type":"auto"}}';

function parse(text: string): CreateParams {
  return parseTrigger(env, parseJsonBody(Uint8Array.from(new TextEncoder().encode(text)).buffer));
}

/** The text of the request that goes to OpenAI. */
function toText({ body }: CreateParams): string {
  return decodeChunks(body);
}

function toSent(text: string): Record<string, unknown> {
  return Params.parse(JSON.parse(toText(parse(text))));
}

test("parseTrigger sends the parsed request, whatever it changes", () => {
  for (const text of [
    "{}",
    '{"input":"x"}',
    `{"input":"x","tools":[${INTERPRETER}],"hold":true,"metadata":{"a":"b"}}`,
    `{"stream":true,"tools":[${INTERPRETER}],"include":["reasoning.encrypted_content"]}`,
    '{"model":null,"include":null,"metadata":null,"background":null,"store":null,"stream":null,"input":"x"}',
    '{"background":true,"store":true,"retention_days":7,"control":true,"input":"x"}',
  ]) {
    const params = parse(text);
    expect(JSON.parse(toText(params))).toEqual(params.request);
  }
});

test("parseTrigger leaves each member that it does not change as the caller wrote it", () => {
  const kept = '"input": [ 1.0,"\\u0061" ]';
  const text = toText(parse(`{ "hold":true , ${kept},"seed":12345678901234567890 }`));
  expect(text).toContain('"input": [ 1.0,"\\u0061" ]');
  expect(text).toContain('"seed":12345678901234567890');
  expect(JSON.parse(text)).not.toHaveProperty("hold");
});

test.each([
  ['{"input":"x"}', { background: true, store: true }],
  ['{"input":"x","hold":true}', { background: false, store: true, stream: true }],
  ['{"input":"x","stream":true}', { background: true, store: true, stream: true }],
  ['{"input":"x","stream":false}', { background: true, store: true }],
  ['{"input":"x","background":true,"store":true}', { background: true, store: true }],
])("parseTrigger of %s creates with %j", (text, expected) => {
  const { input, model, metadata, ...modes } = toSent(text);
  expect(modes).toEqual(expected);
  expect([input, model]).toEqual(["x", "gpt-default"]);
  expect(metadata).toEqual({ response_recorder: matching(/^\{"include":\[/) });
});

test("parseTrigger writes the options into the metadata, without those that GET would refuse", () => {
  const params = parse(
    `{"stream":true,"retention_days":3,"tools":[${INTERPRETER}],"include":["reasoning.encrypted_content"]}`,
  );
  const { response_recorder: json } = z
    .object({ response_recorder: z.string() })
    .parse(params.request["metadata"]);
  expect(JSON.parse(json)).toEqual({ ...params.options, include: [OUTPUTS] });
  expect(params.options).toEqual({
    include: ["reasoning.encrypted_content", OUTPUTS],
    stream: true,
    control: false,
    hold: false,
    retention_days: 3,
  });
});

test("parseTrigger replaces the recorder's own metadata when a caller sends it", () => {
  const { metadata } = toSent('{"input":"x","metadata":{"response_recorder":"mine","a":"b"}}');
  expect(metadata).toEqual({ a: "b", response_recorder: containing("include") });
});

test.each([
  ["[]", "bad_request", /JSON object/],
  ['{"replay":true}', "bad_request", /stream: true/],
  ['{"replay":null}', "bad_request", /stream: true/],
  ['{"stream":1}', "bad_request", /^stream must be true or false/],
  ['{"hold":null}', "bad_request", /^hold must be true or false/],
  ['{"hold":true,"control":true}', "bad_request", /^hold runs in the foreground/],
  ['{"hold":true,"stream":true}', "bad_request", /Leave stream out/],
  ['{"background":false}', "bad_request", /background: false/],
  ['{"store":false}', "bad_request", /store: false/],
  ['{"control":true,"previous_response_id":"resp_1"}', "control_not_comparable", /continues/],
  ['{"control":true,"conversation":{"id":"conv_1"}}', "control_not_comparable", /conversation/],
  ['{"control":true,"tools":[{"type":"mcp"}]}', "control_not_comparable", /mcp tool/],
  ['{"control":true,"tools":[{"type":"function"}]}', "control_not_comparable", /function tool/],
  ['{"control":true,"tools":[{"type":"custom"}]}', "control_not_comparable", /custom tool/],
  ['{"control":true,"tools":[{"type":"shell"}]}', "control_not_comparable", /shell tool/],
  [
    '{"control":true,"tools":[{"type":"x","y":{"z":["cntr_1"]}}]}',
    "control_not_comparable",
    /share/,
  ],
])("parseTrigger rejects %s with %s", (text, code, message) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ status: 400, code, message: matching(message) }),
  );
});

test.each([
  '{"control":true,"previous_response_id":null,"conversation":null}',
  `{"control":true,"tools":[${INTERPRETER},{"type":"web_search"}]}`,
  '{"control":true,"stream":true,"tools":null}',
  '{"control":true,"input":"cntr_1 mcp function"}',
])("parseTrigger accepts %s", (text) => {
  expect(parse(text).options.control).toBe(true);
});

test("toControlBody is the request in the foreground and streamed, with the run's id in place of the options", () => {
  const params = parse(
    `{"control":true,"input": 1.0,"metadata":{"a":"b"},"tools":[${INTERPRETER}]}`,
  );
  const text = decodeChunks(toControlBody(params, "resp_1"));
  expect(text).toContain('"input": 1.0');
  expect(JSON.parse(text)).toEqual({
    ...params.request,
    background: false,
    stream: true,
    metadata: { a: "b", response_recorder: '{"control_of":"resp_1"}' },
  });
});

test("toRequestBody changes what differs, adds what is new, and removes what is gone", () => {
  const json = new TextEncoder().encode('{"same": 1e0,"old":1,"gone":2,"list":[1]}');
  const before = Params.parse(JSON.parse(new TextDecoder().decode(json)));
  const after = { same: 1, old: 3, list: before["list"], more: { a: null } };
  const text = decodeChunks(toRequestBody(json, before, after));
  expect(text).toBe('{"same": 1e0,"old":3,"list":[1],"more":{"a":null}}');
});

test.each([
  [{}, null],
  [{ include: ["x"] }, ["x"]],
  [{ tools: [{ type: "code_interpreter" }] }, [OUTPUTS]],
  [{ tools: [{ type: "code_interpreter" }], include: ["x", OUTPUTS] }, ["x", OUTPUTS]],
  [{ tools: "code_interpreter" }, null],
])("parseInclude of %j is %j", (request, expected) => {
  expect(parseInclude(request)).toEqual(expected);
});
