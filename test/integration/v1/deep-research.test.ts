// Runs shaped like deep research: searches, an MCP tool with credentials, dozens of items, in the background.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { startProcessWorld, type ProcessWorld } from "../../support/process-world.ts";
import { readRecord, waitUntilSettled } from "../../support/run-requests.ts";
import { findFilesWith } from "../../support/state-files.ts";
import { ApiResponse } from "./v1-client.ts";

let world: ProcessWorld;
beforeAll(async () => {
  world = await startProcessWorld({
    interpreters: 0,
    queueSeconds: 0.1,
    runSeconds: 0.1,
    mcpCredentials: "echoed",
  });
});
afterAll(() => world.close());

const SOURCES = "web_search_call.action.sources";
const CREDENTIALS = ["authorization-5f1e9c", "header-5f1e9c"] as const;
const [authorization, header] = CREDENTIALS;
const MCP = {
  type: "mcp",
  server_label: "library",
  server_url: "https://mcp.example/path",
  require_approval: "never",
  authorization,
  headers: { "x-key": header },
};
const REQUEST = {
  model: "o4-mini-deep-research-2025-06-26",
  input: "How have the tides of the North Sea changed?",
  tools: [{ type: "web_search" }, MCP],
  reasoning: { summary: "auto" },
  max_tool_calls: 40,
  background: true,
};
const TEXT = "The tides have changed little.";

/** Seven rounds of four items, a last thought and the report: 30 items. */
const STEPS = [
  ...Array.from({ length: 7 }, (_, round) => [
    { reasoning: [`Round ${round}: I search.`] },
    { web_search: { query: `tides ${round}`, sources: [`https://example.com/${round}`] } },
    { web_search: { action: { type: "open_page", url: `https://example.com/${round}` } } },
    { mcp_call: { server_label: "library", name: "fetch", arguments: { id: round }, output: "…" } },
  ]).flat(),
  { reasoning: ["I write."] },
  { text: TEXT },
];

async function readText(path: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await world.request(path, { headers });
  expect(answer.status).toBe(200);
  return answer.text();
}

test.each([
  ["without its sources", {}, {}, "background; no_known_loss"],
  [
    "with its sources and X-Recorder-Hold: off",
    { include: [SOURCES] },
    { "x-recorder-hold": "off" },
    "background; header",
  ],
])(
  "a deep research run that searches %s is not held, and is readable after OpenAI deleted it",
  async (_, asked, headers: Record<string, string>, decision) => {
    await world.emulator.addScript(STEPS);
    await world.emulator.clearRequests();
    const answer = await world.request("/v1/responses", {
      method: "POST",
      body: JSON.stringify({ ...REQUEST, ...asked }),
      headers: { "content-type": "application/json", ...headers },
    });
    expect(answer.headers.get("x-recorder")).toBe(decision);
    const { id } = z.object({ id: z.string() }).parse(await answer.json());
    const sent = (await world.emulator.listRequests()).filter(({ method }) => method === "POST");
    expect(sent).toMatchObject([{ body: { background: true, tools: REQUEST.tools } }]);

    expect(await waitUntilSettled(world, id)).toMatchObject({
      started_by: "v1",
      status: "completed",
      held: null,
    });
    const { ok } = await world.emulator.sendToApi(`/responses/${id}`, { method: "DELETE" });
    expect(ok).toBe(true);

    const shown = await readText(`/v1/responses/${id}`);
    const { status, output } = ApiResponse.parse(JSON.parse(shown));
    expect(status).toBe("completed");
    expect(output).toHaveLength(30);
    expect(output.at(-1)).toMatchObject({ type: "message", content: [{ text: TEXT }] });
    const record = await readRecord(world, id);
    const calls = record.calls.map(({ type }) => type);
    expect(calls.filter((type) => type === "mcp_call")).toHaveLength(7);
    expect(calls.filter((type) => type === "web_search_call")).toHaveLength(7);
    const html = { accept: "text/html" };
    const page = await readText(`/results/${id}`, html);
    expect(page).toContain(TEXT);

    const response = await readText(`/results/${id}/response`);
    const texts = [shown, JSON.stringify(record), page, response, world.output()];
    for (const credential of CREDENTIALS) {
      for (const text of texts) expect(text).not.toContain(credential);
      expect(findFilesWith(credential, world.state)).toEqual([]);
    }
  },
);
