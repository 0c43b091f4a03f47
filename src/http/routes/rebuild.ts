// Makes the Catalog again, when it was lost.
import type { Context } from "hono";
import { parseQuery, RebuildQuery } from "../../api/queries.ts";
import { withLog } from "../../log.ts";
import { rebuildPage } from "../../objects/rebuild-catalog.ts";
import type { App } from "../middleware/auth.ts";

/**
 * Lists one page of the stored records again.
 * @throws Problem 400 for a query that can't be used.
 */
export async function rebuildCatalog(c: Context<App>): Promise<Response> {
  const { cursor = null, limit } = parseQuery(RebuildQuery, c.req.query());
  const page = await withLog(
    "rebuild_catalog",
    {},
    () => rebuildPage(c.env, cursor, limit),
    ({ listed, failed }) => ({ listed, failed: failed.length }),
  );
  return c.json(page);
}
