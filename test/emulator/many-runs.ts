import type OpenAI from "openai";

export interface ManyRuns {
  count: number;
  /** Characters of each input. */
  inputLength?: number;
}

/** Creates background, foreground and streamed responses without Python, ten at a time. Returns their ids once all have ended. */
export async function startRuns(
  client: OpenAI,
  { count, inputLength = 10 }: ManyRuns,
): Promise<string[]> {
  const ids: string[] = [];
  const input = "x".repeat(inputLength);
  while (ids.length < count) {
    const batch = Array.from({ length: Math.min(10, count - ids.length) }, (_, index) =>
      index % 2 === 0 ? createPlain(client, input) : createStreamed(client, input),
    );
    ids.push(...(await Promise.all(batch)));
  }
  return ids;
}

async function createPlain(client: OpenAI, input: string): Promise<string> {
  const { id } = await client.responses.create({ model: "gpt-5.2", input });
  return id;
}

async function createStreamed(client: OpenAI, input: string): Promise<string> {
  const params = { model: "gpt-5.2", input, background: true, stream: true } as const;
  let id = "";
  for await (const event of await client.responses.create(params)) {
    if (event.type === "response.created") id = event.response.id;
  }
  return id;
}
