import { expect, test } from "vitest";
import { z } from "zod";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "../support/credentials.ts";
import { startProcessWorld } from "../support/process-world.ts";
import { findFilesWith } from "../support/state-files.ts";

const Started = z.object({ id: z.string() });

const CANARY = "canary-5f1e9c";

const REQUEST = {
  input: "hello",
  tools: [
    {
      type: "code_interpreter",
      container: {
        type: "auto",
        network_policy: {
          type: "allowlist",
          allowed_domains: ["a.example"],
          domain_secrets: [{ domain: "a.example", name: "KEY", value: CANARY }],
        },
      },
    },
    {
      type: "mcp",
      server_label: "x",
      server_url: "https://mcp.example",
      authorization: CANARY,
      headers: { "x-key": CANARY },
    },
  ],
};

test("no tool credential, key or token is in a log, a KV value, or an object's state", async () => {
  const world = await startProcessWorld({ mcpCredentials: "echoed" });
  try {
    const printedBefore = world.output().length;
    const answer = await world.request("/trigger", {
      method: "POST",
      body: JSON.stringify(REQUEST),
    });
    const { id } = Started.parse(await answer.json());
    const held = await sendSecretsEverywhere(world.url, id);
    await world.request(`/results/${held}?wait=60&until=settled`);
    const record = await (await world.request(`/results/${id}?wait=60&until=settled`)).text();
    const html = { headers: { accept: "text/html" } };
    const page = await (await world.request(`/results/${id}`, html)).text();
    const log = world.output().slice(printedBefore);
    expect(log).toContain(id);
    for (const secret of [CANARY, API_KEY, TOKEN, WEBHOOK_SECRET.slice("whsec_".length)]) {
      for (const text of [record, page, log]) expect(text).not.toContain(secret);
      expect(findFilesWith(secret, world.state)).toEqual([]);
    }
    // The search finds what is in KV and in the state of objects.
    const files = findFilesWith(id, world.state).join("\n");
    expect(files).toMatch(/\/kv\//);
    expect(files).toMatch(/\/do\/.*-Recorder\//);
    expect(files).toMatch(/\/do\/.*-Catalog\//);
    expect(findFilesWith(held, world.state).join("\n")).toMatch(/\/do\/.*-Connection\//);
  } finally {
    await world.close();
  }
}, 180_000);

/**
 * Sends secrets at every other place where a caller could put one, except in URLs: the platform itself logs those.
 * @returns The id of a held run that was started with some.
 */
async function sendSecretsEverywhere(url: string, id: string): Promise<string> {
  const right = { authorization: `Bearer ${TOKEN}` };
  const wrong = { authorization: `Bearer ${CANARY}`, cookie: `session=${CANARY}` };
  const post = (path: string, body: string | URLSearchParams, headers: Record<string, string>) =>
    fetch(url + path, { method: "POST", body, headers, redirect: "manual" });
  const wrongForm = new URLSearchParams({ token: CANARY });
  const rightForm = new URLSearchParams({ token: TOKEN });
  const background = JSON.stringify({ ...REQUEST, model: "gpt-5.2", background: true });
  const answers = await Promise.all([
    fetch(`${url}/results/${id}`, { headers: wrong }),
    fetch(`${url}/results?cursor=x`, { headers: { ...right, cookie: `a=${CANARY}` } }),
    fetch(`${url}/v1/models`, { headers: { ...right, "openai-project": CANARY } }),
    post("/login", wrongForm, { origin: url }),
    post("/login", rightForm, { origin: url }),
    post("/webhook", CANARY, { "webhook-signature": `v1,${CANARY}`, "webhook-id": "wh_1" }),
    post("/trigger", JSON.stringify({ ...REQUEST, control: true }), right),
    post("/trigger", JSON.stringify({ ...REQUEST, hold: true }), right),
    post("/trigger", JSON.stringify({ ...REQUEST, include: CANARY }), right),
    post("/v1/responses", background, { ...right, "content-type": "application/json" }),
    // OpenAI's own answer passes through.
    post("/v1/responses", background.replace("true", "false"), {
      ...right,
      "content-type": "application/json",
    }),
  ]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  for (const text of texts.slice(0, -1)) expect(text).not.toContain(CANARY);
  expect(answers.map(({ status }) => status)).toEqual([
    401, 400, 200, 401, 303, 400, 400, 202, 400, 200, 200,
  ]);
  const HELD = 7;
  return Started.parse(JSON.parse(texts[HELD] ?? "")).id;
}
