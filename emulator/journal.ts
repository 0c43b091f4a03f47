/** One request to the API, as `/_emulator/requests` shows it. */
export interface Entry {
  at: string;
  method: string;
  path: string;
  query: Record<string, string[]>;
  headers: Record<string, string>;
  body: unknown;
  /** Null while there is no answer, and when there never was one. */
  status: number | null;
  request_id: string;
}

const KEPT = 10_000;

/** The requests seen, oldest first; only the newest are kept. */
export class Journal {
  readonly #entries: Entry[] = [];

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(seen: Entry): void {
    this.#entries.push(seen);
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

/** Writes a request down. Its body is read when it is JSON. */
export async function entry(request: Request, requestId: string): Promise<Entry> {
  const url = new URL(request.url);
  return {
    at: new Date().toISOString(),
    method: request.method,
    path: url.pathname,
    query: query(url.searchParams),
    headers: headers(request.headers),
    body: await body(request),
    status: null,
    request_id: requestId,
  };
}

function query(params: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...params.keys()].map((key) => [key, params.getAll(key)]));
}

function headers(given: Headers): Record<string, string> {
  const pairs = Object.fromEntries(given);
  return "authorization" in pairs ? { ...pairs, authorization: "Bearer …" } : pairs;
}

async function body(request: Request): Promise<unknown> {
  if (!request.headers.get("content-type")?.includes("json")) return null;
  try {
    return JSON.parse(await request.clone().text());
  } catch {
    return null;
  }
}
