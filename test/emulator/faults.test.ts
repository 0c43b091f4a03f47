import { APIConnectionError, APIConnectionTimeoutError } from "openai";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { emulate, until } from "./setup.ts";

const { client, control, url } = await emulate();
const { id } = await client.responses.create({ model: "gpt-5.2", input: "hello" });
const retrieve = () => client.responses.retrieve(id);

const Rules = z.array(z.looseObject({ left: z.number(), skip: z.number() }));
const Runs = z.array(z.object({ id: z.string() }));

beforeEach(async () => {
  await control("DELETE /faults");
});

async function spoil(fault: object): Promise<void> {
  await control("POST /faults", { path: "^/v1/responses", ...fault });
}

describe("a fault", () => {
  test("spoils one answer, and no other", async () => {
    await spoil({ kind: "status", status: 503 });
    await expect(retrieve()).rejects.toMatchObject({ status: 503, code: "server_is_overloaded" });
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("leaves the first requests alone when it is told to", async () => {
    await spoil({ kind: "status", status: 500, after: 1 });
    await expect(retrieve()).resolves.toMatchObject({ id });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
  });

  test("lasts until it is cleared", async () => {
    await spoil({ kind: "status", status: 500, times: -1 });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
    await expect(retrieve()).rejects.toMatchObject({ status: 500 });
    await control("DELETE /faults");
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("fits by method and path", async () => {
    await spoil({ kind: "status", status: 500, method: "post" });
    await expect(retrieve()).resolves.toMatchObject({ id });
    expect(Rules.parse(await control("GET /faults"))).toMatchObject([{ left: 1, method: "POST" }]);
  });

  test("fits by the metadata of what is created or asked for", async () => {
    const request = { model: "gpt-5.2", input: "hi", metadata: { number: "7" } };
    const other = await client.responses.create(request);
    await spoil({ kind: "status", status: 500, times: 2, metadata: { number: "7" } });
    await expect(retrieve()).resolves.toMatchObject({ id });
    await expect(client.responses.retrieve(other.id)).rejects.toMatchObject({ status: 500 });
    await expect(client.responses.create(request)).rejects.toMatchObject({ status: 500 });
  });

  test("is refused when its kind or pattern is wrong", async () => {
    const wrong = await control("POST /faults", { kind: "explode" });
    expect(wrong).toMatchObject({ error: { param: "kind" } });
    const pattern = await control("POST /faults", { kind: "hang", path: "(" });
    expect(pattern).toMatchObject({ error: { param: "path" } });
  });
});

describe("the kind of a fault", () => {
  test("status may be a rate limit with Retry-After", async () => {
    await spoil({ kind: "status", status: 429, headers: { "retry-after": "7" } });
    const refused = await retrieve().catch((cause: unknown) => cause);
    expect(refused).toMatchObject({ status: 429, code: "rate_limit_exceeded" });
    const headers = z.object({ headers: z.instanceof(Headers) }).parse(refused).headers;
    expect(headers.get("retry-after")).toBe("7");
    expect(headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("status may be about money", async () => {
    await spoil({ kind: "status", status: 429, body: { error: { code: "insufficient_quota" } } });
    await expect(retrieve()).rejects.toMatchObject({ status: 429, code: "insufficient_quota" });
  });

  test("hang never answers", async () => {
    await spoil({ kind: "hang" });
    const asked = client.responses.retrieve(id, {}, { timeout: 200 });
    await expect(asked).rejects.toThrow(APIConnectionTimeoutError);
  });

  test("a stream that hangs stays open when its events have come", async () => {
    await spoil({ kind: "hang", after_events: 2 });
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

  test("hang ends in a closed connection when it is told to", async () => {
    await spoil({ kind: "hang", seconds: 0.05 });
    const failed = await retrieve().catch((cause: unknown) => cause);
    expect(failed).toBeInstanceOf(APIConnectionError);
    expect(failed).not.toBeInstanceOf(APIConnectionTimeoutError);
  });

  test("cut ends the connection without an answer", async () => {
    await spoil({ kind: "cut" });
    await expect(retrieve()).rejects.toThrow(APIConnectionError);
  });

  test("cut may lose only the answer of a request that was carried out", async () => {
    const before = Runs.parse(await control("GET /responses")).length;
    await spoil({ kind: "cut", method: "POST", carry_out: true });
    const lost = client.responses.create({ model: "gpt-5.2", input: "hi", background: true });
    await expect(lost).rejects.toThrow(APIConnectionError);
    expect(Runs.parse(await control("GET /responses"))).toHaveLength(before + 1);
  });

  test("cut ends a stream after some events", async () => {
    await spoil({ kind: "cut", after_events: 3 });
    const types: string[] = [];
    const read = async () => {
      const request = { model: "gpt-5.2", input: "hi", stream: true } as const;
      for await (const event of await client.responses.create(request)) types.push(event.type);
    };
    await expect(read()).rejects.toThrow("terminated");
    expect(types).toHaveLength(3);
  });

  test("truncate sends half a body", async () => {
    await spoil({ kind: "truncate" });
    await expect(retrieve()).rejects.toThrow(SyntaxError);
  });

  test("html sends a page", async () => {
    await spoil({ kind: "html" });
    const response = await client.responses.retrieve(id).asResponse();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch("text/html");
    expect(await response.text()).toMatch("<!doctype html>");
  });

  test("delay answers in the end", async () => {
    await spoil({ kind: "delay", seconds: 0.05 });
    await expect(retrieve()).resolves.toMatchObject({ id });
  });

  test("replace changes what the answer says", async () => {
    await spoil({ kind: "replace", patch: { status: "in_progress" } });
    await expect(retrieve()).resolves.toMatchObject({ id, status: "in_progress" });
    await expect(retrieve()).resolves.toMatchObject({ id, status: "completed" });
  });
});

describe("the journal", () => {
  test("keeps what was asked and how it was answered, without the key", async () => {
    await control("DELETE /requests");
    await client.responses.retrieve(id, { include: ["code_interpreter_call.outputs"] });
    await client.responses.create({ model: "gpt-5.2", input: "hi", metadata: { a: "b" } });
    const requests = await control("GET /requests");
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

  test("says which fault spoiled an answer", async () => {
    await control("DELETE /requests");
    await spoil({ kind: "truncate" });
    await retrieve().catch(() => undefined);
    await retrieve();
    expect(await control("GET /requests")).toMatchObject([{ fault: "truncate" }, { fault: null }]);
  });

  test("forgets the oldest when it has more than it is to remember", async () => {
    await control("PATCH /settings", { historySize: 1 });
    await retrieve();
    await client.models.list();
    expect(await control("GET /requests")).toMatchObject([{ path: "/v1/models" }]);
    await control("PATCH /settings", { historySize: 10_000 });
  });

  test("has no status for what was never answered", async () => {
    await control("DELETE /requests");
    await spoil({ kind: "cut" });
    await retrieve().catch(() => undefined);
    const requests = await until(
      () => control("GET /requests"),
      (list) => JSON.stringify(list).includes(id),
    );
    expect(requests).toMatchObject([{ status: null }]);
  });
});

test("an unknown route is an error of OpenAI's shape", async () => {
  await expect(client.get("/nothing")).rejects.toMatchObject({
    status: 404,
    type: "invalid_request_error",
    message: "404 Invalid URL (GET /v1/nothing)",
  });
});

test("a body that isn't JSON is refused", async () => {
  const headers = { authorization: "Bearer any", "content-type": "application/json" };
  const response = await fetch(`${url}/v1/responses`, { method: "POST", headers, body: "{" });
  expect(response.status).toBe(400);
});
