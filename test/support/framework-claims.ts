// What the three frameworks that use the Responses API most do with scripts and unscripted answers, whatever OpenAI they talk to.
import { createOpenAI } from "@ai-sdk/openai";
import { type AIMessageChunk, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { tool as toLangchainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import {
  Agent,
  codeInterpreterTool,
  OpenAIProvider,
  Runner,
  type RunItem,
  tool as toAgentTool,
} from "@openai/agents";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { EmulatorClient } from "./emulator-client.ts";

/** Where the frameworks send their requests, and the emulator that answers them in the end. */
export type FrameworkTarget = {
  baseURL: string;
  apiKey: string;
  emulator: Pick<EmulatorClient, "addScript">;
};

const MODEL = "gpt-5.2";
const OUTPUTS = "code_interpreter_call.outputs" as const;
const Numbers = z.object({ a: z.number(), b: z.number() });
const Person = z.object({ name: z.string(), age: z.int().min(18) });
const PYTHON = "Run Python that prints exactly: OK";
const PRINTED = [{ type: "logs", logs: "OK\n" }];
const CodeCall = z.object({
  name: z.literal("code_interpreter_call"),
  providerData: z.object({ outputs: z.array(z.unknown()) }),
});
/** A framework that creates a background run does not poll it, so it is background only with a stream. */
const STREAMS = [
  ["in the foreground", false],
  ["in background mode", true],
] as const;

async function join(texts: AsyncIterable<string>): Promise<string> {
  let joined = "";
  for await (const text of texts) joined += text;
  return joined;
}

/** Scripts a call of the function `add`, and the answer after its output. */
async function scriptToolLoop({ emulator }: FrameworkTarget): Promise<void> {
  const call = { function_call: { name: "add", arguments: { a: 1, b: 2 } } };
  await emulator.addScript([{ reasoning: "I add." }, call], { turn: 0 });
  await emulator.addScript([{ text: "It is 3." }], { turn: 1 });
}

function createAiModel({ baseURL, apiKey }: FrameworkTarget, isBackground: boolean) {
  const fetch = isBackground ? fetchInBackground : globalThis.fetch;
  return createOpenAI({ baseURL, apiKey, fetch }).responses(MODEL);
}

function toBackground(background: boolean) {
  return { modelSettings: { providerData: { background } } };
}

function createChatModel({ baseURL, apiKey }: FrameworkTarget, isBackground: boolean): ChatOpenAI {
  return new ChatOpenAI({
    model: MODEL,
    useResponsesApi: true,
    apiKey,
    maxRetries: 0,
    configuration: { baseURL },
    modelKwargs: isBackground ? { background: true } : {},
  });
}

/** Declares the claims for a target. */
export function describeFrameworks(target: FrameworkTarget): void {
  describe("the AI SDK", () => {
    const model = createAiModel(target, false);
    const execute = ({ a, b }: z.infer<typeof Numbers>) => a + b;
    const tools = { add: tool({ inputSchema: Numbers, execute }) };
    const loop = { tools, prompt: "1 + 2", stopWhen: stepCountIs(3) };
    const interpreter = { code_interpreter: createOpenAI().tools.codeInterpreter({}) };

    test("loops over a function tool", async () => {
      await scriptToolLoop(target);
      expect((await generateText({ ...loop, model })).text).toBe("It is 3.");
    });

    test.each(STREAMS)("streams a loop over a function tool, %s", async (_, isBackground) => {
      await scriptToolLoop(target);
      const stream = streamText({ ...loop, model: createAiModel(target, isBackground) });
      expect(await join(stream.textStream)).toBe("It is 3.");
    });

    test("gets structured output", async () => {
      const output = Output.object({ schema: Person });
      const done = await generateText({ model, output, prompt: "Who?" });
      expect(Person.safeParse(done.output).success).toBe(true);
    });

    test("gets the outputs of a code interpreter", async () => {
      const done = await generateText({ model, tools: interpreter, prompt: PYTHON });
      const outputs = done.toolResults.map((result) => result.output);
      expect(outputs).toMatchObject([{ outputs: PRINTED }]);
    });

    test.each(STREAMS)("streams the outputs of a code interpreter, %s", async (_, isBackground) => {
      const asked = {
        model: createAiModel(target, isBackground),
        tools: interpreter,
        prompt: PYTHON,
      };
      const results = await streamText(asked).toolResults;
      expect(results.map((result) => result.output)).toMatchObject([{ outputs: PRINTED }]);
    });
  });

  describe("the Agents SDK", () => {
    const modelProvider = new OpenAIProvider({ apiKey: target.apiKey, baseURL: target.baseURL });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const base = { name: "agent", instructions: "Answer.", model: MODEL };
    const add = toAgentTool({
      name: "add",
      description: "Adds numbers.",
      parameters: Numbers,
      execute: ({ a, b }) => String(a + b),
    });
    const interpreter = { ...base, tools: [codeInterpreterTool({ includeOutputs: true })] };

    test("loops over a function tool", async () => {
      await scriptToolLoop(target);
      const done = await runner.run(new Agent({ ...base, tools: [add] }), "1 + 2");
      expect(done.finalOutput).toBe("It is 3.");
    });

    test.each(STREAMS)("streams a loop over a function tool, %s", async (_, isBackground) => {
      await scriptToolLoop(target);
      const agent = new Agent({ ...base, ...toBackground(isBackground), tools: [add] });
      const done = await runner.run(agent, "1 + 2", { stream: true });
      expect(await join(done.toTextStream())).toBe("It is 3.");
    });

    test("calls a forced tool without a script", async () => {
      const forced = { ...base, tools: [add], modelSettings: { toolChoice: "required" } };
      const done = await runner.run(new Agent(forced), "1 + 2");
      const types = done.newItems.map(({ type }) => type);
      expect(types).toContain("tool_call_output_item");
      expect(types.at(-1)).toBe("message_output_item");
    });

    test("gets structured output", async () => {
      const done = await runner.run(new Agent({ ...base, outputType: Person }), "Who?");
      expect(Person.safeParse(done.finalOutput).success).toBe(true);
    });

    test("gets the outputs of a code interpreter", async () => {
      const done = await runner.run(new Agent(interpreter), PYTHON);
      expect(done.finalOutput).toMatch("ran one piece of Python");
      expect(listOutputs(done.newItems)).toEqual(PRINTED);
    });

    test.each(STREAMS)("streams the outputs of a code interpreter, %s", async (_, isBackground) => {
      const agent = new Agent({ ...interpreter, ...toBackground(isBackground) });
      const done = await runner.run(agent, PYTHON, { stream: true });
      await done.completed;
      expect(listOutputs(done.newItems)).toEqual(PRINTED);
    });
  });

  describe("LangChain", () => {
    const model = createChatModel(target, false);
    const add = toLangchainTool(({ a, b }) => String(a + b), { name: "add", schema: Numbers });
    const interpreter = {
      tools: [{ type: "code_interpreter" as const, container: { type: "auto" as const } }],
      include: [OUTPUTS],
    };

    test("loops over a function tool", async () => {
      await scriptToolLoop(target);
      const bound = model.bindTools([add]);
      const history: BaseMessage[] = [new HumanMessage("1 + 2")];
      const asked = await bound.invoke(history);
      history.push(asked);
      for (const call of asked.tool_calls ?? []) {
        history.push(await add.invoke({ ...call, type: "tool_call" }));
      }
      expect((await bound.invoke(history)).text).toBe("It is 3.");
    });

    test.each(STREAMS)("streams text, %s", async (_, isBackground) => {
      await target.emulator.addScript([{ text: "It is 3." }]);
      const chunks = await collect(await createChatModel(target, isBackground).stream("1 + 2"));
      expect(chunks.map(({ text }) => text).join("")).toBe("It is 3.");
    });

    test.each(["jsonSchema", "functionCalling"] as const)(
      "gets structured output by %s",
      async (method) => {
        const structured = model.withStructuredOutput(Person, { name: "person", method });
        expect(Person.safeParse(await structured.invoke("Who?")).success).toBe(true);
      },
    );

    test("gets the outputs of a code interpreter", async () => {
      const done = await model.invoke(PYTHON, interpreter);
      expect(done.text).toMatch("ran one piece of Python");
      expect(done.additional_kwargs["tool_outputs"]).toMatchObject([{ outputs: PRINTED }]);
    });

    test.each(STREAMS)("streams the outputs of a code interpreter, %s", async (_, isBackground) => {
      const chunks = await collect(
        await createChatModel(target, isBackground).stream(PYTHON, interpreter),
      );
      const items = chunks.flatMap((chunk) => chunk.additional_kwargs["tool_outputs"] ?? []);
      expect(items).toMatchObject([{ outputs: PRINTED }]);
    });
  });
}

/** What a run of the Agents SDK has of its code interpreter's outputs. */
function listOutputs(items: RunItem[]): unknown[] {
  return items.flatMap(
    ({ rawItem }) => CodeCall.safeParse(rawItem).data?.providerData.outputs ?? [],
  );
}

// The AI SDK has no option for it.
function fetchInBackground(
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1] = {},
): Promise<Response> {
  const body = z.looseObject({}).parse(JSON.parse(z.string().parse(init.body)));
  return fetch(input, { ...init, body: JSON.stringify({ ...body, background: true }) });
}

async function collect(stream: AsyncIterable<AIMessageChunk>): Promise<AIMessageChunk[]> {
  const chunks: AIMessageChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}
