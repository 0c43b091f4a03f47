// Response ids in URLs.
import { Problem } from "../../errors.ts";
import { RESPONSE_ID } from "../../openai/response.ts";

/**
 * Checks an id from a URL.
 * @throws Problem 404 when it can't be a response's id.
 */
export function parseResponseId(id: string | undefined): string {
  if (id !== undefined && RESPONSE_ID.test(id)) return id;
  throw new Problem("not_found", "This is not the id of a response. Ids begin with resp_.");
}
