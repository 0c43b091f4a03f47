// The script of the bug report, https://community.openai.com/t/1372536: it starts a run, and retrieves it once a second until it has ended.
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";

const POLL_INTERVAL_MS = 1000;

type CreateParams = OpenAI.Responses.ResponseCreateParamsNonStreaming;

/** Runs a request in background mode; gives the response once it has ended. */
export async function runByPolling(
  client: OpenAI,
  params: CreateParams,
): Promise<OpenAI.Responses.Response> {
  let response = await client.responses.create({ ...params, background: true });
  while (response.status === "queued" || response.status === "in_progress") {
    await sleep(POLL_INTERVAL_MS);
    response = await client.responses.retrieve(response.id, {
      include: ["code_interpreter_call.outputs"],
    });
  }
  return response;
}
