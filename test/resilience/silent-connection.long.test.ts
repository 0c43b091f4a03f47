import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResponseRecord } from "../../src/record/schema.ts";
import { CODE_INTERPRETER } from "../support/inputs.ts";
import { waitFor, waitUntil } from "../support/wait.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.3, onDisconnect: "complete" });
});
afterAll(() => world.close());

// The Recorder gives the Holder a minute for its last report.
test("a silent connection is closed when a refetch has seen the end, and what it brought is kept", async () => {
  const createFault = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...createFault, kind: "hang", after_events: 14 });
  const id = await world.trigger({
    hold: true,
    input: "emulator: run 1 seconds\nRun Python that prints exactly: BG_STDOUT_OK",
    tools: CODE_INTERPRETER,
  });
  await waitUntil(async () => (await world.emulator.getRun(id)).status === "completed");
  // OpenAI no longer shows the outputs: only the connection brought them.
  const withoutOutput = { method: "GET", path: `${id}$`, times: -1 };
  await world.emulator.addFault({ ...withoutOutput, kind: "replace", patch: { output: [] } });
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  expect(await waitUntilSettled(id)).toMatchObject({
    status: "completed",
    verdict: "recovered",
    held: { broke_at: "13 response.output_item.done" },
    calls: [{ source: "held", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
  });
});

/** One request waits for a minute at most. */
function waitUntilSettled(id: string): Promise<ResponseRecord> {
  return waitFor(
    () => world.waitUntilSettled(id),
    ({ settled_at }) => settled_at !== null,
  );
}
