// A stream of OpenAI's that is being read, or is about to be.

/** Milliseconds that OpenAI has to answer. */
const ANSWER_MS = 20_000;

/** The hold on one connection to OpenAI. */
export class Line {
  readonly #abort = new AbortController();
  readonly #timer = setTimeout(() => this.#abort.abort(), ANSWER_MS);
  #isClosed = false;

  /** Ends the request, also while its answer is read. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether somebody asked for its end. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The answer came: it may take as long as it wants now. */
  keep(): void {
    clearTimeout(this.#timer);
  }

  /** Ends it because somebody asked for it. */
  close(): void {
    this.#isClosed = true;
    this.end();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }
}
