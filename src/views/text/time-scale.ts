// The scale of the timeline: positions of times, and marks.

/** Candidates for the distance between two marks. */
const MARK_STEPS_MS = [
  100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000,
];
/** Marks of a compressed scale. */
const COMPRESSED_MARKS_MS = [0, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 864_000_000];
const MAX_MARKS = 6;
/** Times in this first share of the span count as early. */
const EARLY_SHARE = 0.06;
const MIN_COMPRESSED_SPAN_MS = 20_000;
/** Free space at both ends, so that a dot is never clipped. */
const MARGIN_PERCENT = 3;
/** The labels of closer marks would overlap. */
const MIN_MARK_DISTANCE_PERCENT = 12;

export type TimeScale = {
  /** The distance from the left, for milliseconds since the start. */
  toPercent: (milliseconds: number) => number;
  /** Milliseconds since the start that get a mark. */
  marksMs: number[];
  /** Whether late times are drawn closer together than early ones: the scale is logarithmic. */
  isCompressed: boolean;
};

/**
 * Creates a scale. It is compressed when many times crowd at its beginning.
 * @param timesMs Milliseconds since the start.
 */
export function createTimeScale(timesMs: number[]): TimeScale {
  const spanMs = Math.max(...timesMs, 1);
  const early = timesMs.filter((ms) => ms > 0 && ms < spanMs * EARLY_SHARE);
  const isCompressed = early.length >= timesMs.length / 3 && spanMs > MIN_COMPRESSED_SPAN_MS;
  const toShare = isCompressed
    ? (ms: number) => Math.log1p(ms / 1_000) / Math.log1p(spanMs / 1_000)
    : (ms: number) => ms / spanMs;
  const toPercent = (ms: number) => {
    const inside = Math.min(Math.max(toShare(ms), 0), 1);
    return Math.round((MARGIN_PERCENT + inside * (100 - 2 * MARGIN_PERCENT)) * 100) / 100;
  };
  const marksMs = isCompressed
    ? COMPRESSED_MARKS_MS.filter((mark) => mark <= spanMs)
    : createEvenMarks(spanMs);
  return { toPercent, marksMs: dropCloseMarks(marksMs, toPercent), isCompressed };
}

function createEvenMarks(spanMs: number): number[] {
  const stepMs = MARK_STEPS_MS.find((candidate) => spanMs / candidate < MAX_MARKS) ?? spanMs / 4;
  return Array.from({ length: Math.floor(spanMs / stepMs) + 1 }, (_, index) => index * stepMs);
}

function dropCloseMarks(marksMs: number[], toPercent: (ms: number) => number): number[] {
  const kept: number[] = [];
  for (const mark of marksMs) {
    const last = kept.at(-1);
    if (last === undefined || toPercent(mark) - toPercent(last) >= MIN_MARK_DISTANCE_PERCENT)
      kept.push(mark);
  }
  return kept;
}
