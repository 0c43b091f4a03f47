import OpenAI, { toFile } from "openai";
import { describe, expect, test } from "vitest";
import {
  getCalls,
  getOutputs,
  INCLUDE_OUTPUTS,
  startTestEmulator,
  toLogs,
  toPythonInput,
} from "./setup.ts";

const { client } = await startTestEmulator();

type CreateParams = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const READ_FILES = "{name: open(name).read() for name in sorted(__import__('os').listdir())}";

async function upload(name: string, text: string): Promise<string> {
  const file = await toFile(Buffer.from(text), name);
  return (await client.files.create({ file, purpose: "user_data" })).id;
}

function run(code: string, fileIds: string[] = [], more: Partial<CreateParams> = {}) {
  const container = { type: "auto" as const, file_ids: fileIds };
  return client.responses.create({
    model: "gpt-5.2",
    include: [INCLUDE_OUTPUTS],
    tools: [{ type: "code_interpreter", container }],
    input: toPythonInput(code),
    ...more,
    stream: false,
  });
}

function toUserMessage(code: string, ...files: OpenAI.Responses.ResponseInputFile[]) {
  const text = { type: "input_text" as const, text: toPythonInput(code) };
  return { role: "user" as const, content: [text, ...files] };
}

describe("POST /v1/responses puts the files of a follow-up into the container", () => {
  test("of previous_response_id", async () => {
    const first = await run("x = 1");
    const fileId = await upload("a.csv", "1,2");
    const second = await run(`x, ${READ_FILES}`, [fileId], { previous_response_id: first.id });
    expect(getOutputs(second)).toEqual([[toLogs("(1, {'a.csv': '1,2'})")]]);
    expect(getCalls(second)[0]?.container_id).toBe(getCalls(first)[0]?.container_id);
  });

  test("of a conversation", async () => {
    const { id: conversation } = await client.conversations.create({});
    await run("x = 1", [], { conversation });
    const input_file = { type: "input_file" as const, file_id: await upload("b.csv", "3") };
    const input = [toUserMessage(`x, ${READ_FILES}`, input_file)];
    const second = await run("", [], { conversation, input });
    expect(getOutputs(second)).toEqual([[toLogs("(1, {'b.csv': '3'})")]]);
  });

  test("whose input has the earlier call", async () => {
    const first = await run("x = 1");
    const file_data = `data:text/plain;base64,${Buffer.from("inline").toString("base64")}`;
    const file = { type: "input_file" as const, filename: "c.txt", file_data };
    const calls = first.output.filter((item) => item.type === "code_interpreter_call");
    const input = [...calls, toUserMessage(`x, ${READ_FILES}`, file)];
    const second = await run("", [], { input });
    expect(getOutputs(second)).toEqual([[toLogs("(1, {'c.txt': 'inline'})")]]);
  });

  test("whose input refers to the earlier call", async () => {
    const first = await run("x = 1");
    const reference = { type: "item_reference" as const, id: getCalls(first)[0]?.id ?? "" };
    const second = await run("", [], { input: [reference, toUserMessage("x")] });
    expect(getOutputs(second)).toEqual([[toLogs("1")]]);
  });

  test("in a container that the tool names", async () => {
    const { id } = await client.containers.create({ name: "lab" });
    const file = { type: "input_file" as const, file_id: await upload("d.txt", "d") };
    const done = await run("", [], {
      tools: [{ type: "code_interpreter", container: id }],
      input: [toUserMessage(READ_FILES, file)],
    });
    expect(getOutputs(done)).toEqual([[toLogs("{'d.txt': 'd'}")]]);
  });
});

test("POST /v1/responses keeps what code made of a file whose id is sent again", async () => {
  const fileId = await upload("a.txt", "old");
  const first = await run("open('a.txt', 'w').write('new')", [fileId]);
  const second = await run(READ_FILES, [fileId], { previous_response_id: first.id });
  expect(getOutputs(second)).toEqual([[toLogs("{'a.txt': 'new'}")]]);
});

test("POST /v1/responses gives a new container the files of the earlier input", async () => {
  const file = { type: "input_file" as const, file_id: await upload("e.txt", "e") };
  const first = await run("", [], { input: [toUserMessage("1", file)] });
  await client.containers.delete(getCalls(first)[0]?.container_id ?? "");
  const second = await run(READ_FILES, [], { previous_response_id: first.id });
  expect(getOutputs(second)).toEqual([[toLogs("{'e.txt': 'e'}")]]);
});

describe("POST /v1/responses rejects an unknown file", () => {
  test("of file_ids in a follow-up", async () => {
    const first = await run("1");
    const second = run("1", ["file-none"], { previous_response_id: first.id });
    await expect(second).rejects.toMatchObject({ status: 404 });
  });

  test("of the input", async () => {
    const input = [toUserMessage("1", { type: "input_file", file_id: "file-none" })];
    await expect(run("", [], { input })).rejects.toMatchObject({ status: 404 });
    const plain = client.responses.create({ model: "gpt-5.2", input });
    await expect(plain).rejects.toMatchObject({ status: 404 });
  });
});
