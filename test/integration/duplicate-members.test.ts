// A member that stands twice in an answer of OpenAI's: its last value counts, for everything that reads it.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  PRINTED,
  startStandIn,
  sendJson,
  toResponse,
  type StandIn,
} from "../support/openai-stand-in.ts";
import { startWorld, type World } from "../support/world.ts";

let standIn: StandIn;
let world: World;
let runs = 0;
/** Changes the JSON of a refetch. */
let change: (json: string) => string;

beforeAll(async () => {
  standIn = await startStandIn(({ method, path }, response) => {
    if (method === "POST") {
      runs += 1;
      return sendJson(response, toResponse({ id: `resp_${runs}`, background: true }, "queued"));
    }
    const id = /^\/v1\/responses\/([^/]+)$/.exec(path)?.[1];
    if (id === undefined) return sendJson(response, { data: [], has_more: false });
    const json = change(JSON.stringify(toResponse({ id, background: true })));
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(json);
  });
  const vars = { OPENAI_BASE_URL: `${standIn.url}/v1`, WEBHOOK_DEADLINE: "0", REFETCH_DELAYS: "0" };
  world = await startWorld({}, vars);
});
beforeEach(() => {
  change = (json) => json;
});
afterAll(async () => {
  await world.close();
  await standIn.close();
});

const TEXT = PRINTED.map(({ logs }) => logs).join("");
const OUTPUTS = JSON.stringify(PRINTED);

/** Puts a member in front of another, or after it. */
function beside(member: string, name: string, where: "before" | "after"): (json: string) => string {
  return (json) => {
    const found = new RegExp(`"${name}":(?:\\[[^\\]]*\\]|"[^"]*"|null)`).exec(json)?.[0] ?? "";
    const pair = where === "before" ? `${member},${found}` : `${found},${member}`;
    return json.replace(found, () => pair);
  };
}

test.each([
  ["outputs, empty and then with text", beside('"outputs":[]', "outputs", "before"), TEXT],
  ["outputs, with text and then empty", beside('"outputs":[]', "outputs", "after"), ""],
  ["outputs, with text and then null", beside('"outputs":null', "outputs", "after"), ""],
  ["outputs by an escaped name", beside('"output\\u0073":[]', "outputs", "after"), ""],
  ["logs", beside('"logs":"other\\n"', "logs", "after"), "other\n"],
  ["the type of a call", beside('"type":"message"', "type", "before"), TEXT],
  ["the id of a call", beside('"id":"ci_other"', "id", "before"), TEXT],
])("of %s the last counts in the record, the text and the page", async (_, make, text) => {
  // The first id is the response's own.
  change = (json) => {
    const at = json.indexOf('"output":');
    return json.slice(0, at) + make(json.slice(at));
  };
  const id = await world.trigger({ input: "hello" });
  const record = await world.waitUntilSettled(id);
  expect(record.calls).toHaveLength(1);
  expect(record.calls[0]?.verdict).toBe(text === "" ? "suspect" : "captured");
  const shown = JSON.stringify(record.calls[0]?.outputs);
  expect(shown.includes(JSON.stringify(text))).toBe(text !== "");
  const printed = await world.request(`/results/${id}/outputs?strict=false`);
  expect(await printed.text()).toBe(text);
  const page = await world.request(`/results/${id}`, { headers: { accept: "text/html" } });
  expect(/<bdi>[^<]*数据<\/bdi>/.test(await page.text())).toBe(text === TEXT);
});

test.each([
  ["first", (call: string) => `${call},${call.replace(OUTPUTS, "[]")}`],
  ["last", (call: string) => `${call.replace(OUTPUTS, "[]")},${call}`],
])(
  "a call that is listed twice is one call, and keeps the outputs that it has %s",
  async (_, make) => {
    change = (json) => {
      const call = /\{"id":"ci_1".*?"outputs":\[[^\]]*\]\}/.exec(json)?.[0] ?? "";
      return json.replace(call, () => make(call));
    };
    const id = await world.trigger({ input: "hello" });
    const record = await world.waitUntilSettled(id);
    expect(record).toMatchObject({
      verdict: "captured",
      calls: [{ id: "ci_1", outputs: PRINTED }],
    });
    expect(record.calls).toHaveLength(1);
    expect(await (await world.request(`/results/${id}/outputs`)).text()).toBe(TEXT);
  },
);
