// Fills the form of a new run, from a run or from the URL.
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { parseQuery, TriggerQuery } from "../../api/queries.ts";
import { prefill, type Prefill } from "../../api/trigger-prefill.ts";
import { Problem } from "../../errors.ts";
import { findRun } from "../../objects/recorder/client.ts";
import type { App } from "../middleware/auth.ts";
import { parseResponseId } from "./response-id.ts";
import { orNotFound } from "./results.ts";

/** The filled form; with a problem when no run can be read under the id that it asks for. */
export type FilledForm = Prefill & {
  status: ContentfulStatusCode;
  from?: string;
  problem?: Problem;
};

/**
 * Fills the form as the query says. Nothing is started.
 * @throws Problem 400 for a query that can't be used.
 */
export async function fillForm(c: Context<App>): Promise<FilledForm> {
  const query = parseQuery(TriggerQuery, c.req.query());
  if (query.from === undefined) return { ...prefill(null, query), status: 200 };
  try {
    const id = parseResponseId(query.from);
    const { known } = orNotFound(await findRun(c.env, id), id);
    return { ...prefill(known, query), status: 200, from: id };
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return { ...prefill(null, query), status: problem.status, problem };
  }
}
