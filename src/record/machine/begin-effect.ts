// Begins a Recorder's effects. Pure.
import type { Effect } from "../events.ts";
import type { Running, State } from "../state.ts";

/** How long each effect may take. */
const MAX_EFFECT_MS: Record<Running["type"], number> = {
  erase: 60_000,
  observe: 90_000,
  store_record: 120_000,
  store_outputs: 120_000,
  find_files: 120_000,
  copy_file: 120_000,
  list: 10_000,
  unlist: 10_000,
  notify: 10_000,
};

/** Something to do, from a moment on. */
export type Work = { atMs: number; begin: (now: number) => Begun };
/** The state with its effect under way. */
export type Begun = { state: State; effect: Effect };

/** An effect without its turn and its time. */
type EffectContent = Effect extends infer One
  ? One extends Effect
    ? Omit<One, "turn" | "untilMs">
    : never
  : never;

/** Marks an effect as running, under a turn of its own. */
export function begin(
  state: State,
  now: number,
  type: Running["type"],
  details: Partial<Running>,
  content: EffectContent,
): Begun {
  const turn = state.turn + 1;
  const untilMs = now + MAX_EFFECT_MS[type];
  const running: Running = {
    turn,
    type,
    began_ms: now,
    until_ms: untilMs,
    channel: null,
    from_connection: false,
    requested: false,
    is_status_check: false,
    revision: state.kind === "run" ? state.revision : 0,
    due_ms: null,
    containers: [],
    ...details,
  };
  return { state: { ...state, turn, running }, effect: { ...content, turn, untilMs } };
}
