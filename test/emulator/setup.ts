import OpenAI from "openai";
import { afterAll } from "vitest";
import * as z from "zod";
import { type Emulator, startEmulator } from "../../emulator/server.ts";
import type { Settings } from "../../emulator/settings.ts";

export const INCLUDE_OUTPUTS = "code_interpreter_call.outputs";
export const INTERPRETER_TOOL = { type: "code_interpreter", container: { type: "auto" } } as const;

type Response = Awaited<ReturnType<OpenAI["responses"]["retrieve"]>>;

/** An emulator and the client of one test file. */
export interface TestEmulator {
  url: string;
  client: OpenAI;
  /** Says what the model answers to the next requests that match. */
  script: Emulator["script"];
  /** Calls a control route, as in `callControl("PATCH /settings", {...})`; returns its JSON. */
  callControl: (route: string, body?: unknown) => Promise<unknown>;
  /** Runs Python in a new response; returns the answer of the create request. */
  runPython: (
    code: string,
    more?: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>,
  ) => Promise<Response>;
  /** Waits until a background response has ended; returns it with its outputs included. */
  waitForEnd: (id: string) => Promise<Response>;
}

/** Starts an emulator with short delays, and closes it when the test file ends. */
export async function startTestEmulator(changes: Partial<Settings> = {}): Promise<TestEmulator> {
  const fast = { queueSeconds: 0.02, runSeconds: 0.02, interpreters: 0, webhookBackoff: 0.02 };
  const emulator = await startEmulator({ ...fast, ...changes });
  afterAll(() => emulator.close());
  const client = new OpenAI({
    apiKey: "sk-test",
    baseURL: `${emulator.url}/v1`,
    maxRetries: 0,
    timeout: 100_000,
  });
  return {
    url: emulator.url,
    client,
    script: emulator.script,
    callControl: (route, body) => callControlRoute(emulator.url, route, body),
    runPython: (code, more = {}) =>
      client.responses.create({
        model: "gpt-5.2",
        tools: [INTERPRETER_TOOL],
        include: [INCLUDE_OUTPUTS],
        ...more,
        stream: false,
        input: toPythonInput(code),
      }),
    waitForEnd: (id) => waitForEnd(client, id),
  };
}

/** An input that makes the scripted model run each code in a call. */
export function toPythonInput(...codes: string[]): string {
  return codes.map((code) => `\`\`\`python\n${code}\n\`\`\``).join("\n");
}

/** An output of text. */
export function toLogs(text: unknown): { type: "logs"; logs: unknown } {
  return { type: "logs", logs: text };
}

/** The outputs of a response's calls, in order. */
export function getOutputs({ output }: { output: unknown[] }): unknown[] {
  return getCalls({ output }).map((call) => call.outputs);
}

const CodeInterpreterCall = z.object({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  status: z.string(),
  code: z.string(),
  container_id: z.string(),
  outputs: z.unknown(),
});

/** The calls of a response. */
export function getCalls({ output }: { output: unknown[] }): z.infer<typeof CodeInterpreterCall>[] {
  return output.flatMap((item) => CodeInterpreterCall.safeParse(item).data ?? []);
}

/** Repeats a request until its answer passes the test. */
export async function pollUntil<T>(
  ask: () => Promise<T>,
  isDone: (answer: T) => boolean,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function waitForEnd(client: OpenAI, id: string): Promise<Response> {
  const ask = () => client.responses.retrieve(id, { include: [INCLUDE_OUTPUTS] });
  return pollUntil(ask, ({ status }) => status !== "queued" && status !== "in_progress");
}

async function callControlRoute(url: string, route: string, body?: unknown): Promise<unknown> {
  const [method = "GET", path = ""] = route.split(" ");
  const response = await fetch(`${url}/_emulator${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}
