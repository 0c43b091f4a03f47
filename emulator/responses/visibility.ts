/** Decides which fields of items a client sees. */
import type { Settings } from "../settings.ts";
import { INCLUDE } from "./include.ts";
import { getItemKind, type IncludedField } from "./item-kinds.ts";
import type { Item } from "./items.ts";

/** Maps an item to what a client sees of it: the fields that need an `include` may be hidden or empty. */
export type View = (item: Item) => Item;

/** The view that hides nothing. */
export const FULL_VIEW: View = (item) => item;

/** The view of a GET that includes all that a GET may. Encrypted reasoning is not: https://github.com/pydantic/pydantic-ai/issues/6611 */
export const RETRIEVED_VIEW: View = createView({
  included: new Set(Object.values(INCLUDE).filter((value) => value !== INCLUDE.encryptedReasoning)),
  background: false,
  lossRules: {},
  endedAt: null,
});

/** Where a client reads items. */
export type Channel = "response" | "stream" | "conversation";

/**
 * What a background run shows of a field that the client included, by the value of `include`: `present`, `empty`, `absent`, or
 * `late:SECONDS` after the run's end.
 */
export type LossRules = Readonly<Record<string, string>>;

/** The rules of a channel, as the settings say. */
export function getLossRules(settings: Settings, channel: Channel): LossRules {
  const rules = {
    response: [settings.backgroundOutputs, settings.backgroundSources, settings.backgroundResults],
    stream: [settings.streamOutputs, settings.streamSources, settings.streamResults],
    conversation: [
      settings.conversationOutputs,
      settings.conversationSources,
      settings.conversationResults,
    ],
  } as const;
  const [outputs, sources, results] = rules[channel];
  return { [INCLUDE.outputs]: outputs, [INCLUDE.sources]: sources, [INCLUDE.results]: results };
}

export interface Visibility {
  /** The values of `include` that the client sent. */
  included: ReadonlySet<string>;
  background: boolean;
  /** They apply to background runs only. */
  lossRules: LossRules;
  /** When the run ended, in milliseconds; null before. */
  endedAt: number | null;
}

export function createView(visibility: Visibility): View {
  return (item) => {
    const fields = getItemKind(item).includedFields ?? [];
    return fields.reduce((shown, field) => showField(shown, field, visibility), item);
  };
}

function showField(
  item: Item,
  { include, hide, empty }: IncludedField,
  visibility: Visibility,
): Item {
  if (!visibility.included.has(include)) return hide(item);
  const rule = getCurrentRule(include, visibility);
  if (rule === "present") return item;
  return rule === "absent" ? hide(item) : empty(item);
}

/** The rule for a field now; a late one is empty or present. */
function getCurrentRule(include: string, { background, lossRules, endedAt }: Visibility): string {
  const rule = background ? (lossRules[include] ?? "present") : "present";
  const [kind, delaySeconds] = rule.split(":");
  if (kind !== "late") return rule;
  const isDue = endedAt !== null && Date.now() >= endedAt + Number(delaySeconds) * 1000;
  return isDue ? "present" : "empty";
}
