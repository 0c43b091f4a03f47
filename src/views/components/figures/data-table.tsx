// A table that scrolls by itself when it is wider than the page.
import type { Child } from "hono/jsx";

/**
 * A table.
 * @param props `isNumeric`: all columns but the first contain numbers.
 */
export function DataTable(props: {
  caption: string;
  columns: string[];
  isNumeric?: boolean;
  children: Child;
}) {
  return (
    <div
      class={props.isNumeric === true ? "data-table numbers" : "data-table"}
      tabindex={0}
      role="group"
      aria-label={props.caption}
    >
      <table>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
