// The files in which a local Worker keeps KV and its objects.
import { execFileSync } from "node:child_process";

/** Returns the files below a folder that contain a text. */
export function findFilesWith(text: string, folder: string): string[] {
  try {
    const files = execFileSync("grep", ["-rlaF", text, folder], { encoding: "utf8" });
    return files.trim().split("\n");
  } catch {
    return [];
  }
}
