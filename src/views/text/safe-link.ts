// Where a link of a model's text may lead: to the web, or to a file that was copied from the container.
import type { FileEntry } from "../../record/schema.ts";

/** `file`: a copied file. `lost`: a file of the container that was not copied. */
export type SafeLink =
  | { type: "web"; href: string }
  | { type: "file"; href: string }
  | { type: "lost"; reason: string }
  | null;

/**
 * Resolves the target of a link.
 * @param files The record's files.
 * @returns Null for a link that leads nowhere safe, such as `javascript:`.
 */
export function resolveLink(target: string, files: FileEntry[]): SafeLink {
  if (/^sandbox:/i.test(target))
    return resolveFile(files, ({ filename }) => filename === lastSegment(target));
  const url = URL.parse(target);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return null;
  return { type: "web", href: url.href };
}

/** Resolves a file of the container. Of several, the last copied one counts. */
export function resolveFile(files: FileEntry[], isMeant: (file: FileEntry) => boolean): SafeLink {
  const found = files.filter(isMeant);
  const copied = found.findLast(({ url }) => url !== null && url !== "");
  if (copied?.url) return { type: "file", href: copied.url };
  return { type: "lost", reason: found.at(-1)?.reason ?? "This file was not copied." };
}

function lastSegment(target: string): string {
  const name = target.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
