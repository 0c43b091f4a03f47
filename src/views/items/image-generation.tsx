// A generated picture.
import * as z from "zod";
import { Picture } from "../components/picture.tsx";
import { IsolatedText } from "../components/safe-text.tsx";
import { escapeHidden } from "../text/printed/hidden-characters.ts";
import { parseFields, text } from "./fields.ts";
import { toTotalBytes, type PartProps } from "./part.ts";

/** Base64 has four characters for three bytes. */
const BYTES_PER_CHARACTER = 3 / 4;

const Generation = z.looseObject({ status: text, result: text, revised_prompt: text });

/** What was to be drawn, when OpenAI says it. */
export function ImageRequest({ item }: PartProps) {
  const { revised_prompt: prompt } = parseFields(Generation, item.value);
  if (prompt === null) return null;
  return (
    <p class="found">
      <IsolatedText text={prompt} />
    </p>
  );
}

/** The picture. */
export function ImageResult({ item, page, name }: PartProps) {
  const { status, result } = parseFields(Generation, item.value);
  if (result === null || result === "") {
    return (
      <p class="placeholder">No picture: OpenAI says {escapeHidden(status ?? "nothing of it")}.</p>
    );
  }
  return (
    <Picture
      source={result}
      href={`/results/${page.id}/images/${encodeURIComponent(item.id ?? "")}/0`}
      alt="The generated picture"
      filename={name}
      bytes={Math.floor((toTotalBytes(item, result) ?? result.length) * BYTES_PER_CHARACTER)}
    />
  );
}
