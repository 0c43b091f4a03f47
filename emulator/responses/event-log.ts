import type { See } from "./items.ts";

/** A streamed event. Its body is made for the one who reads it, so nothing big is kept twice. */
export interface Event {
  type: string;
  body: (see: See) => Record<string, unknown>;
}

export interface Numbered {
  number: number;
  event: Event;
}

/** The events of one response: kept, numbered from 0, and followed while they come. */
export class Events {
  readonly #events: Event[] = [];
  #closed = false;
  #next = Promise.withResolvers<void>();

  add(type: string, body: Event["body"]): void {
    this.#events.push({ type, body });
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Drops what was kept: nobody will ask for it again. */
  clear(): void {
    this.#events.length = 0;
  }

  /** Gives the events from the given number on, each with its own, until the last. */
  async *from(first: number): AsyncGenerator<Numbered, undefined> {
    for (let number = first; ; number++) {
      const event = await this.#at(number);
      if (!event) return undefined;
      yield { number, event };
    }
  }

  async #at(number: number): Promise<Event | undefined> {
    while (number >= this.#events.length && !this.#closed) await this.#next.promise;
    return this.#events[number];
  }

  #wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}

/** One event as it goes over the wire. */
export function wire({ number, event: { type, body } }: Numbered, see: See): string {
  const data = { type, sequence_number: number, ...body(see) };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
