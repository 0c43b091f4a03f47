import type OpenAI from "openai";
import { expect, test } from "vitest";
import { startTestEmulator } from "./setup.ts";

const { client, callControl, script, waitForEnd } = await startTestEmulator();

const request = { model: "gpt-5.2", input: "go" };

function getContainerId(output: OpenAI.Responses.ResponseOutputItem[]): string {
  const call = output.find((item) => item.type === "shell_call");
  const environment = call?.environment;
  return environment?.type === "container_reference" ? environment.container_id : "";
}

test("a background run's shell call writes files that can be downloaded until the container expires", async () => {
  const text = "größer\r\n\u0000\tend";
  script({ then: [{ shell: { commands: ["make"], files: { "out/a.txt": text } } }] });
  const tools = [{ type: "shell" as const, environment: { type: "container_auto" as const } }];
  const { id } = await client.responses.create({ ...request, tools, background: true });
  const container_id = getContainerId((await waitForEnd(id)).output);
  const { data } = await client.containers.files.list(container_id);
  expect(data).toMatchObject([{ path: "/mnt/data/out/a.txt", source: "assistant" }]);
  const download = () =>
    client.containers.files.content.retrieve(data[0]?.id ?? "", { container_id });
  const bytes = Buffer.from(await (await download()).arrayBuffer());
  expect(bytes).toEqual(Buffer.from(text));
  await callControl(`POST /containers/${container_id}/expire`);
  await expect(download()).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("Container is expired.") as unknown,
  });
  const containers = await client.containers.list();
  expect(containers.data).toMatchObject([{ id: container_id, status: "expired" }]);
});

test("the files of a scripted shell call are in its container", async () => {
  const files = { "a.txt": "hello" };
  script({ then: [{ shell: { commands: ["ls"], files } }, { text: "Done.", cites_files: true }] });
  const { output } = await client.responses.create(request);
  const { data } = await client.containers.files.list(getContainerId(output));
  expect(data).toMatchObject([{ path: "/mnt/data/a.txt", bytes: 5 }]);
  expect(output[2]).toMatchObject({
    content: [{ annotations: [{ type: "container_file_citation", file_id: data[0]?.id }] }],
  });
});

test("a scripted shell call is in the container that the request's shell tool names", async () => {
  const { id: container_id } = await client.containers.create({ name: "mine" });
  const environment = { type: "container_reference" as const, container_id };
  script({ then: [{ shell: { commands: ["ls"] } }] });
  const { output } = await client.responses.create({
    ...request,
    tools: [{ type: "shell", environment }],
  });
  expect(output[0]).toMatchObject({ type: "shell_call", environment });
});
