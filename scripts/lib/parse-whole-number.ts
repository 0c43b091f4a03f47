/**
 * Parses the value of a command's option.
 * @param option The option's name, without dashes, for the error message.
 * @throws When the text isn't a whole number of at most nine digits.
 */
export function parseWholeNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${option} must be a whole number of at most nine digits, not ${text}.`);
}
