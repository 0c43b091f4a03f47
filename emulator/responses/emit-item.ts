import { sleepSeconds } from "../lib/sleep.ts";
import type { ItemEvent } from "./item-events.ts";
import { getItemKind, toInitialItem } from "./item-kinds.ts";
import type { Item } from "./items.ts";
import type { Run } from "./run.ts";
import type { View } from "./visibility.ts";

const DELTAS_PER_TEXT = 4;

export interface Emission {
  /** Seconds before each delta. */
  pace: number;
  /** Seconds between the item's first events and its end. */
  takes?: number | undefined;
  /** Events between the first ones and the item's work. */
  moreEvents?: ItemEvent[];
  /** The item's work, such as an execution; it gives the finished item. */
  work?: () => Promise<Item>;
}

/** Adds the events of an item's life to the run's stream, and the finished item to its output. Rejects when the run is aborted. */
export async function emitItem(
  run: Run,
  draft: Item,
  { pace, takes = 0, moreEvents = [], work = async () => draft }: Emission,
): Promise<Item> {
  const { events, output, abortController } = run;
  const { signal } = abortController;
  signal.throwIfAborted();
  // The settings of now decide what the stream has, so that its events are numbered without a gap.
  const streamView = run.createView("stream", run.included);
  const streamed = streamView(draft);
  const output_index = output.filter((item) => streamView(item) !== null).length;
  const addEvent: typeof events.add = (...event) => {
    if (streamed) events.add(...event);
  };
  const { toStartEvents, toEndEvents } = getItemKind(draft);
  const initial = toInitialItem(draft);
  const add = ({ type, body, omitsItemId = false }: ItemEvent) => {
    const place = omitsItemId ? { output_index } : { output_index, item_id: draft.id };
    addEvent(`response.${type}`, () => ({ ...place, ...body }));
  };
  addEvent("response.output_item.added", () => ({ output_index, item: initial }));
  const split = (text: string) => splitIntoDeltas(text, run.settings.deltaCharacters);
  for (const event of [...(toStartEvents?.(streamed ?? draft, split) ?? []), ...moreEvents]) {
    if (event.isDelta && pace > 0) await sleepSeconds(pace, signal);
    add(event);
  }
  const [item] = await Promise.all([work(), takes > 0 ? sleepSeconds(takes, signal) : null]);
  signal.throwIfAborted();
  for (const event of toEndEvents?.(item) ?? []) add(event);
  // A replay after the settings have changed still has the event.
  const toDoneBody = (view: View) => ({ output_index, item: view(item) ?? item });
  addEvent("response.output_item.done", toDoneBody, item.type);
  if (streamed) {
    run.doneItems.set(draft.id, { at: new Date().toISOString(), event: events.length - 1 });
  }
  output.push(item);
  return item;
}

/** Splits a text into deltas of this length, or into a few if it is null; never inside a character. */
function splitIntoDeltas(text: string, characters: number | null): string[] {
  const maxLength = characters ?? Math.max(1, Math.ceil(text.length / DELTAS_PER_TEXT));
  return text.match(new RegExp(`.{1,${maxLength}}`, "gsu")) ?? [];
}
