import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import {
  EVERY_KIND_FILES,
  EVERY_KIND_INCLUDE,
  EVERY_KIND_LOST_OUTPUT,
  EVERY_KIND_OUTPUT,
  EVERY_KIND_REQUEST,
  EVERY_KIND_STEPS,
  LOSE_EVERY_RESULT,
} from "../support/every-kind.ts";
import { getCalls, pollUntil, startTestEmulator } from "./setup.ts";

const { client, callControl } = await startTestEmulator({ ...LOSE_EVERY_RESULT, interpreters: 1 });

await callControl("POST /scripts", { times: -1, then: EVERY_KIND_STEPS });

const DocumentedScript = z.object({ then: z.array(z.unknown()) });

const include = [...EVERY_KIND_INCLUDE];

async function runInBackground() {
  const { id } = await client.responses.create({ ...EVERY_KIND_REQUEST, background: true });
  const ask = () => client.responses.retrieve(id, { include });
  return pollUntil(ask, ({ status }) => status === "completed");
}

test("the script of docs/emulator.md is that of test/support/every-kind.ts", async () => {
  const text = await readFile(new URL("../../docs/emulator.md", import.meta.url), "utf8");
  const [json = ""] = /^\{"match": \{"input": "every kind"\}[^]*?(?=\n```)/m.exec(text) ?? [];
  expect(DocumentedScript.parse(JSON.parse(json)).then).toEqual(EVERY_KIND_STEPS);
});

test("a foreground response has an item of every kind, with every result", async () => {
  const { output } = await client.responses.create(EVERY_KIND_REQUEST);
  expect(output).toMatchObject(EVERY_KIND_OUTPUT);
  const image = output.find((item) => item.type === "image_generation_call");
  expect(image?.result).toMatch(/^iVBOR/);
});

test("a background response has lost every result that can be lost", async () => {
  const { output } = await runInBackground();
  expect(output).toMatchObject(EVERY_KIND_LOST_OUTPUT);
  const sources = output.filter((item) => JSON.stringify(item).includes('"sources"'));
  expect(sources).toEqual([]);
});

test("the stream of a background response has lost them too", async () => {
  const request = { ...EVERY_KIND_REQUEST, background: true, stream: true as const };
  const items: unknown[] = [];
  for await (const event of await client.responses.create(request)) {
    if (event.type === "response.output_item.done") items.push(event.item);
  }
  expect(items).toMatchObject(EVERY_KIND_LOST_OUTPUT);
});

test("the files of code and shell are in one container", async () => {
  const [call] = getCalls(await runInBackground());
  const container_id = call?.container_id ?? "";
  const { data } = await client.containers.files.list(container_id, { order: "asc" });
  const read = async ({ id, path }: { id: string; path: string }) => {
    const content = await client.containers.files.content.retrieve(id, { container_id });
    return [path, await content.text()];
  };
  const files = z.array(z.tuple([z.string(), z.string()])).parse(await Promise.all(data.map(read)));
  expect(Object.fromEntries(files)).toEqual(EVERY_KIND_FILES);
});
