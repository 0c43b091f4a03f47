// Credentials in requests whose streams Connections read: OpenAI gets them, and nothing keeps them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { API_KEY } from "../support/credentials.ts";
import { CODE_INTERPRETER, toPythonInput } from "../support/inputs.ts";
import { startProcessWorld, type ProcessWorld } from "../support/process-world.ts";
import { readRecord, triggerRun, waitUntilSettled } from "../support/run-requests.ts";
import { findFilesWith } from "../support/state-files.ts";
import { waitFor } from "../support/wait.ts";

let world: ProcessWorld;
beforeAll(async () => {
  world = await startProcessWorld({
    interpreters: 1,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    mcpCredentials: "echoed",
    streamOutputs: "present",
  });
});
afterAll(() => world.close());

const Started = z.object({ id: z.string() });

/** Each run has secrets of its own. One is not ASCII: storage keeps such a text in another form. */
function createSecrets(name: string): string[] {
  return [`authorization-${name}-5f1e9c`, `header-${name}-5f1e9c`, `dömäin-${name}-数据-5f1e9c`];
}

function toMcpTool([authorization = "", header = ""]: string[]) {
  const headers = { "x-key": header, Authorization: `Basic ${header}` };
  const server_url = "https://mcp.example/path";
  return { type: "mcp", server_label: "x", server_url, authorization, headers };
}

function toInterpreter([, , value = ""]: string[]) {
  const domain_secrets = [{ domain: "a.example", name: "KEY", value }];
  const network_policy = { type: "allowlist", allowed_domains: ["a.example"], domain_secrets };
  return { type: "code_interpreter", container: { type: "auto", network_policy } };
}

// The input is not ASCII either, so that whole values are stored in that form.
const PRINTS = { model: "m", input: toPythonInput("print('数据')") };

/** Checks that OpenAI got secrets, and that no file, log line or answer of the Worker has one. */
async function expectUnkept(id: string, secrets: string[], answers: string[]): Promise<void> {
  const sent = JSON.stringify(await world.emulator.listRequests());
  const html = { headers: { accept: "text/html" } };
  const pages = await Promise.all([
    world.request(`/results/${id}`),
    world.request(`/results/${id}`, html),
    world.request(`/results/${id}/response`),
    world.request(`/results/${id}/events`),
    world.request("/results.ndjson"),
  ]);
  const texts = [...answers, ...(await Promise.all(pages.map((page) => page.text())))];
  for (const secret of secrets) expect(sent).toContain(secret);
  for (const secret of [...secrets, API_KEY]) {
    for (const text of [...texts, world.output()]) expect(text).not.toContain(secret);
    expect(findFilesWith(secret, world.state)).toEqual([]);
  }
}

/** Waits until a Connection's file has an id. */
async function waitForConnectionFile(id: string): Promise<void> {
  await waitFor(
    () => Promise.resolve(findFilesWith(id, world.state)),
    (files) => files.some((path) => /-Connection\//.test(path)),
  );
}

test.each([
  { name: "held", flags: { hold: true } },
  { name: "followed", flags: { stream: true } },
])(
  "a $name run with credentials sends them to OpenAI, and keeps none while it streams and after its end",
  async ({ name, flags }) => {
    const secrets = createSecrets(name);
    const tools = [toMcpTool(secrets), toInterpreter(secrets)];
    await world.emulator.addScript([
      { code: "print('数据')" },
      { mcp_call: { server_label: "x", name: "f" } },
      { wait: 2 },
    ]);
    const body = JSON.stringify({ ...PRINTS, tools, ...flags });
    const answer = await world.request("/trigger", { method: "POST", body });
    const text = await answer.text();
    expect(answer.status).toBe(202);
    const { id } = Started.parse(JSON.parse(text));
    await waitForConnectionFile(id);
    expect((await readRecord(world, id)).verdict).toBe("pending");
    for (const secret of secrets) expect(findFilesWith(secret, world.state)).toEqual([]);
    const record = await waitUntilSettled(world, id);
    expect(record).toMatchObject({
      status: "completed",
      calls: [{ outputs: [{ type: "logs", logs: "数据\n" }] }, { type: "mcp_call" }],
      request: {
        tools: [
          { authorization: "[removed]", headers: "[removed]" },
          { container: { network_policy: { domain_secrets: "[removed]" } } },
        ],
      },
      response: { tools: [{ authorization: "[removed]", headers: "[removed]" }, {}] },
    });
    await expectUnkept(id, secrets, [text]);
  },
);

test("a control with credentials sends them to OpenAI twice, and keeps none", async () => {
  const secrets = createSecrets("control").slice(2);
  const tools = [toInterpreter(["", "", ...secrets])];
  await world.emulator.clearRequests();
  const id = await triggerRun(world, { ...PRINTS, tools, control: true });
  const record = await waitUntilSettled(world, id);
  expect(record).toMatchObject({ control: { status: "completed" } });
  const creates = (await world.emulator.listRequests()).filter(({ method }) => method === "POST");
  expect(creates.map(({ body }) => body)).toMatchObject([{ tools }, { tools }]);
  await waitForConnectionFile(record.control?.id ?? "");
  await expectUnkept(id, secrets, []);
});

test("POST /v1/responses in background mode with credentials sends them to OpenAI, and answers and keeps none", async () => {
  const secrets = createSecrets("v1");
  const tools = [toMcpTool(secrets), toInterpreter(secrets)];
  await world.emulator.addScript([{ code: "print('数据')" }, { wait: 1 }]);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ...PRINTS, tools, background: true });
  const answer = await world.request("/v1/responses", { method: "POST", body, headers });
  const created = await answer.text();
  expect(answer.status).toBe(200);
  const { id } = Started.parse(JSON.parse(created));
  const inFlight = await (await world.request(`/v1/responses/${id}`)).text();
  expect(await waitUntilSettled(world, id)).toMatchObject({
    started_by: "v1",
    verdict: "captured",
  });
  await waitForConnectionFile(id);
  const ended = await (await world.request(`/v1/responses/${id}`)).text();
  expect(ended).toContain('"status":"completed"');
  await expectUnkept(id, secrets, [created, inFlight, ended]);
});

test("a request with credentials that OpenAI refuses, or whose stream breaks, keeps none", async () => {
  const secrets = createSecrets("broken");
  const tools = [...CODE_INTERPRETER, toMcpTool(secrets)];
  const where = { method: "POST", path: "^/v1/responses$", times: 1 };
  for (const fault of [{ kind: "status", status: 400 }, { kind: "cut" }]) {
    for (const flags of [{ hold: true }, { stream: true }]) {
      await world.emulator.addFault({ ...where, ...fault });
      const body = JSON.stringify({ ...PRINTS, tools, ...flags });
      const answer = await world.request("/trigger", { method: "POST", body });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      for (const secret of secrets) expect(await answer.clone().text()).not.toContain(secret);
    }
  }
  await world.emulator.addFault({ ...where, kind: "cut", after_events: 6 });
  const id = await triggerRun(world, { ...PRINTS, tools, hold: true });
  expect((await waitUntilSettled(world, id)).held?.broke_at).toMatch(/^\d+ response\./);
  await expectUnkept(id, secrets.slice(0, 2), []);
});
