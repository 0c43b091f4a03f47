import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResponseRecord } from "../../src/record/schema.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.3, onDisconnect: "complete" });
});
afterAll(() => world.close());

// The Recorder gives the Holder a minute for its last report.
test("a connection that went silent is let go when a look has seen the end, and what it brought is kept", async () => {
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.fault({ ...where, kind: "hang", after_events: 14 });
  const id = await world.trigger({
    hold: true,
    input: "emulator: run 1 seconds\nRun Python that prints exactly: BG_STDOUT_OK",
    tools: [{ type: "code_interpreter", container: { type: "auto" } }],
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  // OpenAI forgets it: what the connection brought is all there is.
  const forgotten = { method: "GET", path: `${id}$`, times: -1 };
  await world.fault({ ...forgotten, kind: "replace", patch: { output: [] } });
  await world.ask(`/results/${id}/refetch`, { method: "POST" });
  expect(await settledAfterAll(id)).toMatchObject({
    status: "completed",
    verdict: "recovered",
    held: { broke_at: "13 response.output_item.done" },
    calls: [{ source: "held", outputs: [{ type: "logs", logs: "BG_STDOUT_OK\n" }] }],
  });
});

async function settledAfterAll(id: string): Promise<ResponseRecord> {
  for (;;) {
    const record = await world.settled(id);
    if (record.settled_at !== null) return record;
  }
}
