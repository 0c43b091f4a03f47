/** The response objects that clients get. */
import { ApiError } from "../errors.ts";
import type { State } from "../state.ts";
import { toResponse } from "./representation.ts";
import type { Run } from "./run.ts";

type Body = Record<string, unknown>;

/** The response as a client sees it who sent these values of `include`. */
export function toVisibleResponse(
  { settings }: State,
  run: Run,
  included: ReadonlySet<string>,
): Body {
  const response = toResponse(run, run.createView("response", included));
  const hidesProgress = run.endedAt === null && settings.progressOutput === "empty";
  return hidesProgress ? { ...response, output: [] } : response;
}

/** The response of a GET. The first ones after the end may still lack something, as the settings say. */
export function retrieveResponse(state: State, run: Run, included: ReadonlySet<string>): Body {
  const response = toVisibleResponse(state, run, included);
  if (run.endedAt === null) return response;
  const { staleReads, partialReads, partialSeconds } = state.settings;
  const readNumber = run.readsAfterEnd++;
  if (readNumber < staleReads) return toUnfinished(response);
  const isPartial =
    readNumber < staleReads + partialReads || Date.now() < run.endedAt + partialSeconds * 1000;
  if (!isPartial) return response;
  const { output } = response;
  return { ...response, output: Array.isArray(output) ? output.slice(0, -1) : [] };
}

function toUnfinished(response: Body): Body {
  const unset = { completed_at: null, error: null, incomplete_details: null, usage: null };
  return { ...response, ...unset, status: "in_progress", output: [] };
}

/** Rejects replaying a stream that the API does not have. Reported: after some minutes it is gone. https://github.com/openai/openai-python/issues/2828 */
export function assertReplayable(
  { settings }: State,
  { params, background, createdAt }: Run,
): void {
  if (!background || !params.stream) {
    const message =
      "This response cannot be streamed because it was not created with background=true.";
    throw new ApiError(400, message, { param: "stream" });
  }
  const { replayMinutes } = settings;
  if (replayMinutes === null || Date.now() < (createdAt + replayMinutes * 60) * 1000) return;
  const age = `it is more than ${replayMinutes} minutes old`;
  throw new ApiError(400, `This response can no longer be streamed because ${age}`);
}
