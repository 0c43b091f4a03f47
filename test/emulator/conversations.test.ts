import { describe, expect, test } from "vitest";
import { calls, emulate, OUTPUTS, outputs } from "./setup.ts";

const { client, control, run, end } = await emulate();

async function items(id: string): Promise<unknown[]> {
  const page = await client.conversations.items.list(id, { include: [OUTPUTS], order: "asc" });
  return page.data;
}

describe("a conversation", () => {
  test("is made, changed and deleted", async () => {
    const { id } = await client.conversations.create({ metadata: { topic: "one" } });
    await client.conversations.update(id, { metadata: { topic: "two" } });
    expect(await client.conversations.retrieve(id)).toMatchObject({ metadata: { topic: "two" } });
    const gone = { id, object: "conversation.deleted", deleted: true };
    expect(await client.conversations.delete(id)).toMatchObject(gone);
    await expect(client.conversations.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  test("takes, shows and drops single items", async () => {
    const { id } = await client.conversations.create({
      items: [{ role: "user", content: "first" }],
    });
    const added = await client.conversations.items.create(id, {
      items: [{ role: "user", content: "second" }],
    });
    const second = added.data[0]?.id ?? "";
    const asked = client.conversations.items.retrieve(second, { conversation_id: id });
    await expect(asked).resolves.toMatchObject({ content: [{ text: "second" }] });
    await client.conversations.items.delete(second, { conversation_id: id });
    expect(await items(id)).toMatchObject([{ content: [{ type: "input_text", text: "first" }] }]);
  });

  test("receives what was said and done when a response ends", async () => {
    const { id } = await client.conversations.create();
    const done = await run("print(1)", { conversation: id });
    expect(done.conversation).toEqual({ id });
    const types = ["message", "reasoning", "code_interpreter_call", "message"];
    expect(await items(id)).toMatchObject(types.map((type) => ({ type })));
    expect(outputs({ output: await items(id) })).toEqual([[{ type: "logs", logs: "1\n" }]]);
    const plain = await client.conversations.items.list(id);
    expect(outputs({ output: plain.data })).toEqual([null]);
  });

  test("has empty outputs of background runs, unless the setting gives them", async () => {
    const { id } = await client.conversations.create();
    await end((await run("print(1)", { conversation: { id }, background: true })).id);
    expect(outputs({ output: await items(id) })).toEqual([[]]);
    await control("PATCH /settings", { conversationOutputs: "present" });
    expect(outputs({ output: await items(id) })).toEqual([[{ type: "logs", logs: "1\n" }]]);
  });

  test("keeps its container from response to response", async () => {
    const { id } = await client.conversations.create();
    const first = await run("x = 1", { conversation: id });
    const second = await run("x", { conversation: id });
    expect(calls(second)[0]?.container_id).toBe(calls(first)[0]?.container_id);
    expect(outputs(second)).toEqual([[{ type: "logs", logs: "1" }]]);
  });

  test("must be there, and not go with a previous response", async () => {
    await expect(run("1", { conversation: "conv_0" })).rejects.toMatchObject({ status: 404 });
    const both = run("1", { conversation: "conv_0", previous_response_id: "resp_0" });
    await expect(both).rejects.toMatchObject({ code: "mutually_exclusive_parameters" });
  });
});
