import { expect, test } from "vitest";
import { startTestEmulator } from "./setup.ts";

const { url, callControl } = await startTestEmulator();

function send(body: string): Promise<Response> {
  return fetch(`${url}/v1/vector_stores/vs_1?limit=2&include[]=a&include[]=b`, {
    method: "PUT",
    headers: { authorization: "Bearer sk-test", "x-custom": "yes" },
    body,
  });
}

test("PUT to a path that is no route returns the request with the setting echo, and 404 without it", async () => {
  expect((await send("{}")).status).toBe(404);
  await callControl("PATCH /settings", { echo: true });
  const echoed = await send('{"a": [1]}');
  expect(echoed.status).toBe(200);
  expect(echoed.headers.get("x-request-id")).toMatch(/^req_/);
  expect(await echoed.json()).toMatchObject({
    method: "PUT",
    path: "/v1/vector_stores/vs_1",
    query: { limit: ["2"], "include[]": ["a", "b"] },
    headers: { "x-custom": "yes", authorization: "Bearer …" },
    body: { a: [1] },
  });
  expect(await (await send("plain text")).json()).toMatchObject({ body: "plain text" });
  const keyless = await fetch(`${url}/v1/vector_stores`);
  expect(keyless.status).toBe(401);
  await callControl("PATCH /settings", { echo: false });
});
