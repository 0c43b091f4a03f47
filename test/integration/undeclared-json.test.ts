// Bodies that are JSON although their Content-Type says that they are a form, as curl's -d says it.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startWorld, TOKEN, type World } from "../support/world.ts";

const FORM = "application/x-www-form-urlencoded";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.emulator.clearRequests());
afterAll(() => world.close());

const Started = z.object({ id: z.string() });

function post(path: string, body: string, headers: Record<string, string>): Promise<Response> {
  return world.request(path, { method: "POST", body, headers });
}

/** The inputs of the creates that reached OpenAI. */
async function listInputs(): Promise<string[]> {
  const requests = await world.emulator.listRequests();
  const creates = requests.filter(({ method }) => method === "POST");
  return creates.map(({ body }) => z.object({ input: z.string() }).parse(body).input);
}

const DECLARED = [
  { type: FORM },
  { type: `${FORM}; charset=utf-8` },
  { type: "Application/X-WWW-Form-Urlencoded" },
  { type: "multipart/form-data; boundary=x" },
  { type: "multipart/form-data" },
  { type: "text/plain" },
];

test.each(DECLARED)(
  "POST /trigger reads a body that begins with a brace as JSON, when it is declared as $type",
  async ({ type }) => {
    for (const before of ["", "\r\n\t ", "\ufeff"]) {
      await world.emulator.clearRequests();
      const answer = await post("/trigger", `${before}{"input":"a=b&c=d"}`, {
        "content-type": type,
      });
      expect(answer.status).toBe(202);
      expect(await listInputs()).toEqual(["a=b&c=d"]);
    }
  },
);

test("POST /trigger accepts the options of curl's -d, and answers 400 in JSON to a body that is broken JSON", async () => {
  const curl = { "content-type": FORM, accept: "*/*", "user-agent": "curl/8.14.1" };
  const headers = { ...curl, "idempotency-key": "curl" };
  const first = Started.parse(await (await post("/trigger", '{"input":"x"}', headers)).json());
  const again = Started.parse(await (await post("/trigger", '{ "input": "x" }', headers)).json());
  expect(again).toEqual(first);
  const broken = await post("/trigger", '{"input":', curl);
  expect([broken.status, await broken.json()]).toMatchObject([
    400,
    { error: { code: "bad_request" } },
  ]);
});

test("POST /trigger reads every other body that is declared as a form as the page's form", async () => {
  const form = new URLSearchParams({ input: "{not JSON}", memory: "none" });
  const urlencoded = await world.request("/trigger", { method: "POST", body: form });
  const multipart = new FormData();
  multipart.set("input", '{"input":"x"}');
  multipart.set("memory", "none");
  const posted = await world.request("/trigger", { method: "POST", body: multipart });
  expect([urlencoded.status, posted.status]).toEqual([303, 303]);
  expect(await listInputs()).toEqual(["{not JSON}", '{"input":"x"}']);
});

test("POST /results/:id/refetch and /cancel answer a script in JSON and redirect a browser, whatever the body's type is", async () => {
  const id = await world.trigger({ input: "emulator: run 60 seconds" });
  for (const action of ["refetch", "cancel"]) {
    const answer = await post(`/results/${id}/${action}`, "{}", {
      "content-type": FORM,
      accept: "*/*",
    });
    expect([answer.status, await answer.json()]).toMatchObject([202, { id }]);
  }
  const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
  const page = await post(`/results/${id}/refetch`, "", { "content-type": FORM, accept });
  expect([page.status, page.headers.get("location")]).toEqual([303, `/results/${id}?follow=1`]);
});

test("POST /login reads JSON, and redirects to its `next`", async () => {
  const headers = { "content-type": FORM, origin: world.url, authorization: "" };
  const body = JSON.stringify({ token: TOKEN, next: "/trigger" });
  const answer = await post("/login", body, headers);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, "/trigger"]);
  expect(answer.headers.get("set-cookie")).toContain("session=");
});

const OTHER_SITES: Record<string, string>[] = [
  { origin: "https://elsewhere.example" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
];

test.each(OTHER_SITES)(
  "POST /trigger and POST /login answer 403 to another site's JSON with %j",
  async (site) => {
    const headers = { origin: world.url, "content-type": FORM };
    const login = await post("/login", `token=${TOKEN}`, headers);
    const cookie = (login.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
    for (const type of [FORM, "text/plain", "application/json"]) {
      const sent = { ...site, cookie, "content-type": type };
      for (const path of ["/trigger", "/login"]) {
        const init = { method: "POST", body: '{"input":"x"}', headers: sent };
        const answer = await fetch(`${world.url}${path}`, init);
        expect([answer.status, await answer.json()]).toMatchObject([
          403,
          { error: { code: "cross_site" } },
        ]);
      }
    }
    // Runs of the tests before may still be refetched.
    const requests = await world.emulator.listRequests();
    expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
  },
);
