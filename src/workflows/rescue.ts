// The files of a response's containers, which die after 20 minutes without use.
import { RESCUE, type Hands, type Step } from "./hands.ts";
import type { FileEntry, StoredRecord, RecordKey } from "../record/schema.ts";

// Runs beside the looks: a container that doesn't answer must not delay them.
/**
 * Copies the files of a response's containers.
 * @param record What is known of it.
 * @param step The Workflow's step.
 * @param hands What finds and copies.
 * @returns Each file, with a reason where it isn't kept.
 */
export async function rescue(record: StoredRecord, step: Step, hands: Hands): Promise<FileEntry[]> {
  const found = await findFiles(record, step, hands);
  const files: FileEntry[] = [];
  for (const [index, file] of found.entries()) {
    files.push(await saveFile(`file ${index + 1}`, file, record, step, hands));
  }
  if (files.length > 0) await wakeSelf("tell of the files", "files", record.id, step, hands);
  return files;
}

async function findFiles(record: StoredRecord, step: Step, hands: Hands): Promise<FileEntry[]> {
  try {
    return await step.do("find files", RESCUE, () => hands.findFiles(record));
  } catch (error) {
    const reason = `The container's files could not be listed: ${reasonOf(error)}`;
    return record.containers.map((id) => ({ ...NAMELESS, id, container_id: id, reason }));
  }
}

const NAMELESS = { filename: "", bytes: null, url: null };

async function saveFile(
  name: string,
  file: FileEntry,
  owner: RecordKey,
  step: Step,
  hands: Hands,
): Promise<FileEntry> {
  if (!hands.isToCopy(file)) return file;
  try {
    return await step.do(name, RESCUE, () => hands.saveFile(owner, file));
  } catch (error) {
    return { ...file, url: null, reason: `It could not be copied: ${reasonOf(error)}` };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Sends the instance itself an event. Without it the waiting instance notices the end as well, only later.
 * @param name The step's name.
 * @param what What has ended.
 * @param id The response.
 * @param step The Workflow's step.
 * @param hands What wakes.
 */
export async function wakeSelf(
  name: string,
  what: "control" | "files",
  id: string,
  step: Step,
  hands: Hands,
): Promise<void> {
  const told = step.do(name, RESCUE, async () => {
    await hands.wake(id, what);
    return null;
  });
  await told.catch(() => null);
}
