// The list without rows: what that means, and what to do.
import { toFilterParams, type ListQuery } from "../../api/queries.ts";
import { IsolatedText } from "../components/safe-text.tsx";
import { ForWriters } from "../components/write-access.tsx";
import { describeFilter, toPageUrl } from "../text/list-filters.ts";

const CURL_POST = `curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN"`;

/** The list before the first run. */
export function FirstUse(props: { url: string }) {
  return (
    <div class="card empty-state">
      <h2>Nothing is recorded yet</h2>
      <p>
        Start a run, and it appears here with the outputs of its code. Responses that other programs
        start in the same OpenAI project appear when their webhooks arrive.
      </p>
      <ForWriters>
        <p>
          <a class="button primary" href="/trigger">
            Start the first run
          </a>
        </p>
        <p>Or from a shell:</p>
        <pre class="preformatted" tabindex={0} role="group" aria-label="The request as curl">
          <code id="first-command">{`${CURL_POST} ${props.url}/trigger`}</code>
        </pre>
        <button type="button" data-copy="first-command" hidden>
          Copy
        </button>
      </ForWriters>
    </div>
  );
}

/** A page without rows: of a filter that no run matches, or after the last run. */
export function NoRows({ query }: { query: ListQuery }) {
  const filters = toFilterParams(query);
  if (query.cursor !== undefined) {
    return (
      <div class="card empty-state">
        <p>There are no older runs.</p>
        <a class="button" href={toPageUrl(query, null)}>
          Show the newest
        </a>
      </div>
    );
  }
  return (
    <div class="card empty-state">
      <p>
        No run matches <IsolatedText text={filters.map(describeFilter).join(", ")} />.
      </p>
      <a class="button" href="/results">
        Clear all filters
      </a>
    </div>
  );
}
