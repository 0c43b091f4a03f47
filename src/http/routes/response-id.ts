// Response ids as they come in from outside.
import { RESPONSE_ID } from "../../openai/created-response.ts";
import { Problem } from "../../errors.ts";

/**
 * Checks an id from a URL.
 * @param id What stood in the path.
 * @throws Problem 404 when it can't be a response's id.
 */
export function responseId(id: string | undefined): string {
  if (id !== undefined && RESPONSE_ID.test(id)) return id;
  throw new Problem(
    404,
    "unknown_response",
    "That is not the id of a response. Ids begin with resp_.",
  );
}
