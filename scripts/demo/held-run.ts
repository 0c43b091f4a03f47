// The same request as unchanged SDK code sends it: `background: true`, to the recorder's /v1, and polled until its end.
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { LocalStack } from "../local-stack.ts";
import { createEventPrinter, printCalls, printVerdict } from "./print.ts";
import { callWorker, fetchRecord } from "./worker-client.ts";

const POLL_INTERVAL_MS = 150;
/** The longest that `GET /results/:id` waits. */
const MAX_WAIT_SECONDS = 60;
const IN_FLIGHT = ["queued", "in_progress"];

const CodeCall = z.object({
  type: z.literal("code_interpreter_call"),
  code: z.string().nullable(),
  outputs: z.array(z.looseObject({ type: z.string(), logs: z.string().optional() })).nullable(),
});
const OpenAIResponse = z.object({
  id: z.string(),
  status: z.string(),
  output: z.array(z.unknown()),
});
type OpenAIResponse = z.infer<typeof OpenAIResponse>;

/**
 * Runs a request through /v1 and prints its progress, until its record is stored.
 * @param request Responses create parameters.
 * @returns What its code printed.
 */
export async function runHeld(
  stack: LocalStack,
  request: Record<string, unknown>,
): Promise<string> {
  const created = OpenAIResponse.parse(
    await callWorker(stack, "/v1/responses", { ...request, background: true }),
  );
  const printEvent = createEventPrinter();
  printEvent("created", created.id);
  printEvent(toWords(created.status));
  let response = created;
  while (IN_FLIGHT.includes(response.status)) {
    await sleep(POLL_INTERVAL_MS);
    const next = await retrieve(stack, created.id);
    if (next.status !== response.status) printEvent(toWords(next.status));
    response = next;
  }
  const record = await fetchRecord(stack, created.id, MAX_WAIT_SECONDS);
  if (record.recorded_at === null) throw new Error(`${created.id} ended and was not stored.`);
  printEvent("stored", record.verdict);
  const items = response.output.map((item) => CodeCall.safeParse(item).data);
  const calls = items.filter((item) => item !== undefined);
  printCalls("through /v1", calls);
  printVerdict(record);
  return calls.flatMap(({ outputs }) => outputs?.map(({ logs }) => logs ?? "") ?? []).join("");
}

async function retrieve(stack: LocalStack, id: string): Promise<OpenAIResponse> {
  const path = `/v1/responses/${id}?include[]=code_interpreter_call.outputs`;
  return OpenAIResponse.parse(await callWorker(stack, path));
}

function toWords(status: string): string {
  return status.replace("_", " ");
}
