import { expect, test } from "vitest";
import { INCLUDE_OUTPUTS, startTestEmulator } from "./setup.ts";

const INCLUDE_SOURCES = "web_search_call.action.sources";
const INCLUDE_RESULTS = "file_search_call.results";

const { client } = await startTestEmulator({
  refusedInclude: [INCLUDE_SOURCES],
  createRefusedInclude: [INCLUDE_RESULTS],
});

const request = { model: "gpt-5.2", input: "hi" };

function toRefusal(value: string, param: string): object {
  const message = expect.stringContaining(`Invalid value: '${value}'. Supported values`) as unknown;
  return { status: 400, code: "invalid_value", param, message };
}

test("GET /v1/responses/:id refuses the values of refusedInclude", async () => {
  const { id } = await client.responses.create({ ...request, include: [INCLUDE_SOURCES] });
  const refused = client.responses.retrieve(id, { include: [INCLUDE_OUTPUTS, INCLUDE_SOURCES] });
  await expect(refused).rejects.toMatchObject(toRefusal(INCLUDE_SOURCES, "include[1]"));
  const others = client.responses.retrieve(id, { include: [INCLUDE_OUTPUTS, INCLUDE_RESULTS] });
  await expect(others).resolves.toMatchObject({ id });
});

test("the other GETs that take include refuse the values of refusedInclude", async () => {
  const { id: conversation } = await client.conversations.create();
  const { id } = await client.responses.create(request);
  const include = [INCLUDE_SOURCES] as const;
  const refusal = toRefusal(INCLUDE_SOURCES, "include[0]");
  const items = client.conversations.items.list(conversation, { include: [...include] });
  await expect(items).rejects.toMatchObject(refusal);
  const input = client.responses.inputItems.list(id, { include: [...include] });
  await expect(input).rejects.toMatchObject(refusal);
});

test("POST /v1/responses refuses the values of createRefusedInclude", async () => {
  const refused = client.responses.create({ ...request, include: [INCLUDE_RESULTS] });
  await expect(refused).rejects.toMatchObject(toRefusal(INCLUDE_RESULTS, "include[0]"));
});
