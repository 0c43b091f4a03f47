import type { Context } from "hono";
import * as z from "zod";
import { notFound } from "../errors.ts";
import { validate } from "../validation.ts";

const PageQuery = z.object({
  after: z.string().optional(),
  order: z.enum(["asc", "desc"]).default("desc"),
});

interface PageLimits {
  maxLimit: number;
  defaultLimit: number;
}

/** The limits of most lists. */
const PAGE_LIMITS: PageLimits = { maxLimit: 100, defaultLimit: 20 };

interface Page<T> {
  object: "list";
  data: T[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** Returns the page of a list that the query asks for. `list` is ordered oldest first. */
export function paginate<T extends { id: string }>(
  c: Context,
  list: readonly T[],
  { maxLimit, defaultLimit }: PageLimits = PAGE_LIMITS,
): Page<T> {
  const query = PageQuery.extend({
    limit: z.coerce.number().int().min(1).max(maxLimit).default(defaultLimit),
  });
  const { after, limit, order } = validate(query, { ...c.req.query() });
  const sorted = order === "asc" ? [...list] : [...list].toReversed();
  const start = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) throw notFound("Item", after);
  const end = start + limit;
  return toPage(sorted.slice(start, end), { hasMore: end < sorted.length });
}

export function toPage<T extends { id: string }>(
  data: T[],
  { hasMore }: { hasMore: boolean },
): Page<T> {
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}
