/** Reading requests and writing lists: what several routes share. */
import type { Context } from "hono";
import * as z from "zod";
import { ApiError, notFound } from "../errors.ts";
import { validate } from "../responses/create-params.ts";

/** The request's JSON; an absent body is an empty object. */
export async function parseJsonBody(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "We could not parse the JSON body of your request.");
  }
}

/** The fields of a multipart body, or of a JSON one. */
export async function parseFormBody(c: Context): Promise<unknown> {
  if (c.req.header("content-type")?.includes("json")) return parseJsonBody(c);
  return c.req.parseBody().catch(() => {
    throw new ApiError(400, "We could not parse the multipart body of your request.");
  });
}

/** Answers with the bytes of a file. */
export function sendBytes(c: Context, bytes: Uint8Array<ArrayBuffer>): Response {
  return c.body(bytes, 200, { "content-type": "application/octet-stream" });
}

/** The values of `include`, `include[]` and `include[0]`. */
export function getIncludeValues(c: Context): string[] {
  const queries = Object.entries(c.req.queries());
  return queries.filter(([key]) => /^include(\[\d*\])?$/.test(key)).flatMap(([, values]) => values);
}

const PageQuery = z.object({
  after: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
});

interface Page<T> {
  object: "list";
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** The page of a list that the query asks for. The list comes oldest first. */
export function paginate<T extends { id: string }>(c: Context, list: readonly T[]): Page<T> {
  const { after, limit, order } = validate(PageQuery, { ...c.req.query() });
  const sorted = order === "asc" ? [...list] : [...list].toReversed();
  const start = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) throw notFound("Item", after);
  const data = sorted.slice(start, start + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < sorted.length,
  };
}
