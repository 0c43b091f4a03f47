// The title of a run's tab: what was asked and what became of it, so that ten tabs can be told apart.
import { isUnseen, toHeadline, type ConnectionSubject } from "./connection.ts";
import { toWords, type Tone } from "./labels.ts";
import { toExcerpt } from "./printed/excerpt.ts";
import { escapeHidden } from "./printed/hidden-characters.ts";

const MAX_QUESTION_BYTES = 60;

type Question = { asked: string | null };
type Subject = ConnectionSubject & Question & { id: string };

/** One character a tone. Browsers without icons in their tabs show it. */
const SIGNS: Record<Tone, string> = { good: "✓", warn: "!", bad: "✗", neutral: "–", busy: "●" };

/** The first line of what was asked; null when it is not known. */
export function firstLineAsked({ asked }: Question): string | null {
  return asked?.trim().split("\n", 1)[0] ?? null;
}

/** The title of a run's tab. */
export function toTabTitle(record: Subject): string {
  const sign = SIGNS[toHeadline(record).tone];
  const question = toQuestion(record);
  if (record.verdict !== "pending") return `${sign} ${question} · ${toWords(toOutcome(record))}`;
  const state = isUnseen(record) ? "asking OpenAI" : toWords(record.status ?? "");
  return `${sign} ${state} · ${question}`;
}

// Of a run without calls its status says more than its verdict.
function toOutcome({ verdict, status }: Subject): string {
  return verdict === "no_calls" && status !== "completed" ? (status ?? verdict) : verdict;
}

function toQuestion(record: Subject): string {
  const line = firstLineAsked(record);
  if (line === null || line === "") return record.id;
  const { text, isTruncated } = toExcerpt(line, MAX_QUESTION_BYTES);
  return escapeHidden(isTruncated ? `${text}…` : text);
}
