// What the components of items get.
import type { PageItem } from "../../api/answers/page-response.ts";
import type { Call, FileEntry } from "../../record/schema.ts";

/** What all items of a page share. */
export type PageContext = {
  /** The response's id, for links. */
  id: string;
  files: FileEntry[];
  /** The maximum size of each text on the page, and of each message. */
  maxBytes: number;
  maxMessageBytes: number;
};

/** One item with what belongs to it. */
export type PartProps = {
  item: PageItem;
  /** The item that brought what came of this one, where OpenAI sends one of its own. */
  output: PageItem | null;
  /** The record's call, and its number, from 1. */
  call: Call | null;
  number: number | null;
  /** The same call of the control or of the run, to compare with. */
  other: Call | null;
  isControl: boolean;
  /** The prefix of ids of elements. */
  name: string;
  page: PageContext;
};

/** The size of the whole of a text, when the item has only its beginning. */
export function toTotalBytes({ cuts }: PageItem, text: string): number | null {
  return cuts.get(text)?.bytes ?? null;
}

/** The URL of the whole response object. */
export function toResponseUrl({ id }: PageContext): string {
  return `/results/${id}/response`;
}

/** The URL of everything that a call printed, as it was. */
export function toOutputsUrl({ page, number, isControl }: PartProps): string {
  const call = number === null ? "" : `call=${number}&`;
  return `/results/${page.id}/outputs?${call}strict=false${isControl ? "&from=control" : ""}`;
}
