/** Decides which fields of items a client sees. */
import type { Settings } from "../settings.ts";
import { INCLUDE } from "./include.ts";
import { getItemKind, type HideableField, type Loss } from "./item-kinds.ts";
import type { Item } from "./items.ts";

/** Maps an item to what a client sees of it: fields may be hidden or empty. Null: the client does not see the item at all. */
export type View = (item: Item) => Item | null;

/** The view that hides nothing. */
export const FULL_VIEW: View = (item) => item;

/** Where a client reads items. */
export type Channel = "response" | "stream" | "conversation";

/**
 * What a background run shows of a field, by the field's loss: `present`, `empty`, `absent`, or `late:SECONDS` after the run's
 * end. A field without a rule is present.
 */
export type LossRules = Readonly<Partial<Record<Loss, string>>>;

const SETTING_PREFIXES = {
  response: "background",
  stream: "stream",
  conversation: "conversation",
} as const;

/** The rules of a channel, as the settings say. */
export function getLossRules(settings: Settings, channel: Channel): LossRules {
  const getRule = (loss: Loss) => settings[`${SETTING_PREFIXES[channel]}${loss}`];
  return {
    Outputs: getRule("Outputs"),
    Sources: getRule("Sources"),
    Results: getRule("Results"),
    Images: getRule("Images"),
    McpOutputs: getRule("McpOutputs"),
    ShellOutputs: getRule("ShellOutputs"),
  };
}

export interface Visibility {
  /** The values of `include` that the client sent. */
  included: ReadonlySet<string>;
  lossRules: LossRules;
  /** When the run ended, in milliseconds; null before. */
  endedAt: number | null;
}

export function createView(visibility: Visibility): View {
  return (item) => {
    const fields = getItemKind(item).hideableFields ?? [];
    return fields.reduce<Item | null>((shown, field) => showField(shown, field, visibility), item);
  };
}

/** The view of an item that no background run made: nothing is lost. */
export function createClientView(included: ReadonlySet<string>): View {
  return createView({ included, lossRules: {}, endedAt: null });
}

/** The view of a GET that includes all that a GET may. Encrypted reasoning is not: https://github.com/pydantic/pydantic-ai/issues/6611 */
export const RETRIEVED_VIEW: View = createClientView(
  new Set(Object.values(INCLUDE).filter((value) => value !== INCLUDE.encryptedReasoning)),
);

function showField(item: Item | null, field: HideableField, visibility: Visibility): Item | null {
  if (!item) return null;
  const { include, hide, empty } = field;
  if (include !== null && !visibility.included.has(include)) return hide(item);
  const rule = getCurrentRule(field, visibility);
  if (rule === "present") return item;
  return rule === "absent" ? hide(item) : empty(item);
}

/** The rule for a field now; a late one is empty or present. */
function getCurrentRule({ loss }: HideableField, { lossRules, endedAt }: Visibility): string {
  const rule = (loss && lossRules[loss]) ?? "present";
  const [kind, delaySeconds] = rule.split(":");
  if (kind !== "late") return rule;
  const isDue = endedAt !== null && Date.now() >= endedAt + Number(delaySeconds) * 1000;
  return isDue ? "present" : "empty";
}
