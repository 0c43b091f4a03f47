/** The three frameworks that use the Responses API most, against scripts and unscripted answers. */
import { createOpenAI } from "@ai-sdk/openai";
import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { tool as toLangchainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import {
  Agent,
  codeInterpreterTool,
  OpenAIProvider,
  Runner,
  tool as toAgentTool,
} from "@openai/agents";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { startTestEmulator } from "./setup.ts";

const { url, script } = await startTestEmulator({
  queueSeconds: 0,
  runSeconds: 0,
  interpreters: 0,
  requestChecks: "deep",
});

const MODEL = "gpt-5.2";
const baseURL = `${url}/v1`;
const Numbers = z.object({ a: z.number(), b: z.number() });
const Person = z.object({ name: z.string(), age: z.int().min(18) });
const PYTHON = "Run Python that prints exactly: OK";

/** Scripts a call of the function `add`, and the answer after its output. */
function scriptToolLoop(): void {
  const call = { function_call: { name: "add", arguments: { a: 1, b: 2 } } };
  script({ match: { turn: 0 }, then: [{ reasoning: "I add." }, call] });
  script({ match: { turn: 1 }, then: [{ text: "It is 3." }] });
}

async function join(texts: AsyncIterable<string>): Promise<string> {
  let joined = "";
  for await (const text of texts) joined += text;
  return joined;
}

describe("the AI SDK", () => {
  const openai = createOpenAI({ baseURL, apiKey: "sk-test" });
  const model = openai.responses(MODEL);
  const execute = ({ a, b }: z.infer<typeof Numbers>) => a + b;
  const tools = { add: tool({ inputSchema: Numbers, execute }) };
  const loop = { model, tools, prompt: "1 + 2", stopWhen: stepCountIs(3) };

  test("loops over a function tool", async () => {
    scriptToolLoop();
    expect((await generateText(loop)).text).toBe("It is 3.");
  });

  test("streams a loop over a function tool", async () => {
    scriptToolLoop();
    expect(await join(streamText(loop).textStream)).toBe("It is 3.");
  });

  test("gets structured output", async () => {
    const output = Output.object({ schema: Person });
    const done = await generateText({ model, output, prompt: "Who?" });
    expect(Person.safeParse(done.output).success).toBe(true);
  });

  test("gets the outputs of a code interpreter", async () => {
    const interpreter = { code_interpreter: openai.tools.codeInterpreter({}) };
    const done = await generateText({ model, tools: interpreter, prompt: PYTHON });
    const outputs = done.toolResults.map((result) => result.output);
    expect(outputs).toMatchObject([{ outputs: [{ type: "logs", logs: "OK\n" }] }]);
  });
});

describe("the Agents SDK", () => {
  const modelProvider = new OpenAIProvider({ apiKey: "sk-test", baseURL });
  const runner = new Runner({ modelProvider, tracingDisabled: true });
  const base = { name: "agent", instructions: "Answer.", model: MODEL };
  const add = toAgentTool({
    name: "add",
    description: "Adds numbers.",
    parameters: Numbers,
    execute: ({ a, b }) => String(a + b),
  });

  test("loops over a function tool", async () => {
    scriptToolLoop();
    const done = await runner.run(new Agent({ ...base, tools: [add] }), "1 + 2");
    expect(done.finalOutput).toBe("It is 3.");
  });

  test("streams a loop over a function tool", async () => {
    scriptToolLoop();
    const agent = new Agent({ ...base, tools: [add] });
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

  test("calls a code interpreter", async () => {
    const agent = new Agent({ ...base, tools: [codeInterpreterTool()] });
    const done = await runner.run(agent, PYTHON);
    expect(done.finalOutput).toMatch("ran one piece of Python");
  });
});

describe("LangChain", () => {
  const model = new ChatOpenAI({
    model: MODEL,
    useResponsesApi: true,
    apiKey: "sk-test",
    maxRetries: 0,
    configuration: { baseURL },
  });
  const add = toLangchainTool(({ a, b }) => String(a + b), { name: "add", schema: Numbers });

  test("loops over a function tool", async () => {
    scriptToolLoop();
    const bound = model.bindTools([add]);
    const history: BaseMessage[] = [new HumanMessage("1 + 2")];
    const asked = await bound.invoke(history);
    history.push(asked);
    for (const call of asked.tool_calls ?? []) {
      history.push(await add.invoke({ ...call, type: "tool_call" }));
    }
    expect((await bound.invoke(history)).text).toBe("It is 3.");
  });

  test("streams text", async () => {
    script({ then: [{ text: "It is 3." }] });
    let text = "";
    for await (const chunk of await model.stream("1 + 2")) text += chunk.text;
    expect(text).toBe("It is 3.");
  });

  test.each(["jsonSchema", "functionCalling"] as const)(
    "gets structured output by %s",
    async (method) => {
      const structured = model.withStructuredOutput(Person, { name: "person", method });
      expect(Person.safeParse(await structured.invoke("Who?")).success).toBe(true);
    },
  );

  test("calls a code interpreter", async () => {
    const tools = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];
    const done = await model.invoke(PYTHON, { tools });
    expect(done.text).toMatch("ran one piece of Python");
  });
});
