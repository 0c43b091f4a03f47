// Creates the Catalog's tables.
import * as z from "zod";
import { listColumns, TABLES } from "./tables.ts";

const Column = z.object({ name: z.string() });

/** Creates the tables that are missing, and adds the columns that a table of an older version lacks. */
export function createTables(sql: SqlStorage): void {
  for (const statement of TABLES) sql.exec(statement);
  const rows = sql.exec("PRAGMA table_info(runs)").toArray();
  const present = new Set(rows.map((row) => Column.parse(row).name));
  for (const column of listColumns()) {
    const [name = ""] = column.split(" ");
    if (!present.has(name)) sql.exec(`ALTER TABLE runs ADD COLUMN ${column}`);
  }
}
