import { describe, expect, test } from "vitest";
import { getCalls, startTestEmulator, INCLUDE_OUTPUTS, getOutputs, toLogs } from "./setup.ts";

const { client, callControl, runPython, waitForEnd } = await startTestEmulator();

async function listItems(id: string): Promise<unknown[]> {
  const page = await client.conversations.items.list(id, {
    include: [INCLUDE_OUTPUTS],
    order: "asc",
  });
  return page.data;
}

describe("a conversation", () => {
  test("is created, changed and deleted", async () => {
    const { id } = await client.conversations.create({ metadata: { topic: "one" } });
    await client.conversations.update(id, { metadata: { topic: "two" } });
    expect(await client.conversations.retrieve(id)).toMatchObject({ metadata: { topic: "two" } });
    const gone = { id, object: "conversation.deleted", deleted: true };
    expect(await client.conversations.delete(id)).toMatchObject(gone);
    await expect(client.conversations.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  test("adds, retrieves and deletes single items", async () => {
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
    expect(await listItems(id)).toMatchObject([
      { content: [{ type: "input_text", text: "first" }] },
    ]);
  });

  test("gets the input and output of a response at its end", async () => {
    const { id } = await client.conversations.create();
    const done = await runPython("print(1)", { conversation: id });
    expect(done.conversation).toEqual({ id });
    const types = ["message", "reasoning", "code_interpreter_call", "message"];
    expect(await listItems(id)).toMatchObject(types.map((type) => ({ type })));
    expect(getOutputs({ output: await listItems(id) })).toEqual([[toLogs("1\n")]]);
    const plain = await client.conversations.items.list(id);
    expect(getOutputs({ output: plain.data })).toEqual([null]);
  });

  test("has empty outputs of background runs unless conversationOutputs is present", async () => {
    const { id } = await client.conversations.create();
    await waitForEnd((await runPython("print(1)", { conversation: { id }, background: true })).id);
    expect(getOutputs({ output: await listItems(id) })).toEqual([[]]);
    await callControl("PATCH /settings", { conversationOutputs: "present" });
    expect(getOutputs({ output: await listItems(id) })).toEqual([[toLogs("1\n")]]);
  });

  test("reuses its container for the next response", async () => {
    const { id } = await client.conversations.create();
    const first = await runPython("x = 1", { conversation: id });
    const second = await runPython("x", { conversation: id });
    expect(getCalls(second)[0]?.container_id).toBe(getCalls(first)[0]?.container_id);
    expect(getOutputs(second)).toEqual([[toLogs("1")]]);
  });

  test("is rejected when it is unknown or combined with a previous response", async () => {
    await expect(runPython("1", { conversation: "conv_0" })).rejects.toMatchObject({ status: 404 });
    const both = runPython("1", { conversation: "conv_0", previous_response_id: "resp_0" });
    await expect(both).rejects.toMatchObject({ code: "mutually_exclusive_parameters" });
  });
});
