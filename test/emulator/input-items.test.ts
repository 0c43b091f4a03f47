import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { INCLUDE_OUTPUTS, startTestEmulator } from "./setup.ts";

const { client, script, waitForEnd } = await startTestEmulator({ queueSeconds: 0, runSeconds: 0 });

type Request = Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>;

function create(input: string, more: Request = {}) {
  return client.responses.create({ model: "gpt-4o", input, ...more, stream: false });
}

/** The text of each message, or the type of another item. */
function describeItems(items: OpenAI.Responses.ResponseItem[]): string[] {
  return items.map((item) => {
    const [part] = item.type === "message" ? item.content : [];
    return part && "text" in part ? part.text : item.type;
  });
}

async function list(id: string, query: OpenAI.Responses.InputItemListParams = {}) {
  return describeItems((await client.responses.inputItems.list(id, query)).data);
}

describe("GET /v1/responses/:id/input_items", () => {
  test("has the newest items first, 20 a page and 100 at most", async () => {
    const names = [...Array(25).keys()].map((number) => `item ${number}`);
    const input = names.map((content) => ({ role: "user" as const, content }));
    const { id } = await client.responses.create({ model: "gpt-4o", input });
    const newestFirst = names.toReversed();
    expect(await list(id)).toEqual(newestFirst.slice(0, 20));
    const all = [];
    for await (const item of client.responses.inputItems.list(id)) all.push(item);
    expect(describeItems(all)).toEqual(newestFirst);
    expect(await list(id, { limit: 100 })).toEqual(newestFirst);
    const tooMany = client.responses.inputItems.list(id, { limit: 101 });
    await expect(tooMany).rejects.toMatchObject({ code: "integer_above_max_value" });
  });

  test("has the items of the responses that previous_response_id names", async () => {
    script({ then: [{ reasoning: "hm" }, { text: "first answer" }] });
    script({ then: [{ text: "second answer" }] });
    const first = await create("first");
    const second = await create("second", { previous_response_id: first.id });
    const third = await create("third", { previous_response_id: second.id });
    const expected = ["third", "second answer", "second", "first answer", "reasoning", "first"];
    expect(await list(third.id)).toEqual(expected);
    expect(await list(first.id)).toEqual(["first"]);
  });

  test("has the items that a conversation had before the response", async () => {
    const { id: conversation } = await client.conversations.create({
      items: [{ role: "user", content: "before" }],
    });
    script({ then: [{ text: "first answer" }] });
    const first = await create("first", { conversation });
    const second = await create("second", { conversation });
    expect(await list(first.id)).toEqual(["first", "before"]);
    expect(await list(second.id)).toEqual(["second", "first answer", "first", "before"]);
  });

  test("shows what a background run lost as a GET of that run does", async () => {
    for (const [word, outputs] of [
      ["empty", []],
      ["present", [{ type: "logs", logs: "1\n" }]],
    ] as const) {
      script({ then: [{ code: "print(1)" }] });
      const { id } = await create(`emulator: outputs ${word}`, { background: true });
      await waitForEnd(id);
      const next = await create("next", { previous_response_id: id });
      const items = client.responses.inputItems;
      const included = await items.list(next.id, { include: [INCLUDE_OUTPUTS] });
      expect(included.data[1]).toMatchObject({ type: "code_interpreter_call", outputs });
      expect((await items.list(next.id)).data[1]).toMatchObject({ outputs: null });
    }
  });
});
