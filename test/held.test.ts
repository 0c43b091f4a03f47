import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { API_KEY, startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ runSeconds: 0.5 });
});
afterAll(() => world.close());

const Requests = z.array(
  z.looseObject({ method: z.string(), path: z.string(), body: z.unknown().optional() }),
);
const EXAMPLE = [{ type: "logs", logs: "BG_STDOUT_OK\n" }];

async function requests(): Promise<z.infer<typeof Requests>> {
  return Requests.parse(await world.told("/requests"));
}

test("a held run has its outputs where a background run has none", async () => {
  const held = await world.settled(await world.trigger({ hold: true }));
  expect(held).toMatchObject({
    status: "completed",
    verdict: "captured",
    background: false,
    held: { broke_at: null },
    calls: [{ outputs: EXAMPLE, source: "held", verdict: "captured" }],
    observations: [{ channel: "held", http_status: 200, status: "completed" }],
    webhook: null,
  });
  const background = await world.settled(await world.trigger());
  expect(background).toMatchObject({ verdict: "suspect", held: null, calls: [{ outputs: [] }] });
});

test("a held run asks OpenAI once, in the foreground, and never looks", async () => {
  const before = (await requests()).length;
  const id = await world.trigger({ hold: true });
  await world.settled(id);
  const asked = (await requests())
    .slice(before)
    .filter(({ path }) => path.startsWith("/v1/responses"));
  expect(asked).toMatchObject([
    {
      method: "POST",
      path: "/v1/responses",
      body: { background: false, stream: true, store: true },
    },
  ]);
});

test("the response of a held run is OpenAI's, byte for byte", async () => {
  const id = await world.trigger({ hold: true, input: "```python\nprint('naïve – 数据')\n```" });
  await world.settled(id);
  const stored: unknown = await (await world.ask(`/results/${id}/response`)).json();
  const url = `${world.emulator.url}/v1/responses/${id}?include[]=code_interpreter_call.outputs`;
  const headers = { authorization: `Bearer ${API_KEY}` };
  expect(stored).toEqual(await (await fetch(url, { headers })).json());
});
