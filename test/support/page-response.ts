import { toPageResponse, type PageResponse } from "../../src/api/answers/page-response.ts";
import { arrayElements, findMember } from "../../src/lib/json-scan.ts";

/** What a page shows of a response that has all that the recorder has. */
export function readPageResponse(response: Uint8Array | null): PageResponse {
  const output = response === null ? undefined : findMember(response, "output");
  return toPageResponse(response, arrayElements(output));
}
