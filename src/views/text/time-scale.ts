// Where a moment stands on a line of time. Pure.

/** Steps between marks, in milliseconds. */
const MARK_STEPS_MS = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000,
];
/** Marks where late times are drawn closer together. */
const COMPRESSED_MARKS_MS = [0, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 864_000_000];
const MAX_MARKS = 6;
/** Per cent left free at either end, so that a dot is never cut. */
const MARGIN_PERCENT = 3;
/** Marks nearer than this, in per cent, would write over each other. */
const MIN_MARK_DISTANCE_PERCENT = 12;

export type TimeScale = {
  /** Per cent from the left. */
  toPercent: (milliseconds: number) => number;
  /** Milliseconds since the beginning that get a mark. */
  marks: number[];
  /** Whether late times are drawn closer together than early ones. */
  isCompressed: boolean;
};

/**
 * A scale for moments.
 * @param moments Milliseconds since the beginning; the last is the end.
 */
export function createTimeScale(moments: number[]): TimeScale {
  const span = Math.max(...moments, 1);
  const early = moments.filter((moment) => moment > 0 && moment < span * 0.06);
  const isCompressed = early.length >= moments.length / 3 && span > 20_000;
  const share = isCompressed
    ? (ms: number) => Math.log1p(ms / 1_000) / Math.log1p(span / 1_000)
    : (ms: number) => ms / span;
  const toPercent = (ms: number) => {
    const inside = Math.min(Math.max(share(ms), 0), 1);
    return Math.round((MARGIN_PERCENT + inside * (100 - 2 * MARGIN_PERCENT)) * 100) / 100;
  };
  const marks = isCompressed ? COMPRESSED_MARKS_MS.filter((mark) => mark <= span) : evenMarks(span);
  return { toPercent, marks: dropCloseMarks(marks, toPercent), isCompressed };
}

function evenMarks(span: number): number[] {
  const step = MARK_STEPS_MS.find((candidate) => span / candidate < MAX_MARKS) ?? span / 4;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step);
}

function dropCloseMarks(marks: number[], toPercent: (ms: number) => number): number[] {
  const kept: number[] = [];
  for (const mark of marks) {
    const last = kept.at(-1);
    if (last === undefined || toPercent(mark) - toPercent(last) >= MIN_MARK_DISTANCE_PERCENT)
      kept.push(mark);
  }
  return kept;
}
