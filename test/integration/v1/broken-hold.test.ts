// What is left of a held run that OpenAI forgot when its connection broke.
import { afterAll, beforeAll, expect, test } from "vitest";
import { containing } from "../../support/matchers.ts";
import { RECORDER_WORKER, setLimits } from "../../support/recorder-worker.ts";
import { startWorld, type World } from "../../support/world.ts";
import {
  ApiResponse,
  createV1Client,
  EXAMPLE,
  EXAMPLE_OUTPUTS,
  getOutputs,
  type V1Client,
} from "./v1-client.ts";

let world: World;
let v1: V1Client;
beforeAll(async () => {
  world = await startWorld({}, {}, {}, { main: RECORDER_WORKER });
  v1 = createV1Client(world.url);
  await setLimits(world.url, { abandon_after_seconds: 4 });
});
afterAll(() => world.close());

const BODY = {
  ...EXAMPLE,
  input: `emulator: run 3 seconds\n${EXAMPLE.input}`,
  instructions: "Be brief.",
  metadata: { mine: "1" },
  background: true,
};

test("GET /v1/responses/:id shows what came of a run that OpenAI forgot, as failed, and where its connection broke", async () => {
  await world.emulator.configure({ onDisconnect: "forget" });
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  await world.emulator.addFault({ ...where, kind: "cut", after_events: 14 });
  const { id } = await v1.create(BODY);
  expect(await world.waitUntilSettled(id)).toMatchObject({ verdict: "abandoned", response: null });
  const shown = await v1.retrieve(id);
  expect(shown).toMatchObject({
    id,
    object: "response",
    status: "failed",
    background: true,
    model: EXAMPLE.model,
    instructions: "Be brief.",
    metadata: { mine: "1" },
    error: {
      code: "server_error",
      message: containing("after event 13 response.output_item.done"),
    },
  });
  expect(getOutputs(shown)).toEqual(EXAMPLE_OUTPUTS);
  const hidden = ApiResponse.parse(await (await v1.request(`/responses/${id}`)).json());
  expect(hidden.output).toHaveLength(shown.output.length);
  expect(getOutputs(hidden)).toBeNull();
});
