// Sentences out of texts of others, which end as they like.

/** A text with a full stop at its end, so that a sentence can follow it. */
export function toSentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === "" || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
