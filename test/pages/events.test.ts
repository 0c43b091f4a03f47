// The stream that a run's page follows, as any client sees it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, TOKEN, type World } from "../support/world.ts";
import { asking } from "./input.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" });
});
afterAll(() => world.close());

test("a run is told from its beginning to its end, without its request", async () => {
  const id = await world.trigger(asking("a secret question", 'print("an output")'));
  const text = await (await world.request(`/results/${id}/events`)).text();
  expect(text).toContain("its Recorder has started");
  expect(text).toContain("outputs there");
  expect(text.trimEnd().endsWith("event: end\ndata: {}")).toBe(true);
  expect(text).not.toContain("secret question");
  expect(text).not.toContain("an output");
});

test("a held run is told without a word of webhooks", async () => {
  const id = await world.trigger({ hold: true, ...asking("held", 'print("an output")') });
  const text = await (await world.request(`/results/${id}/events`)).text();
  expect(text).toContain("Holding the connection until the run's end");
  expect(text).toContain("The connection was held to its end: HTTP 200, completed, outputs there");
  expect(text).not.toContain("ebhook");
});

test("Last-Event-ID leaves out what was seen", async () => {
  const id = await world.trigger(asking("again", "print(1)"));
  await world.waitUntilSettled(id);
  const whole = idsOf(await (await world.request(`/results/${id}/events`)).text());
  const headers = { "last-event-id": String(whole.at(1)) };
  const rest = idsOf(await (await world.request(`/results/${id}/events`, { headers })).text());
  expect(rest).toEqual(whole.slice(2));
});

test("an unknown run's stream ends at once", async () => {
  const text = await (await world.request("/results/resp_unknown/events")).text();
  expect(text).toBe("event: end\ndata: {}\n\n");
});

test("an image is served as what it is, everything else is not", async () => {
  const drawn = "import matplotlib.pyplot as plt\nplt.show()\nprint(1)";
  const id = await world.trigger(asking("image", drawn));
  const record = await world.waitUntilSettled(id);
  const call = record.calls[0]?.id ?? "";
  const image = await world.request(`/results/${id}/images/${call}/0`);
  expect(image.headers.get("content-type")).toBe("image/png");
  expect(image.headers.get("x-content-type-options")).toBe("nosniff");
  expect(image.headers.get("cache-control")).toBe("private, max-age=86400");
  expect((await world.request(`/results/${id}/images/${call}/1`)).status).toBe(404);
  const stranger = { headers: { authorization: `Bearer ${TOKEN}x` } };
  expect((await world.request(`/results/${id}/images/${call}/0`, stranger)).status).toBe(401);
});

function idsOf(stream: string): string[] {
  return [...stream.matchAll(/^id: (\d+)$/gm)].map((found) => found[1] ?? "");
}
