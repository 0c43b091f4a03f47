// The requests whose responses the benchmark records.
const MODEL = "gpt-5.2";
const TOOLS = [{ type: "code_interpreter" as const, container: { type: "auto" as const } }];

export type PrintRequest = ReturnType<typeof createPrintRequest>;

/** Creates a request whose Python prints the number, in a run of so many seconds. */
export function createPrintRequest(n: number, runSeconds = 0) {
  return createCodeRequest(`print("number ${n}")`, runSeconds);
}

/** Creates a request whose Python prints so many bytes, in a run of so many seconds. */
export function createPrintBytesRequest(bytes: number, runSeconds = 0) {
  return createCodeRequest(`print("x" * ${bytes}, end="")`, runSeconds);
}

function createCodeRequest(code: string, runSeconds: number) {
  const input = `emulator: run ${runSeconds} seconds\n\`\`\`python\n${code}\n\`\`\``;
  return { model: MODEL, input, tools: TOOLS };
}
