import { expect, test } from "vitest";
import * as z from "zod";
import {
  getCalls,
  startTestEmulator,
  getOutputs,
  toPythonInput,
  pollUntil,
  toLogs,
} from "./setup.ts";

const { client, callControl, runPython, waitForEnd } = await startTestEmulator();
const createInBackground = async (words: string) => {
  const input = `${toPythonInput("print(1)")}\n${words}`;
  const tools = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];
  return client.responses.create({ model: "gpt-5.2", background: true, tools, input });
};

test("'outputs present' shows the outputs of that background run only", async () => {
  const created = await createInBackground("emulator: outputs present");
  expect(getOutputs(await waitForEnd(created.id))).toEqual([[toLogs("1\n")]]);
  const other = await runPython("print(1)", { background: true });
  expect(getOutputs(await waitForEnd(other.id))).toEqual([[]]);
});

test("'outputs late' shows a background run's outputs after a delay", async () => {
  const { id } = await createInBackground("emulator: outputs late 0.5 seconds");
  expect(getOutputs(await waitForEnd(id))).toEqual([[]]);
  const late = await pollUntil(
    () => waitForEnd(id),
    (answer) => JSON.stringify(getOutputs(answer)) !== "[[]]",
  );
  expect(getOutputs(late)).toEqual([[toLogs("1\n")]]);
});

test("'kept' expires a run some time after its end", async () => {
  const created = await createInBackground("emulator: kept 0.5 seconds");
  expect(created).toMatchObject({ store: false });
  expect((await waitForEnd(created.id)).status).toBe("completed");
  const gone = await pollUntil(
    () => client.responses.retrieve(created.id).catch((cause: unknown) => cause),
    (answer) => answer instanceof Error,
  );
  expect(gone).toMatchObject({ status: 404 });
});

test("'container expires' expires a run's container at its end", async () => {
  const { id } = await createInBackground("emulator: container expires");
  const container = getCalls(await waitForEnd(id))[0]?.container_id ?? "";
  await expect(client.containers.retrieve(container)).rejects.toMatchObject({ status: 400 });
});

test("GET /_emulator/responses/:id returns a run's end and metadata", async () => {
  const made = await client.responses.create({
    model: "gpt-5.2",
    input: "hi",
    background: true,
    metadata: { number: "7" },
  });
  await waitForEnd(made.id);
  const Truth = z.object({
    metadata: z.object({ number: z.string() }),
    ended_at: z.iso.datetime(),
  });
  const truth = Truth.parse(await callControl(`GET /responses/${made.id}`));
  expect(truth.metadata).toEqual({ number: "7" });
});
