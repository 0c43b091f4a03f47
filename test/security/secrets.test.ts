import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { z } from "zod";
import { startProcessWorld } from "../support/process-world.ts";
import { API_KEY, TOKEN, WEBHOOK_SECRET } from "../support/world.ts";

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

test("no credential of a tool, no key and no token is in a log, a KV value or a Workflow's state", async () => {
  const world = await startProcessWorld();
  const { url, state } = world;
  const headers = { authorization: `Bearer ${TOKEN}` };
  try {
    const before = world.output().length;
    const answer = await fetch(`${url}/trigger`, {
      method: "POST",
      headers,
      body: JSON.stringify(REQUEST),
    });
    const { id } = z.object({ id: z.string() }).parse(await answer.json());
    await tryEverythingElse(url, id);
    const result = await (await fetch(`${url}/results/${id}?wait=60`, { headers })).text();
    const page = await (
      await fetch(`${url}/results/${id}`, { headers: { ...headers, accept: "text/html" } })
    ).text();
    const log = world.output().slice(before);
    expect(log).toContain(id);
    for (const secret of [CANARY, API_KEY, TOKEN, WEBHOOK_SECRET.slice("whsec_".length)]) {
      for (const text of [result, page, log]) expect(text).not.toContain(secret);
      expect(filesWith(secret, state)).toEqual([]);
    }
    // Both places are searched, and what is in them is found.
    const found = filesWith(id, state).join("\n");
    expect(found).toMatch(/\/kv\//);
    expect(found).toMatch(/\/workflows\//);
  } finally {
    await world.close();
  }
}, 180_000);

/** Secrets at every other place where a caller could put one but URLs: the platform itself logs those. */
async function tryEverythingElse(url: string, id: string): Promise<void> {
  const right = { authorization: `Bearer ${TOKEN}` };
  const wrong = { authorization: `Bearer ${CANARY}`, cookie: `session=${CANARY}` };
  const post = (path: string, body: string | URLSearchParams, headers: Record<string, string>) =>
    fetch(url + path, { method: "POST", body, headers, redirect: "manual" });
  const form = new URLSearchParams({ token: CANARY });
  const ours = new URLSearchParams({ token: TOKEN });
  const background = JSON.stringify({ ...REQUEST, model: "gpt-5.2", background: true });
  const answers = await Promise.all([
    fetch(`${url}/results/${id}`, { headers: wrong }),
    fetch(`${url}/results?cursor=x`, { headers: { ...right, cookie: `a=${CANARY}` } }),
    fetch(`${url}/v1/models`, { headers: { ...right, "openai-project": CANARY } }),
    post("/login", form, { origin: url }),
    post("/login", ours, { origin: url }),
    post("/webhook", CANARY, { "webhook-signature": `v1,${CANARY}`, "webhook-id": "wh_1" }),
    post("/trigger", JSON.stringify({ ...REQUEST, control: true }), right),
    post("/trigger", JSON.stringify({ ...REQUEST, hold: true }), right),
    post("/trigger", JSON.stringify({ ...REQUEST, include: CANARY }), right),
    post("/v1/responses", background, { ...right, "content-type": "application/json" }),
    post("/v1/responses", background.replace("true", "false"), {
      ...right,
      "content-type": "application/json",
    }),
  ]);
  await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ status }) => status)).toEqual([
    401, 400, 200, 401, 303, 400, 400, 400, 400, 400, 200,
  ]);
}

function filesWith(text: string, folder: string): string[] {
  try {
    const found = execFileSync("grep", ["-rlaF", text, folder], { encoding: "utf8" });
    return found.trim().split("\n");
  } catch {
    return [];
  }
}
