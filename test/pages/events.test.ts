// The event stream and the images that the page of a run fetches.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, TOKEN, type World } from "../support/world.ts";
import { pythonRequest } from "./python-requests.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" });
});
afterAll(() => world.close());

test("GET /results/:id/events sends a run from start to end, without its request and outputs", async () => {
  const id = await world.trigger(pythonRequest("a secret question", 'print("an output")'));
  const text = await (await world.request(`/results/${id}/events`)).text();
  expect(text).toContain("Created; the Recorder has started");
  expect(text).toContain("Check 1: fetched again: HTTP 200, completed, has outputs");
  expect(text.trimEnd().endsWith("event: end\ndata: {}")).toBe(true);
  expect(text).not.toContain("secret question");
  expect(text).not.toContain("an output");
});

test("GET /results/:id/events of a held run mentions no webhook", async () => {
  const id = await world.trigger({ hold: true, ...pythonRequest("held", 'print("an output")') });
  const text = await (await world.request(`/results/${id}/events`)).text();
  expect(text).toContain("Created; the connection to OpenAI is held");
  expect(text).toContain("The connection was held to its end: HTTP 200, completed, has outputs");
  expect(text).not.toContain("ebhook");
});

test("GET /results/:id/events of a followed run says that its stream is followed", async () => {
  const id = await world.trigger({ stream: true, ...pythonRequest("followed", "print(1)") });
  const text = await (await world.request(`/results/${id}/events`)).text();
  expect(text).toContain("Created; its stream is followed");
  expect(text).toContain("The stream was followed to its end: HTTP 200, completed");
});

test("GET /results/:id/events with Last-Event-ID sends only the events after it", async () => {
  const id = await world.trigger(pythonRequest("again", "print(1)"));
  await world.waitUntilSettled(id);
  const all = parseEventIds(await (await world.request(`/results/${id}/events`)).text());
  const headers = { "last-event-id": String(all.at(1)) };
  const rest = parseEventIds(
    await (await world.request(`/results/${id}/events`, { headers })).text(),
  );
  expect(rest).toEqual(all.slice(2));
});

test("GET /results/:id/events of an unknown run ends at once", async () => {
  const text = await (await world.request("/results/resp_unknown/events")).text();
  expect(text).toBe("event: end\ndata: {}\n\n");
});

test("GET /results/:id/images serves an image with its type, answers 404 for another output, 401 for a wrong token", async () => {
  const code = "import matplotlib.pyplot as plt\nplt.show()\nprint(1)";
  const id = await world.trigger(pythonRequest("image", code));
  const record = await world.waitUntilSettled(id);
  const call = record.calls[0]?.id ?? "";
  const image = await world.request(`/results/${id}/images/${call}/0`);
  expect(image.headers.get("content-type")).toBe("image/png");
  expect(image.headers.get("x-content-type-options")).toBe("nosniff");
  expect(image.headers.get("cache-control")).toBe("private, max-age=86400");
  expect((await world.request(`/results/${id}/images/${call}/1`)).status).toBe(404);
  const wrongToken = { headers: { authorization: `Bearer ${TOKEN}x` } };
  expect((await world.request(`/results/${id}/images/${call}/0`, wrongToken)).status).toBe(401);
});

function parseEventIds(stream: string): string[] {
  return [...stream.matchAll(/^id: (\d+)$/gm)].map((found) => found[1] ?? "");
}
