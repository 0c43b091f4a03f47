import type { View } from "./items.ts";

/** A streamed event. Its body is made for the one who reads it, so nothing big is kept twice. */
export interface StreamEvent {
  type: string;
  body: (see: View) => Record<string, unknown>;
}

export interface NumberedEvent {
  number: number;
  event: StreamEvent;
}

/** The events of one response: kept, numbered from 0, and followed while they come. */
export class EventLog {
  readonly #events: StreamEvent[] = [];
  #closed = false;
  #next = Promise.withResolvers<void>();

  add(type: string, body: StreamEvent["body"]): void {
    this.#events.push({ type, body });
    this.#notifyReaders();
  }

  close(): void {
    this.#closed = true;
    this.#notifyReaders();
  }

  /** Drops what was kept: nobody will ask for it again. */
  clear(): void {
    this.#events.length = 0;
  }

  /** Gives the events from the given number on, each with its own, until the last. */
  async *readFrom(first: number): AsyncGenerator<NumberedEvent, undefined> {
    for (let number = first; ; number++) {
      const event = await this.#waitForEvent(number);
      if (!event) return undefined;
      yield { number, event };
    }
  }

  async #waitForEvent(number: number): Promise<StreamEvent | undefined> {
    while (number >= this.#events.length && !this.#closed) await this.#next.promise;
    return this.#events[number];
  }

  #notifyReaders(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }
}

/** One event as it goes over the wire. */
export function toServerSentEvent(
  { number, event: { type, body } }: NumberedEvent,
  see: View,
): string {
  const data = { type, sequence_number: number, ...body(see) };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
