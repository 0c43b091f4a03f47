// Reads the first response object of a new run, and says of one that can't be recorded which it is.
import * as z from "zod";
import { withoutKeys } from "./api-failure.ts";
import { CreatedResponse, RESPONSE_ID } from "./response.ts";

const MAX_SHOWN_LENGTH = 100;
const Named = z.looseObject({ id: z.union([z.string(), z.number(), z.boolean()]) });

/** What an id of a response is made of. */
export const ID_RULE = "1 to 300 letters, digits and characters of _ . = -";

/** The answer to a create is no response that can be recorded. */
export class UnusableResponse extends Error {
  /** The id that the answer has, ready to be shown; null when it has none. */
  readonly id: string | null;

  constructor(message: string, id: string | null) {
    super(message);
    this.id = id;
  }
}

/**
 * Reads the first answer to a create.
 * @param answer Parsed JSON.
 * @throws UnusableResponse when it can't be recorded.
 */
export function readCreatedResponse(answer: unknown): CreatedResponse {
  const { data } = CreatedResponse.safeParse(answer);
  if (data !== undefined) return data;
  const id = Named.safeParse(answer).data?.id ?? null;
  if (id === null) throw new UnusableResponse("OpenAI's answer was not a response object.", null);
  const shown = toShownId(id);
  const isFit = typeof id === "string" && RESPONSE_ID.test(id);
  const why = isFit
    ? `OpenAI's answer names ${shown}, and is no response object. POST /results/${shown}/refetch records the response if it exists.`
    : `OpenAI, or the gateway before it, calls the response "${shown}", which the recorder can't record: an id has ${ID_RULE}. Look for it there, and cancel it before retrying.`;
  throw new UnusableResponse(`${why} It may run, and each retry is billed.`, shown);
}

/** An id from outside as an error names it: short, and without characters that are not to be seen. */
export function toShownId(id: unknown): string {
  const text = typeof id === "string" ? id : (JSON.stringify(id) ?? "");
  const visible = withoutKeys(text.slice(0, MAX_SHOWN_LENGTH)).replaceAll(/[^\x20-\x7e]/g, "?");
  return text.length > MAX_SHOWN_LENGTH ? `${visible}… (${text.length} characters)` : visible;
}
