// Response ids in URLs.
import { Problem } from "../../errors.ts";
import { ID_RULE, toShownId } from "../../openai/created-response.ts";
import { RESPONSE_ID } from "../../openai/response.ts";

/**
 * Checks an id from a URL.
 * @throws Problem 404 when it can't be a response's id.
 */
export function parseResponseId(id: string | undefined): string {
  if (id !== undefined && RESPONSE_ID.test(id)) return id;
  const shown = toShownId(id ?? "");
  const message = `This is not the id of a response: "${shown}". An id has ${ID_RULE}; GET /results lists the recorded ones.`;
  throw new Problem("not_found", message);
}
