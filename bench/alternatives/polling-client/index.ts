// The script of the report, https://community.openai.com/t/1372536: start a run, and ask once a second until it has ended.
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";

type Request = OpenAI.Responses.ResponseCreateParamsNonStreaming;

/**
 * Runs a request in background mode.
 * @param client OpenAI's client.
 * @param request What to run.
 */
export async function poll(client: OpenAI, request: Request): Promise<OpenAI.Responses.Response> {
  let response = await client.responses.create({ ...request, background: true });
  while (response.status === "queued" || response.status === "in_progress") {
    await sleep(1000);
    response = await client.responses.retrieve(response.id, {
      include: ["code_interpreter_call.outputs"],
    });
  }
  return response;
}
