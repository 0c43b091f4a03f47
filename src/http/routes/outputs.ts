// What code printed, as text.
import type { Context } from "hono";
import { answerOutputs } from "../../api/answers/outputs.ts";
import { OutputsQuery, parseQuery } from "../../api/queries.ts";
import { toStdout } from "../../api/answers/representation.ts";
import { Problem } from "../../errors.ts";
import { readRun } from "../../objects/recorder/client.ts";
import type { App } from "../middleware/auth.ts";
import { parseResponseId } from "./response-id.ts";
import { orNotFound, representRecord } from "./results.ts";

/**
 * What the code of a run, of one call or of the control printed, call after call.
 * @throws Problem 409 `outputs_missing` when outputs are known to be missing; 404 `not_finished` before the response's end, `not_stored` when the outputs were too large or there is no control.
 */
export async function getOutputs(c: Context<App>): Promise<Response> {
  const id = parseResponseId(c.req.param("id"));
  const query = parseQuery(OutputsQuery, c.req.query());
  const { wait: waitSeconds = 0, until = "readable" } = query;
  const read = await readRun(
    c.env,
    id,
    async (found) => {
      const { calls, controlCalls } = await representRecord(c.env, found);
      const { known: record, retryAfterSeconds } = found;
      return answerOutputs({ record, calls, controlCalls, retryAfterSeconds }, query);
    },
    { waitSeconds, until },
  );
  const { verdict, answer } = orNotFound(read, id);
  c.header("x-verdict", verdict);
  if (answer instanceof Problem) throw answer;
  return c.body(toStdout(answer), 200, { "content-type": "text/plain; charset=utf-8" });
}
