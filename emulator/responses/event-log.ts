import type { View } from "./visibility.ts";

/** A stream event. Its body is built for each reader's view, so that large outputs are stored only once. */
export interface StreamEvent {
  type: string;
  toBody: (view: View) => Record<string, unknown>;
}

export interface NumberedEvent {
  number: number;
  event: StreamEvent;
}

/** The events of one response, numbered from 0. Readers get past events first, then new ones. */
export class EventLog {
  readonly #events: StreamEvent[] = [];
  #closed = false;
  #nextChange = Promise.withResolvers<void>();

  add(type: string, toBody: StreamEvent["toBody"]): void {
    this.#events.push({ type, toBody });
    this.#notifyReaders();
  }

  /** Ends all readers once they have read the last event. */
  close(): void {
    this.#closed = true;
    this.#notifyReaders();
  }

  /** Frees the events of a response that cannot be streamed. */
  clear(): void {
    this.#events.length = 0;
  }

  /** Yields the events from a number on, until the log is closed. */
  async *readFrom(firstNumber: number): AsyncGenerator<NumberedEvent, undefined> {
    for (let number = firstNumber; ; number++) {
      const event = await this.#waitForEvent(number);
      if (!event) return undefined;
      yield { number, event };
    }
  }

  async #waitForEvent(number: number): Promise<StreamEvent | undefined> {
    while (number >= this.#events.length && !this.#closed) await this.#nextChange.promise;
    return this.#events[number];
  }

  #notifyReaders(): void {
    this.#nextChange.resolve();
    this.#nextChange = Promise.withResolvers();
  }
}

/** Formats an event as a server-sent event. */
export function toServerSentEvent({ number, event }: NumberedEvent, view: View): string {
  const { type, toBody } = event;
  const data = { type, sequence_number: number, ...toBody(view) };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
