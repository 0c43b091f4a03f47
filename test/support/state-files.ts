// The files in which a local Worker keeps KV and its objects.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the files below a folder that contain a text. Storage keeps some texts with two bytes a character. */
export function findFilesWith(text: string, folder: string): string[] {
  const patterns = [Buffer.from(text), Buffer.from(text, "utf16le")];
  return listFiles(folder).filter((path) => {
    const bytes = readFileSync(path);
    return patterns.some((pattern) => bytes.includes(pattern));
  });
}

function listFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
