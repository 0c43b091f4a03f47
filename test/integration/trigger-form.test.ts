// The form of a new run: filled from a run, and refused with what was typed.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { containing } from "../support/matchers.ts";
import { startWorld, TOKEN, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ backgroundOutputs: "present" }, {}, {}, { unlimited: true });
});
beforeEach(() => world.emulator.clearRequests());
afterAll(() => world.close());

const MCP = { type: "mcp", server_label: "deepwiki", server_url: "https://mcp.example" };
const INTERPRETER = {
  type: "code_interpreter",
  container: { type: "auto", memory_limit: "4g" },
};
const Entity: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

type Page = { status: number; html: string; fields: Record<string, string> };

async function openForm(query: string): Promise<Page> {
  return toPage(await world.request(`/trigger${query}`, { headers: { accept: "text/html" } }));
}

async function sendForm(
  fields: Record<string, string>,
): Promise<Page & { location: string | null }> {
  const body = new URLSearchParams(fields);
  const answer = await world.request("/trigger", { method: "POST", body });
  return { ...(await toPage(answer)), location: answer.headers.get("location") };
}

async function toPage(answer: Response): Promise<Page> {
  const html = await answer.text();
  return { status: answer.status, html, fields: readFields(html) };
}

/** The fields of the page's form as a browser would send them. */
function readFields(html: string): Record<string, string> {
  const areas = [...html.matchAll(/<textarea[^>]* name="(\w+)"[^>]*>\n?([^<]*)</g)].map(
    ([, name = "", value = ""]): [string, string] => [name, value],
  );
  const inputs = [...html.matchAll(/<input([^>]*)>/g)].flatMap(
    ([, attributes = ""]): [string, string][] => {
      const read = (name: string) => new RegExp(` ?${name}="([^"]*)"`).exec(attributes)?.[1];
      const isFlag = read("type") === "checkbox";
      if (isFlag && !attributes.includes("checked")) return [];
      return [[read("name") ?? "", isFlag ? "on" : (read("value") ?? "")]];
    },
  );
  const memory = /<option value="(\w*)" selected/.exec(html)?.[1] ?? "";
  const fields = Object.fromEntries([...areas, ...inputs, ["memory", memory]]);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, decode(value)]));
}

function decode(text: string): string {
  return text.replaceAll(/&([\w#]+);/g, (whole, name: string) => Entity[name] ?? whole);
}

const Body = z.record(z.string(), z.unknown());

/** The body of the last create that reached OpenAI. */
async function readCreate(): Promise<Record<string, unknown>> {
  const requests = await world.emulator.listRequests();
  return Body.parse(requests.findLast(({ path }) => path === "/v1/responses")?.body);
}

async function countCreates(): Promise<number> {
  return (await world.emulator.listRequests()).filter(({ method }) => method === "POST").length;
}

test("GET /trigger?from=:id has the run's request and flags, starts nothing, and sent as it is starts the same", async () => {
  const id = await world.trigger({
    input: '\n It\'s <2> & "3"\n',
    model: "gpt-x",
    tools: [{ ...INTERPRETER, container: { type: "auto" } }],
    metadata: { team: "a" },
    reasoning: { effort: "low" },
    stream: true,
    retention_days: 7,
  });
  const first = await readCreate();
  await world.emulator.clearRequests();
  const { status, html, fields } = await openForm(`?from=${id}`);
  expect([status, await countCreates()]).toEqual([200, 0]);
  expect(html).toContain(`<a href="/results/${id}">${id}</a>`);
  expect(html).not.toContain("Before you start it");
  expect(fields).toMatchObject({ model: "gpt-x", stream: "on", retention_days: "7", memory: "" });
  const again = await sendForm(fields);
  expect([again.status, again.location]).toEqual([303, expect.stringMatching(/^\/results\/resp_/)]);
  expect(await readCreate()).toEqual(first);
});

test("GET /trigger?from=:id&hold=on holds in place of the run's control, and control=on in place of its hold", async () => {
  const compared = await world.trigger({ input: "hello", control: true });
  const held = await openForm(`?from=${compared}&hold=on`);
  expect([held.fields["hold"], held.fields["control"]]).toEqual(["on", undefined]);
  const started = await sendForm(held.fields);
  expect(await readCreate()).toMatchObject({ background: false, stream: true });
  const id = started.location?.split("/").at(-1) ?? "";
  expect((await openForm(`?from=${id}`)).fields["hold"]).toBe("on");
  const controlled = await openForm(`?from=${id}&control=on`);
  expect([controlled.fields["hold"], controlled.fields["control"]]).toEqual([undefined, "on"]);
});

test("GET /trigger?from=:id of a run of /v1 that was held has its request and holds", async () => {
  const body = { model: "gpt-x", input: "hello", background: true, tools: [INTERPRETER] };
  const answer = await world.request("/v1/responses", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  const { fields } = await openForm(`?from=${id}`);
  expect(fields).toMatchObject({ model: "gpt-x", input: "hello", memory: "4g", hold: "on" });
  expect(fields["advanced"]).toBe("");
});

test("the form of a run with credentials names the field that lacks them, and is refused until they are there", async () => {
  const tools = [INTERPRETER, { ...MCP, headers: { "x-key": "canary-secret" } }];
  const id = await world.trigger({ input: "hello", tools });
  await world.emulator.clearRequests();
  const { html, fields } = await openForm(`?from=${id}`);
  expect(html).not.toContain("canary-secret");
  expect(html).toContain('<a href="#advanced">Advanced, JSON</a>');
  expect(html).toContain("tools[1].headers, of the MCP server deepwiki, has");
  const refused = await sendForm({ ...fields, retention_days: "9", file_ids: "" });
  expect(refused.status).toBe(400);
  expect(refused.html).toMatch(/id="advanced-error"[^>]*>(?:<bdi>)?tools\[1\]\.headers/);
  expect(refused.fields).toEqual({ ...fields, retention_days: "9" });
  const filled = (fields["advanced"] ?? "").replace('"[removed]"', '{"x-key": "canary-secret"}');
  expect(await countCreates()).toBe(0);
  expect((await sendForm({ ...fields, advanced: filled })).status).toBe(303);
  expect(await readCreate()).toMatchObject({ tools });
});

const LONG = JSON.stringify("\u4e2d".repeat(22_000)).replaceAll("\u4e2d", String.raw`\u4e2d`);

test("the form of a run of more than 128 KiB names the text that was cut, and POST /trigger refuses the record's request as it is", async () => {
  const answer = await world.request("/trigger", { method: "POST", body: `{"input":${LONG}}` });
  const { id } = z.object({ id: z.string() }).parse(await answer.json());
  const { html, fields } = await openForm(`?from=${id}`);
  expect(html).toContain('<a href="#input">Input</a>');
  expect(fields["input"]).toMatch(/^\u4e2d{200}… \(\d+ more characters/);
  const record = z
    .object({ request: Body })
    .parse(await (await world.request(`/results/${id}`)).json());
  await world.emulator.clearRequests();
  const { background: _, store: __, ...request } = record.request;
  for (const body of [request, { input: "x", tools: [{ ...MCP, authorization: "[removed]" }] }]) {
    const refused = await world.request("/trigger", { method: "POST", body: JSON.stringify(body) });
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { error: { code: "bad_request", message: containing(" has ") } },
    ]);
  }
  expect(await countCreates()).toBe(0);
  const replaced = await openForm(`?from=${id}&input=Short`);
  expect(replaced.fields["input"]).toBe("Short");
  expect(replaced.html).not.toContain("Before you start it");
});

test("the form of a run that another program started has its input, and says that its parameters are not known", async () => {
  const created = await world.emulator.sendToApi("/responses", {
    method: "POST",
    body: JSON.stringify({
      model: "gpt-5.2",
      input: "Asked elsewhere",
      background: true,
      tools: [INTERPRETER],
    }),
  });
  const { id } = z.object({ id: z.string() }).parse(await created.json());
  await world.request(`/results/${id}/refetch`, { method: "POST" });
  await world.waitUntilSettled(id);
  const { html, fields } = await openForm(`?from=${id}`);
  expect(fields).toMatchObject({ input: "Asked elsewhere", memory: "", advanced: "" });
  expect(html).toContain("The recorder did not start this run");
});

test.each(["resp_unknown", "no%20id", "__proto__"])(
  "GET /trigger?from=%s is a 404 with the report's example in the form",
  async (id) => {
    const { status, html, fields } = await openForm(`?from=${id}&hold=on`);
    expect(status).toBe(404);
    expect(html).toContain("not_found");
    expect(fields).toMatchObject({ input: containing("BG_STDOUT_OK"), hold: "on" });
  },
);

test("GET /trigger has the report's example, or the input of the query, as text", async () => {
  const example = await openForm("");
  expect(example.fields).toEqual({
    input: "Use the code interpreter tool. Run Python that prints exactly: BG_STDOUT_OK",
    model: "",
    memory: "",
    file_ids: "",
    previous_response_id: "",
    retention_days: "",
    advanced: "",
  });
  const input = '</textarea><script>alert("1")</script>';
  const given = await openForm(`?input=${encodeURIComponent(input)}`);
  expect(given.fields["input"]).toBe(input);
  expect(given.html).not.toContain("<script>alert");
});

test.each([
  ["?hold=on&control=on", "hold goes neither with control nor with stream."],
  ["?hold=yes", "hold must be one of on, off."],
  ["?form=resp_1", "form is unknown here. This route takes from, input, hold, stream, control."],
  ["?from=resp_1&from=resp_2", "Give from only once."],
])("GET /trigger%s answers 400: %s", async (query, message) => {
  const answer = await world.request(`/trigger${query}`);
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { error: { code: "bad_query", message } },
  ]);
});

test("GET /trigger?from=:id without a session leads to it by the login", async () => {
  const path = "/trigger?from=resp_1&hold=on";
  const html = { accept: "text/html" };
  const answer = await fetch(world.url + path, { redirect: "manual", headers: html });
  const login = answer.headers.get("location") ?? "";
  expect(login).toBe(`/login?next=${encodeURIComponent(path)}`);
  expect(await (await fetch(world.url + login)).text()).toContain(
    `value="${path.replace("&", "&amp;")}"`,
  );
  const body = new URLSearchParams({ next: path, token: TOKEN });
  const headers = { origin: world.url };
  const init = { method: "POST", redirect: "manual", headers, body } as const;
  expect((await fetch(`${world.url}/login`, init)).headers.get("location")).toBe(path);
});

const TYPED = {
  input: "mine",
  model: "gpt-x",
  memory: "16g",
  file_ids: "file-1 file-2",
  previous_response_id: "resp_1",
  stream: "on",
  retention_days: "7",
  advanced: '{"user": "me"}',
};

test.each([
  [{ retention_days: "soon" }, "retention_days", "retention_days must be a whole number"],
  [{ hold: "on" }, "hold", "Leave stream out"],
  [{ control: "on" }, "control", "it continues another response"],
  [{ advanced: '{\r\n  "user": me\r\n}' }, "advanced", "Line 2, column 11: a value"],
  [{ advanced: '{"tools": []}' }, "file_ids", "tools of its own"],
  [{ advanced: '{"model": 5}' }, "advanced", ""],
  [{ previous_response_id: "resp_none" }, "previous_response_id", ""],
  [{ input: "", previous_response_id: "" }, "input", "The input is empty."],
])(
  "POST /trigger of a form with %j is refused at the field %s, which has the focus, and keeps everything",
  async (wrong, field, message) => {
    const typed = { ...TYPED, ...wrong };
    const { status, html, fields } = await sendForm(typed);
    expect(status).toBe(400);
    expect(fields).toEqual(typed);
    const error = new RegExp(`id="${field}-error"[^>]*>(?:<bdi>)?([^<]*)`).exec(html)?.[1];
    expect(decode(error ?? "")).toContain(message);
    expect(error).not.toBe("");
    expect(/<\w+[^>]* autofocus[^>]*>/.exec(html)?.[0]).toContain(`name="${field}"`);
  },
);
