import { expect, test } from "vitest";
import * as z from "zod";
import { calls, emulate, outputs, python, until } from "./setup.ts";

const { client, control, run, end } = await emulate();
const logs = (text: string) => [{ type: "logs", logs: text }];
const background = async (words: string) => {
  const input = `${python("print(1)")}\n${words}`;
  const tools = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];
  return client.responses.create({ model: "gpt-5.2", background: true, tools, input });
};

test("a run can be told to have its outputs in the background", async () => {
  const told = await background("emulator: outputs present");
  expect(outputs(await end(told.id))).toEqual([logs("1\n")]);
  const other = await run("print(1)", { background: true });
  expect(outputs(await end(other.id))).toEqual([[]]);
});

test("a run can be told to have its outputs late", async () => {
  const { id } = await background("emulator: outputs late 0.5 seconds");
  expect(outputs(await end(id))).toEqual([[]]);
  const late = await until(
    () => end(id),
    (answer) => JSON.stringify(outputs(answer)) !== "[[]]",
  );
  expect(outputs(late)).toEqual([logs("1\n")]);
});

test("a run can be told to be forgotten after its end", async () => {
  const told = await background("emulator: kept 0.5 seconds");
  expect(told).toMatchObject({ store: false });
  expect((await end(told.id)).status).toBe("completed");
  const gone = await until(
    () => client.responses.retrieve(told.id).catch((cause: unknown) => cause),
    (answer) => answer instanceof Error,
  );
  expect(gone).toMatchObject({ status: 404 });
});

test("a run can be told that its container expires", async () => {
  const { id } = await background("emulator: container expires");
  const container = calls(await end(id))[0]?.container_id ?? "";
  await expect(client.containers.retrieve(container)).rejects.toMatchObject({ status: 400 });
});

test("the truth tells a run's end and metadata", async () => {
  const made = await client.responses.create({
    model: "gpt-5.2",
    input: "hi",
    background: true,
    metadata: { number: "7" },
  });
  await end(made.id);
  const Truth = z.object({
    metadata: z.object({ number: z.string() }),
    ended_at: z.iso.datetime(),
  });
  const truth = Truth.parse(await control(`GET /responses/${made.id}`));
  expect(truth.metadata).toEqual({ number: "7" });
});
