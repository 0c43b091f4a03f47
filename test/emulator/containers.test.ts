import OpenAI, { toFile } from "openai";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  getCalls,
  startTestEmulator,
  INTERPRETER_TOOL,
  INCLUDE_OUTPUTS,
  getOutputs,
  toPythonInput,
} from "./setup.ts";

const { client, callControl, runPython } = await startTestEmulator({ interpreters: 1 });

async function getContainerId(response: { output: unknown[] }): Promise<string> {
  return getCalls(response)[0]?.container_id ?? "";
}

async function runAndListFiles(code: string) {
  const done = await runPython(code);
  const id = await getContainerId(done);
  const { data } = await client.containers.files.list(id, { order: "asc" });
  return { done, id, files: data };
}

async function downloadFile(container_id: string, file: string): Promise<Buffer> {
  const response = await client.containers.files.content.retrieve(file, { container_id });
  return Buffer.from(await response.arrayBuffer());
}

const Citations = z.array(z.looseObject({ type: z.string(), filename: z.string() }));

function getCitations(done: OpenAI.Responses.Response) {
  const parts = done.output.flatMap((item) => (item.type === "message" ? item.content : []));
  const part = parts.find(({ type }) => type === "output_text");
  if (part?.type !== "output_text") return { text: "", cited: [] };
  return { text: part.text, cited: Citations.parse(part.annotations) };
}

describe("a file that Python writes", () => {
  test("is listed, and downloads byte for byte", async () => {
    const { id, files } = await runAndListFiles("open('all.bin', 'wb').write(bytes(range(256)));");
    expect(files).toMatchObject([
      { path: "/mnt/data/all.bin", bytes: 256, source: "assistant", container_id: id },
    ]);
    const content = await downloadFile(id, files[0]?.id ?? "");
    expect([...content]).toEqual([...Array(256).keys()]);
  });

  test("can have a name in any script, in a folder", async () => {
    const code =
      "import os\nos.makedirs('tief/er')\nopen('tief/er/Übersicht 数据 🎉.txt', 'w').write('x');";
    const { id, files } = await runAndListFiles(code);
    expect(files.map(({ path }) => path)).toEqual(["/mnt/data/tief/er/Übersicht 数据 🎉.txt"]);
    expect((await downloadFile(id, files[0]?.id ?? "")).toString()).toBe("x");
  });

  test("can have 30 MiB", async () => {
    const { id, files } = await runAndListFiles("open('big', 'wb').write(b'abc' * 10 * 2**20);");
    expect(files[0]?.bytes).toBe(30 * 2 ** 20);
    const content = await downloadFile(id, files[0]?.id ?? "");
    expect(content.equals(Buffer.alloc(30 * 2 ** 20, "abc"))).toBe(true);
  });

  test("is cited unless its name begins with _ or a dot", async () => {
    const names = ["plot.png", "_quiet.txt", ".hidden"];
    const code = names.map((name) => `open('${name}', 'w').write('x');`).join("\n");
    const { done, id, files } = await runAndListFiles(code);
    expect(files).toHaveLength(3);
    const { text, cited } = getCitations(done);
    expect(cited).toMatchObject([
      { type: "container_file_citation", filename: "plot.png", container_id: id },
    ]);
    const { file_id, start_index, end_index } = z
      .looseObject({ file_id: z.string(), start_index: z.number(), end_index: z.number() })
      .parse(cited[0]);
    expect(files.find((file) => file.id === file_id)?.path).toBe("/mnt/data/plot.png");
    expect(text.slice(start_index, end_index)).toBe("[plot.png](sandbox:/mnt/data/plot.png)");
  });

  test("keeps its id when it is written again, and is not listed once removed", async () => {
    const { id, files } = await runAndListFiles(
      "open('a', 'w').write('1'); open('b', 'w').write('1');",
    );
    await client.responses.create({
      model: "gpt-5.2",
      tools: [{ type: "code_interpreter", container: id }],
      input: toPythonInput("import os\nopen('a', 'w').write('2')\nos.remove('b')"),
    });
    const { data } = await client.containers.files.list(id);
    expect(data.map((file) => file.id)).toEqual([files[0]?.id]);
    expect((await downloadFile(id, files[0]?.id ?? "")).toString()).toBe("2");
  });

  test("is listed page by page", async () => {
    const { id } = await runAndListFiles("for n in range(5): open(f'{n}', 'w').write('x')");
    const paths: string[] = [];
    const list = client.containers.files.list(id, { limit: 2, order: "asc" });
    for await (const file of list) paths.push(file.path);
    expect(paths).toEqual([0, 1, 2, 3, 4].map((n) => `/mnt/data/${n}`));
  });
});

describe("a container", () => {
  test("is created, retrieved, listed and deleted", async () => {
    const made = await client.containers.create({ name: "lab", memory_limit: "4g" });
    expect(made).toMatchObject({ object: "container", name: "lab", memory_limit: "4g" });
    expect(await client.containers.retrieve(made.id)).toMatchObject({
      status: "running",
      expires_after: { anchor: "last_active_at", minutes: 20 },
    });
    const { data } = await client.containers.list();
    expect(data.map(({ id }) => id)).toContain(made.id);
    await client.containers.delete(made.id);
    await expect(client.containers.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test("gives Python a file that a client adds", async () => {
    const { id } = await client.containers.create({ name: "lab" });
    const added = await client.containers.files.create(id, {
      file: await toFile(Buffer.from("from outside"), "größe.txt"),
    });
    expect(added).toMatchObject({ path: "/mnt/data/größe.txt", source: "user", bytes: 12 });
    const read = await client.responses.create({
      model: "gpt-5.2",
      include: [INCLUDE_OUTPUTS],
      tools: [{ type: "code_interpreter", container: id }],
      input: toPythonInput("open('/mnt/data/größe.txt').read()"),
    });
    expect(getOutputs(read)).toEqual([[{ type: "logs", logs: "'from outside'" }]]);
    await client.containers.files.delete(added.id, { container_id: id });
    expect((await client.containers.files.list(id)).data).toEqual([]);
  });

  test("starts with the uploaded files of file_ids", async () => {
    const file = await toFile(Buffer.from("a,b\n1,2\n"), "table.csv");
    const uploaded = await client.files.create({ file, purpose: "user_data" });
    expect(await client.files.retrieve(uploaded.id)).toMatchObject({ filename: "table.csv" });
    const done = await client.responses.create({
      model: "gpt-5.2",
      include: [INCLUDE_OUTPUTS],
      tools: [{ type: "code_interpreter", container: { type: "auto", file_ids: [uploaded.id] } }],
      input: toPythonInput("import os\nos.listdir()"),
    });
    expect(getOutputs(done)).toEqual([[{ type: "logs", logs: "['table.csv']" }]]);
    await client.files.delete(uploaded.id);
    await expect(client.files.retrieve(uploaded.id)).rejects.toMatchObject({ status: 404 });
  });

  test("is rejected once it has expired", async () => {
    const { id, files } = await runAndListFiles("open('a', 'w').write('x');");
    await callControl(`POST /containers/${id}/expire`);
    const expired = { status: 400, message: "400 Container is expired." };
    await expect(downloadFile(id, files[0]?.id ?? "")).rejects.toMatchObject(expired);
    const tools = [{ type: "code_interpreter" as const, container: id }];
    const reuse = client.responses.create({ model: "gpt-5.2", tools, input: "1" });
    await expect(reuse).rejects.toMatchObject(expired);
  });

  test("expires after containerMinutes without use", async () => {
    const { id } = await client.containers.create({ name: "idle" });
    await callControl("PATCH /settings", { containerMinutes: 0 });
    await expect(client.containers.retrieve(id)).rejects.toMatchObject({ status: 400 });
    await callControl("PATCH /settings", { containerMinutes: 20 });
  });

  test("never returns its domain secrets", async () => {
    const secret = { domain: "a.example", name: "TOKEN", value: "hush" };
    const policy = { type: "allowlist", allowed_domains: ["a.example"], domain_secrets: [secret] };
    const tool = { ...INTERPRETER_TOOL, container: { type: "auto", network_policy: policy } };
    const body = { model: "gpt-5.2", tools: [tool], input: "1" };
    const done: unknown = await client.post("/responses", { body });
    expect(JSON.stringify(done)).toMatch("allowlist");
    expect(JSON.stringify(done)).not.toMatch("hush");
  });
});
