import { APIConnectionError, APIConnectionTimeoutError } from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { startTestEmulator, pollUntil } from "./setup.ts";

const { client, callControl, url } = await startTestEmulator();
const { id } = await client.responses.create({ model: "gpt-5.2", input: "hello" });
const retrieve = () => client.responses.retrieve(id);

const FaultList = z.array(z.looseObject({ left: z.number(), skip: z.number() }));
const RunList = z.array(z.object({ id: z.string() }));

beforeEach(async () => {
  await callControl("DELETE /faults");
});

async function addFault(fault: object): Promise<void> {
  await callControl("POST /faults", { path: "^/v1/responses", ...fault });
}

describe("a fault rule", () => {
  test("spoils one response by default", async () => {
    await addFault({ kind: "status", status: 503 });
    await expect(retrieve()).rejects.toMatchObject({ status: 503, code: "server_is_overloaded" });
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("leaves the first requests alone with 'after'", async () => {
    await addFault({ kind: "status", status: 500, after: 1 });
    await expect(retrieve()).resolves.toMatchObject({ id });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
  });

  test("applies until DELETE /_emulator/faults when 'times' is -1", async () => {
    await addFault({ kind: "status", status: 500, times: -1 });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
    await callControl("DELETE /faults");
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("matches by method and path", async () => {
    await addFault({ kind: "status", status: 500, method: "post" });
    await expect(retrieve()).resolves.toMatchObject({ id });
    expect(FaultList.parse(await callControl("GET /faults"))).toMatchObject([
      { left: 1, method: "POST" },
    ]);
  });

  test("matches by the metadata of the created or requested response", async () => {
    const request = { model: "gpt-5.2", input: "hi", metadata: { number: "7" } };
    const other = await client.responses.create(request);
    await addFault({ kind: "status", status: 500, times: 2, metadata: { number: "7" } });
    await expect(retrieve()).resolves.toMatchObject({ id });
    await expect(client.responses.retrieve(other.id)).rejects.toMatchObject({ status: 500 });
    await expect(client.responses.create(request)).rejects.toMatchObject({ status: 500 });
  });

  test("is rejected when its kind or its pattern is invalid", async () => {
    const wrong = await callControl("POST /faults", { kind: "explode" });
    expect(wrong).toMatchObject({ error: { param: "kind" } });
    const pattern = await callControl("POST /faults", { kind: "hang", path: "(" });
    expect(pattern).toMatchObject({ error: { param: "path" } });
  });
});

describe("the fault", () => {
  test("status returns a rate limit with Retry-After", async () => {
    await addFault({ kind: "status", status: 429, headers: { "retry-after": "7" } });
    const refused = await retrieve().catch((cause: unknown) => cause);
    expect(refused).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    const headers = z.object({ headers: z.instanceof(Headers) }).parse(refused).headers;
    expect(headers.get("retry-after")).toBe("7");
    expect(headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("status merges the error code of its body", async () => {
    await addFault({
      kind: "status",
      status: 429,
      body: { error: { code: "insufficient_quota" } },
    });
    await expect(retrieve()).rejects.toMatchObject({ status: 429, code: "insufficient_quota" });
  });

  test("hang never answers", async () => {
    await addFault({ kind: "hang" });
    const asked = client.responses.retrieve(id, {}, { timeout: 200 });
    await expect(asked).rejects.toThrow(APIConnectionTimeoutError);
  });

  test("hang with after_events leaves a stream open and silent", async () => {
    await addFault({ kind: "hang", after_events: 2 });
    const stream = await client.responses.create({ model: "gpt-5.2", input: "hi", stream: true });
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    expect(await events.next()).toMatchObject({ done: false });
    const third = events.next().catch(() => "closed by the client");
    const silence = new Promise((resolve) => setTimeout(resolve, 1_000, "silence"));
    expect(await Promise.race([third, silence])).toBe("silence");
    stream.controller.abort();
    await third;
  });

  test("hang with seconds closes the connection", async () => {
    await addFault({ kind: "hang", seconds: 0.05 });
    const failed = await retrieve().catch((cause: unknown) => cause);
    expect(failed).toBeInstanceOf(APIConnectionError);
    expect(failed).not.toBeInstanceOf(APIConnectionTimeoutError);
  });

  test("cut closes the connection without a response", async () => {
    await addFault({ kind: "cut" });
    await expect(retrieve()).rejects.toThrow(APIConnectionError);
  });

  test("cut with carry_out executes the request and loses its response", async () => {
    const before = RunList.parse(await callControl("GET /responses")).length;
    await addFault({ kind: "cut", method: "POST", carry_out: true });
    const lost = client.responses.create({ model: "gpt-5.2", input: "hi", background: true });
    await expect(lost).rejects.toThrow(APIConnectionError);
    expect(RunList.parse(await callControl("GET /responses"))).toHaveLength(before + 1);
  });

  test("cut with after_events closes a stream after some events", async () => {
    await addFault({ kind: "cut", after_events: 3 });
    const types: string[] = [];
    const read = async () => {
      const request = { model: "gpt-5.2", input: "hi", stream: true } as const;
      for await (const event of await client.responses.create(request)) types.push(event.type);
    };
    await expect(read()).rejects.toThrow("terminated");
    expect(types).toHaveLength(3);
  });

  test("cut with after_item closes a stream once an item of that type is done, a replay too", async () => {
    const stream = true as const;
    const request = { model: "gpt-5.2", input: "hi", background: true, stream };
    let run = "";
    for await (const event of await client.responses.create(request)) {
      if (event.type === "response.created") run = event.response.id;
    }
    await addFault({ kind: "cut", method: "GET", after_item: "reasoning" });
    const types: string[] = [];
    const replay = async () => {
      for await (const event of await client.responses.retrieve(run, { stream })) {
        types.push("item" in event ? `${event.type} ${event.item.type}` : event.type);
      }
    };
    await expect(replay()).rejects.toThrow("terminated");
    expect(types.at(-1)).toBe("response.output_item.done reasoning");
    await expect(replay()).resolves.toBeUndefined();
  });

  test("truncate sends half a body", async () => {
    await addFault({ kind: "truncate" });
    await expect(retrieve()).rejects.toThrow(SyntaxError);
  });

  test("html sends an HTML page", async () => {
    await addFault({ kind: "html" });
    const response = await client.responses.retrieve(id).asResponse();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch("text/html");
    expect(await response.text()).toMatch("<!doctype html>");
  });

  test("delay sends the response late", async () => {
    await addFault({ kind: "delay", seconds: 0.05 });
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("replace patches one response", async () => {
    await addFault({ kind: "replace", patch: { status: "in_progress" } });
    await expect(retrieve()).resolves.toMatchObject({ id, status: "in_progress" });
    await expect(retrieve()).resolves.toMatchObject({ id, status: "completed" });
  });
});

describe("GET /_emulator/requests", () => {
  test("lists requests and their statuses, without the API key", async () => {
    await callControl("DELETE /requests");
    await client.responses.retrieve(id, { include: ["code_interpreter_call.outputs"] });
    await client.responses.create({ model: "gpt-5.2", input: "hi", metadata: { a: "b" } });
    const requests = await callControl("GET /requests");
    expect(requests).toMatchObject([
      {
        method: "GET",
        path: `/v1/responses/${id}`,
        query: { "include[]": ["code_interpreter_call.outputs"] },
        body: null,
        status: 200,
      },
      { method: "POST", path: "/v1/responses", body: { metadata: { a: "b" } }, status: 200 },
    ]);
    expect(JSON.stringify(requests)).not.toMatch("sk-test");
  });

  test("names the fault that was injected", async () => {
    await callControl("DELETE /requests");
    await addFault({ kind: "truncate" });
    await retrieve().catch(() => undefined);
    await retrieve();
    expect(await callControl("GET /requests")).toMatchObject([
      { fault: "truncate" },
      { fault: null },
    ]);
  });

  test("keeps only the newest historySize requests", async () => {
    await callControl("PATCH /settings", { historySize: 1 });
    await retrieve();
    await client.models.list();
    expect(await callControl("GET /requests")).toMatchObject([{ path: "/v1/models" }]);
    await callControl("PATCH /settings", { historySize: 10_000 });
  });

  test("has no status for a request without a response", async () => {
    await callControl("DELETE /requests");
    await addFault({ kind: "cut" });
    await retrieve().catch(() => undefined);
    const requests = await pollUntil(
      () => callControl("GET /requests"),
      (list) => JSON.stringify(list).includes(id),
    );
    expect(requests).toMatchObject([{ status: null }]);
  });
});

test("GET /v1/nothing is a 404 in OpenAI's format", async () => {
  await expect(client.get("/nothing")).rejects.toMatchObject({
    status: 404,
    type: "invalid_request_error",
    message: "404 Invalid URL (GET /v1/nothing)",
  });
});

test("POST /v1/responses rejects a body that isn't JSON", async () => {
  const headers = { authorization: "Bearer any", "content-type": "application/json" };
  const response = await fetch(`${url}/v1/responses`, { method: "POST", headers, body: "{" });
  expect(response.status).toBe(400);
});
