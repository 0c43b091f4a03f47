// The folder of an export: a file for each record, and a folder for the files of each run. What is there is whole: it is written under another name first.
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";

/** Only its owner can read the folder: prompts and outputs may be private. */
const FOLDER_MODE = 0o700;
const MAX_FILENAME_LENGTH = 100;
/** Ids that are a file's name on every system. Upper case is not: some systems don't tell it from lower case. */
const PLAIN_ID = /^[a-z0-9_-]{1,120}$/;

const RecordedFile = z.object({
  id: z.string(),
  filename: z.string(),
  bytes: z.number().nullable(),
  url: z.string().nullable(),
});
export type RecordedFile = z.infer<typeof RecordedFile>;

/** What the export reads of a record. */
export const ExportedRecord = z.object({
  id: z.string(),
  verdict: z.string(),
  status: z.string().nullable(),
  settled_at: z.string().nullable(),
  calls: z.array(z.object({ container_id: z.string().nullable() })),
  files: z.array(RecordedFile),
});
export type ExportedRecord = z.infer<typeof ExportedRecord>;

/** A record of the archive. */
export type ArchivedRecord = ExportedRecord & {
  /** When it was written, in milliseconds since 1970. */
  writtenAtMs: number;
};

export class Archive {
  readonly #folder: string;

  /** @param folder It may be missing. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A record that is there; null when it is not, or can't be read. */
  async readRecord(id: string): Promise<ArchivedRecord | null> {
    try {
      const path = this.#recordPath(id);
      const text = await readFile(path, "utf8");
      const { mtimeMs: writtenAtMs } = await stat(path);
      return { ...ExportedRecord.parse(JSON.parse(text)), writtenAtMs };
    } catch {
      return null;
    }
  }

  /**
   * Stores a record, or replaces it.
   * @returns Whether it is another one than was there.
   */
  async writeRecord(id: string, line: Uint8Array): Promise<boolean> {
    const path = this.#recordPath(id);
    const content = Buffer.concat([line, Buffer.from("\n")]);
    const before = await readFile(path).catch(() => null);
    await replaceFile(path, (part) => writeFile(part, content));
    return before === null || !content.equals(before);
  }

  /** Whether a file is there. */
  async hasFile(id: string, file: RecordedFile): Promise<boolean> {
    return access(this.#filePath(id, file)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Stores a file.
   * @throws When it has another size than the record says.
   */
  async writeFile(
    id: string,
    file: RecordedFile,
    content: ReadableStream<Uint8Array>,
  ): Promise<void> {
    await replaceFile(this.#filePath(id, file), async (part) => {
      const target = createWriteStream(part);
      await pipeline(content, target);
      if (file.bytes === null || target.bytesWritten === file.bytes) return;
      throw new Error(`${file.id} has ${target.bytesWritten} bytes and should have ${file.bytes}.`);
    });
  }

  #recordPath(id: string): string {
    return join(this.#folder, "records", `${toName(id)}.json`);
  }

  // The name is for people; the id makes it unique.
  #filePath(id: string, { id: fileId, filename }: RecordedFile): string {
    const plain = filename.replaceAll(/[^\w.-]/g, "_").slice(-MAX_FILENAME_LENGTH);
    return join(this.#folder, "files", toName(id), `${toName(fileId)}-${plain}`);
  }
}

function toName(id: string): string {
  return PLAIN_ID.test(id) ? id : createHash("sha256").update(id).digest("hex");
}

async function replaceFile(path: string, write: (part: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const part = `${path}.part`;
  await write(part);
  await rename(part, path);
}
