// What the list is filtered by: the verdicts with their counts, and the filters in use with a way to remove each.
import { toFilterParams, type ListQuery } from "../../api/queries.ts";
import type { Overview } from "../../objects/catalog/row.ts";
import { RunVerdict } from "../../record/schema.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { RUN_VERDICTS, toWords } from "../text/labels.ts";
import { describeFilter, toFilteredUrl } from "../text/list-filters.ts";
import { listVerdicts } from "../text/run-counts.ts";

/** The verdicts as links, each with the number of its runs. */
export function VerdictLinks(props: { query: ListQuery; overview: Overview | null }) {
  const { query, overview } = props;
  const verdicts = listVerdicts(RunVerdict.options, overview, query.verdict);
  return (
    <nav class="verdicts" aria-label="Verdicts">
      <a
        class="chip neutral"
        href={toFilteredUrl(query, "verdict", null)}
        aria-current={query.verdict === undefined ? "true" : undefined}
      >
        all
      </a>
      {verdicts.map(({ verdict, count }) => (
        <a
          class={`chip ${RUN_VERDICTS[verdict].tone}`}
          href={toFilteredUrl(query, "verdict", verdict)}
          title={RUN_VERDICTS[verdict].title}
          aria-current={query.verdict === verdict ? "true" : undefined}
        >
          {toWords(verdict)} <b>{count}</b>
        </a>
      ))}
    </nav>
  );
}

/** The filters in use; each link removes one. Nothing when there are none. */
export function ActiveFilters({ query }: { query: ListQuery }) {
  const filters = toFilterParams(query);
  if (filters.length === 0) return null;
  return (
    <ul class="active-filters" aria-label="Filters in use">
      {filters.map((filter) => (
        <li>
          <a
            href={toFilteredUrl(query, filter[0], null)}
            aria-label={`Remove the filter ${describeFilter(filter)}`}
          >
            <IsolatedText text={describeFilter(filter)} />
            <span aria-hidden="true">×</span>
          </a>
        </li>
      ))}
      <li>
        <a class="clear" href="/results">
          Clear all
        </a>
      </li>
    </ul>
  );
}
