import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { startEmulator } from "../emulator/server.ts";
import { freePort } from "../scripts/port.ts";
import { startChild } from "./child.ts";
import { API_KEY, serveCommand, TOKEN, WEBHOOK_SECRET } from "./world.ts";

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
  const state = mkdtempSync(join(tmpdir(), "response-recorder-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const emulator = await startEmulator({
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: `${url}/webhook`,
  });
  const worker = startChild(serveCommand(port, state, emulator.url));
  const headers = { authorization: `Bearer ${TOKEN}` };
  try {
    await worker.says(/Ready on/);
    const before = worker.text().length;
    const answer = await fetch(`${url}/trigger`, {
      method: "POST",
      headers,
      body: JSON.stringify(REQUEST),
    });
    const { id } = z.object({ id: z.string() }).parse(await answer.json());
    const result = await (await fetch(`${url}/results/${id}?wait=60`, { headers })).text();
    const page = await (
      await fetch(`${url}/results/${id}`, { headers: { ...headers, accept: "text/html" } })
    ).text();
    const log = worker.text().slice(before);
    expect(log).toContain(id);
    for (const secret of [CANARY, API_KEY, TOKEN, WEBHOOK_SECRET.slice("whsec_".length)]) {
      for (const text of [result, page, log]) expect(text).not.toContain(secret);
      expect(filesWith(secret, state)).toEqual([]);
    }
    expect(filesWith(id, state)).not.toEqual([]);
  } finally {
    worker.crash();
    await worker.ended();
    await emulator.close();
    rmSync(state, { recursive: true, force: true });
  }
});

function filesWith(text: string, folder: string): string[] {
  try {
    const found = execFileSync("grep", ["-rlaF", text, folder], { encoding: "utf8" });
    return found.trim().split("\n");
  } catch {
    return [];
  }
}
