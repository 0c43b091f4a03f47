import OpenAI from "openai";
import { afterAll } from "vitest";
import * as z from "zod";
import { startEmulator } from "../../emulator/server.ts";
import type { Settings } from "../../emulator/settings.ts";

export const OUTPUTS = "code_interpreter_call.outputs";
export const INTERPRETER = { type: "code_interpreter", container: { type: "auto" } } as const;

type Created = Awaited<ReturnType<OpenAI["responses"]["retrieve"]>>;

export interface Bench {
  url: string;
  client: OpenAI;
  /** Asks a control route, as in `control("PATCH /settings", {...})`; gives its JSON. */
  control: (what: string, body?: unknown) => Promise<unknown>;
  /** Runs Python in a response of its own, to its end; gives it as created. */
  run: (
    code: string,
    more?: Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>,
  ) => Promise<Created>;
  /** Waits until a background response has ended; gives it with its outputs included. */
  end: (id: string) => Promise<Created>;
}

/** One emulator for a test file, fast, and gone after it. */
export async function emulate(given: Partial<Settings> = {}): Promise<Bench> {
  const quick = { queueSeconds: 0.02, runSeconds: 0.02, interpreters: 0, webhookBackoff: 0.02 };
  const emulator = await startEmulator({ ...quick, ...given });
  afterAll(() => emulator.close());
  const client = new OpenAI({
    apiKey: "sk-test",
    baseURL: `${emulator.url}/v1`,
    maxRetries: 0,
    timeout: 40_000,
  });
  return {
    url: emulator.url,
    client,
    control: (what, body) => control(emulator.url, what, body),
    run: (code, more = {}) =>
      client.responses.create({
        model: "gpt-5.2",
        tools: [INTERPRETER],
        include: [OUTPUTS],
        ...more,
        stream: false,
        input: python(code),
      }),
    end: (id) => end(client, id),
  };
}

/** An input that makes the scripted model run this code. */
export function python(...codes: string[]): string {
  return codes.map((code) => `\`\`\`python\n${code}\n\`\`\``).join("\n");
}

/** The calls of a response: their outputs, in order. */
export function outputs({ output }: { output: unknown[] }): unknown[] {
  return calls({ output }).map((call) => call.outputs);
}

const Call = z.object({
  type: z.literal("code_interpreter_call"),
  id: z.string(),
  status: z.string(),
  code: z.string(),
  container_id: z.string(),
  outputs: z.unknown(),
});

/** The calls of a response. */
export function calls({ output }: { output: unknown[] }): z.infer<typeof Call>[] {
  return output.flatMap((item) => Call.safeParse(item).data ?? []);
}

/** Asks again and again until the answer is what was waited for. */
export async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function end(client: OpenAI, id: string): Promise<Created> {
  const ask = () => client.responses.retrieve(id, { include: [OUTPUTS] });
  return until(ask, ({ status }) => status !== "queued" && status !== "in_progress");
}

async function control(url: string, what: string, body?: unknown): Promise<unknown> {
  const [method = "GET", path = ""] = what.split(" ");
  const response = await fetch(`${url}/_emulator${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}
