// Reads from a recorder. Requests are retried; an answer that was cut off counts as a failure.
import { z } from "zod";
import { readByteLines } from "../../src/lib/byte-stream.ts";
import { retry } from "../../src/lib/retry.ts";

const RETRY_DELAYS_MS = [500, 1_000, 2_000, 4_000];
/** Rows of a page: the most that the export has. */
const PAGE_ROWS = "50";

const Row = z.object({
  id: z.string(),
  verdict: z.string().optional(),
  status: z.string().nullable().optional(),
});
/** A row of the list. One that can't be read has only an id. */
export type Row = z.infer<typeof Row>;

const ListPage = z.object({ results: z.array(Row), cursor: z.string().nullable() });
const LastLine = z.strictObject({ cursor: z.string().nullable() });
const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Which page: the cursor of the page before, and from which time on runs count. */
export type PageQuery = { cursor: string | null; since: string | undefined };

/** An answer that another attempt would not change. */
export class Refusal extends Error {}

export class RecorderClient {
  readonly #url: URL;
  readonly #token: string;
  readonly #warn: (line: string) => void;

  /** @param warn Prints that a request is tried again. */
  constructor(url: URL, token: string, warn: (line: string) => void) {
    this.#url = url;
    this.#token = token;
    this.#warn = warn;
  }

  /** One page of the list. */
  listPage(query: PageQuery): Promise<z.infer<typeof ListPage>> {
    return this.#retry(async () => {
      const answer = await this.#request("/results", toParams(query));
      return ListPage.parse(await answer.json());
    });
  }

  /**
   * One page of the export: the same runs as those of the list's page, unless a run began in between.
   * @param take Gets each record's line; after a failure again from the first one.
   * @returns The next page's cursor.
   */
  exportPage(
    query: PageQuery,
    take: (line: Uint8Array, value: unknown) => Promise<void>,
  ): Promise<string | null> {
    return this.#retry(async () => {
      const answer = await this.#request("/results.ndjson", toParams(query));
      for await (const line of readByteLines(toStream(answer))) {
        const value: unknown = JSON.parse(new TextDecoder().decode(line));
        const last = LastLine.safeParse(value).data;
        if (last !== undefined) return last.cursor;
        await take(line, value);
      }
      throw new Error("The page was cut off: its last line is missing.");
    });
  }

  /**
   * A file.
   * @param path Its path at the recorder.
   * @param take Gets its bytes; after a failure again from the first one.
   */
  fetchFile(
    path: string,
    take: (bytes: ReadableStream<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    return this.#retry(async () => take(toStream(await this.#request(path))));
  }

  async #request(path: string, params = new URLSearchParams()): Promise<Response> {
    const url = new URL(path, this.#url);
    if (url.origin !== this.#url.origin) throw new Refusal(`${path} is not at the recorder.`);
    url.search = String(params);
    // The token must not go to where a redirect leads.
    const init = {
      headers: { authorization: `Bearer ${this.#token}` },
      redirect: "error",
    } as const;
    const answer = await fetch(url, init);
    if (answer.ok) return answer;
    const words = await readError(answer);
    if (answer.status < 500 && answer.status !== 429) throw new Refusal(words);
    throw new Error(words);
  }

  #retry<T>(attempt: () => Promise<T>): Promise<T> {
    return retry(RETRY_DELAYS_MS, attempt, (error) => {
      if (error instanceof Refusal) throw error;
      this.#warn(`${describeFailure(error)} Trying again.`);
    });
  }
}

function toParams({ cursor, since }: PageQuery): URLSearchParams {
  const optional = {
    ...(cursor === null ? {} : { cursor }),
    ...(since === undefined ? {} : { since }),
  };
  return new URLSearchParams({ limit: PAGE_ROWS, ...optional });
}

function toStream({ body }: Response): ReadableStream<Uint8Array> {
  return body ?? new Blob([]).stream();
}

async function readError(answer: Response): Promise<string> {
  const text = await answer.text();
  const known = ErrorBody.safeParse(parseJson(text)).data?.error;
  const where = `${new URL(answer.url).pathname} answered ${answer.status}`;
  return known === undefined ? `${where}.` : `${where} ${known.code}: ${known.message}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a failure says, with its cause: `fetch failed` alone says nothing. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${cause}`;
}
