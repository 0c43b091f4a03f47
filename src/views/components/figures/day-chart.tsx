// A chart of days as bars: all runs, and of them the suspect and the lost ones. The table of days has the same numbers.
import { countOf, type Stats } from "../../../api/answers/stats.ts";
import { formatCount } from "../../text/format.ts";

type Day = Stats["by_day"][number];

/** Pixels from the top to the bars' highest point, and to the line under them. */
const TOP = 20;
const BASE = 180;
const HEIGHT = 204;
/** The part of a day's width that its bar has. */
const BAR_WIDTH = 0.7;

/** The chart of days. */
export function DayChart({ days }: { days: Day[] }) {
  const most = Math.max(...days.map(({ runs }) => runs), 1);
  const toHeight = (runs: number) => (runs / most) * (BASE - TOP);
  return (
    <figure class="day-chart">
      <svg width="100%" height={HEIGHT} role="img" aria-labelledby="chart-title chart-text">
        <title id="chart-title">Runs by day</title>
        <desc id="chart-text">{describe(days)}</desc>
        <line class="grid-line" x1="0" x2="100%" y1={TOP} y2={TOP} />
        <text x="0" y={TOP - 6}>
          {formatCount(most)}
        </text>
        {days.map((day, index) => (
          <Bar day={day} x={index / days.length} width={1 / days.length} toHeight={toHeight} />
        ))}
        <line class="base-line" x1="0" x2="100%" y1={BASE} y2={BASE} />
        <text x="0" y={HEIGHT - 6}>
          {days.at(0)?.day}
        </text>
        <text x="100%" y={HEIGHT - 6} text-anchor="end">
          {days.at(-1)?.day}
        </text>
      </svg>
      <figcaption class="legend">
        <span class="other">Other runs</span>
        <span class="suspect">Suspect</span>
        <span class="lost">Lost</span>
      </figcaption>
    </figure>
  );
}

// The lost runs are at the bottom, so that their bars can be compared.
function Bar(props: { day: Day; x: number; width: number; toHeight: (runs: number) => number }) {
  const { day, toHeight } = props;
  const lost = countOf(day, "lost");
  const suspect = countOf(day, "suspect");
  const parts = [
    { name: "lost", runs: lost, below: 0 },
    { name: "suspect", runs: suspect, below: lost },
    { name: "other", runs: day.runs - lost - suspect, below: lost + suspect },
  ].filter(({ runs }) => runs > 0);
  const margin = (props.width * (1 - BAR_WIDTH)) / 2;
  return (
    <g>
      <title>{`${day.day}: ${formatRuns(day)}`}</title>
      {parts.map(({ name, runs, below }) => (
        <rect
          class={name}
          x={toPercent(props.x + margin)}
          width={toPercent(props.width * BAR_WIDTH)}
          y={BASE - toHeight(below + runs)}
          height={toHeight(runs)}
        />
      ))}
    </g>
  );
}

function describe(days: Day[]): string {
  const most = days.toSorted((a, b) => b.runs - a.runs)[0];
  const peak = most === undefined ? "" : ` The most were on ${most.day}: ${formatRuns(most)}.`;
  return `A bar for each day from ${days.at(0)?.day} to ${days.at(-1)?.day}.${peak} The table of days has the numbers.`;
}

function formatRuns(day: Day): string {
  const lost = formatCount(countOf(day, "lost"));
  const suspect = formatCount(countOf(day, "suspect"));
  return `${formatCount(day.runs)} ${day.runs === 1 ? "run" : "runs"}, ${lost} lost, ${suspect} suspect`;
}

function toPercent(part: number): string {
  return `${(part * 100).toFixed(3)}%`;
}
