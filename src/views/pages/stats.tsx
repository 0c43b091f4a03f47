// The statistics as a page. Every number of runs leads to the list of these runs.
import type { Child } from "hono/jsx";
import { countOf, type Stats } from "../../api/answers/stats.ts";
import { RunVerdict } from "../../record/schema.ts";
import { DataTable } from "../components/figures/data-table.tsx";
import { DayChart } from "../components/figures/day-chart.tsx";
import { Layout } from "../components/layout.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { formatCount, formatDuration, formatShare } from "../text/format.ts";
import { RUN_VERDICTS, toWords } from "../text/labels.ts";

/** The periods that the page offers, in days. */
const PERIODS = [7, 30, 90, 365];

/** Filters of the list. */
type Filter = { verdict?: RunVerdict; model?: string; since?: string; until?: string };

/** The page of the statistics. */
export function StatsPage({ stats }: { stats: Stats }) {
  return (
    <Layout title="Stats" current="stats">
      <div class="row page-heading">
        <h1>Stats</h1>
        <Periods days={stats.days} />
      </div>
      <p>
        Runs whose recording began from {stats.since} to {stats.until}, in UTC, and that are still
        kept.
      </p>
      <Summary stats={stats} />
      <section class="card" aria-labelledby="days">
        <h2 id="days">Days</h2>
        <DayChart days={stats.by_day} />
        <DayTable stats={stats} />
      </section>
      <section class="card" aria-labelledby="verdicts">
        <h2 id="verdicts">Verdicts</h2>
        <VerdictTable stats={stats} />
      </section>
      <section class="card" aria-labelledby="models">
        <h2 id="models">Models</h2>
        <ModelTable stats={stats} />
      </section>
    </Layout>
  );
}

function Periods({ days }: { days: number }) {
  return (
    <nav class="periods" aria-label="Period">
      {PERIODS.map((period) => (
        <a href={`/stats?days=${period}`} aria-current={period === days ? "page" : undefined}>
          {period} days
        </a>
      ))}
    </nav>
  );
}

function Summary({ stats }: { stats: Stats }) {
  const { readable, tokens, since, until } = stats;
  return (
    <dl class="properties">
      <Figure name="Runs">
        <RunCount runs={stats.runs} filter={{ since, until }} />
      </Figure>
      <Figure name="Lost">
        <ShareOfRuns stats={stats} verdict="lost" share={stats.lost_share} />
      </Figure>
      <Figure name="Suspect">
        <ShareOfRuns stats={stats} verdict="suspect" share={stats.suspect_share} />
      </Figure>
      <Figure name="From the end to readable">
        {readable.p50_ms === null || readable.p95_ms === null ? (
          "–"
        ) : (
          <>
            {formatDuration(readable.p50_ms)}{" "}
            <span class="muted">median, {formatDuration(readable.p95_ms)} at p95</span>
          </>
        )}
      </Figure>
      <Figure name="Tokens">{formatCount(tokens.total)}</Figure>
      <Figure name="Input tokens">
        {formatCount(tokens.input)} <span class="muted">{formatCount(tokens.cached)} cached</span>
      </Figure>
      <Figure name="Output tokens">
        {formatCount(tokens.output)}{" "}
        <span class="muted">{formatCount(tokens.reasoning)} reasoning</span>
      </Figure>
      <Figure name="Runs with tokens">{formatCount(tokens.runs)}</Figure>
    </dl>
  );
}

function Figure(props: { name: string; children: Child }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function ShareOfRuns(props: { stats: Stats; verdict: RunVerdict; share: number | null }) {
  const { stats, verdict, share } = props;
  const { since, until, runs_with_calls: runs } = stats;
  return (
    <>
      <RunCount runs={countOf(stats, verdict)} filter={{ verdict, since, until }} />{" "}
      <span class="muted">
        of {formatCount(runs)} with calls{share === null ? "" : `, ${formatShare(share)}`}
      </span>
    </>
  );
}

function DayTable({ stats }: { stats: Stats }) {
  const days = stats.by_day.filter(({ runs }) => runs > 0).toReversed();
  if (days.length === 0) return <p>No run was recorded.</p>;
  return (
    <DataTable
      caption="Days with runs, the newest first"
      columns={["Day", ...RUN_COLUMNS, "Tokens"]}
      isNumeric
    >
      {days.map(({ day, ...counts }) => (
        <tr>
          <th class="day" scope="row">
            {day}
          </th>
          <RunCells counts={counts} filter={{ since: day, until: day }} />
          <td>{formatCount(counts.tokens.total)}</td>
        </tr>
      ))}
    </DataTable>
  );
}

function VerdictTable({ stats }: { stats: Stats }) {
  const { since, until } = stats;
  const verdicts = RunVerdict.options
    .filter((verdict) => countOf(stats, verdict) > 0)
    .toSorted((a, b) => countOf(stats, b) - countOf(stats, a));
  if (verdicts.length === 0) return <p>No run was recorded.</p>;
  return (
    <DataTable caption="Runs by verdict" columns={["Verdict", "Runs", "Share"]} isNumeric>
      {verdicts.map((verdict) => (
        <tr>
          <th scope="row" title={RUN_VERDICTS[verdict].title}>
            {toWords(verdict)}
          </th>
          <td>
            <RunCount runs={countOf(stats, verdict)} filter={{ verdict, since, until }} />
          </td>
          <td>{formatShare(countOf(stats, verdict) / stats.runs)}</td>
        </tr>
      ))}
    </DataTable>
  );
}

function ModelTable({ stats }: { stats: Stats }) {
  const { since, until, by_model: models, other_models: others } = stats;
  if (models.length === 0) return <p>No run was recorded.</p>;
  const columns = ["Model", ...RUN_COLUMNS, "Input", "Output", "Tokens"];
  return (
    <>
      <DataTable caption="Runs and tokens by model" columns={columns} isNumeric>
        {models.map(({ model, ...counts }) => (
          <tr>
            <th class="name" scope="row">
              <IsolatedText text={model ?? "unknown"} />
            </th>
            {/* No filter of the list finds the runs without a model. */}
            <RunCells counts={counts} filter={model === null ? null : { model, since, until }} />
            <td>{formatCount(counts.tokens.input)}</td>
            <td>{formatCount(counts.tokens.output)}</td>
            <td>{formatCount(counts.tokens.total)}</td>
          </tr>
        ))}
      </DataTable>
      {others === 0 ? null : <p>{formatCount(others)} models with fewer runs are left out.</p>}
    </>
  );
}

const RUN_COLUMNS = ["Runs", "Lost", "Suspect"];

function RunCells(props: { counts: Pick<Stats, "runs" | "verdicts">; filter: Filter | null }) {
  const { counts, filter } = props;
  const toFilter = (verdict: RunVerdict) => (filter === null ? null : { ...filter, verdict });
  return (
    <>
      <td>
        <RunCount runs={counts.runs} filter={filter} />
      </td>
      <td>
        <RunCount runs={countOf(counts, "lost")} filter={toFilter("lost")} />
      </td>
      <td>
        <RunCount runs={countOf(counts, "suspect")} filter={toFilter("suspect")} />
      </td>
    </>
  );
}

// A link to no runs leads nowhere.
function RunCount(props: { runs: number; filter: Filter | null }) {
  const text = formatCount(props.runs);
  if (props.filter === null || props.runs === 0) return <>{text}</>;
  return <a href={`/results?${new URLSearchParams(props.filter).toString()}`}>{text}</a>;
}
