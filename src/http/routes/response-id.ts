// Response ids in URLs.
import { Problem } from "../../errors.ts";
import { RESPONSE_ID } from "../../openai/response.ts";

/**
 * Checks an id from a URL.
 * @throws Problem 404 when it can't be a response's id.
 */
export function parseResponseId(id: string | undefined): string {
  if (id !== undefined && RESPONSE_ID.test(id)) return id;
  const message =
    "This is not the id of a response: an id has 1 to 300 letters, digits and characters of _ . = -";
  throw new Problem("not_found", message);
}
