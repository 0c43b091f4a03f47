import { randomBytes } from "node:crypto";
import type { View } from "./visibility.ts";

/** A stream event. Its body is built for each reader's view, so that large outputs are stored only once. */
export interface StreamEvent {
  type: string;
  toBody: (view: View) => Record<string, unknown>;
  /** The type of the item that is done with it; null for events of other types. */
  doneType: string | null;
  /** Random letters that hide a delta's length; null for other events. */
  obfuscation: string | null;
}

export interface NumberedEvent {
  number: number;
  event: StreamEvent;
}

const MAX_OBFUSCATION_LENGTH = 16;

/** The memory of an event, measured with deltas of one character. Its body is shared with the run's items. */
const BYTES_PER_EVENT = 400;

/** The events of one response, numbered from 0. Readers get past events first, then new ones. */
export class EventLog {
  readonly #events: StreamEvent[] = [];
  #closed = false;
  #nextChange = Promise.withResolvers<void>();
  /** The number of the event before which the creator's connection breaks. */
  #cutNumber: number | null = null;

  add(type: string, toBody: StreamEvent["toBody"], doneType: string | null = null): void {
    const obfuscation = type.endsWith(".delta") ? createObfuscation() : null;
    this.#events.push({ type, toBody, doneType, obfuscation });
    this.#notifyReaders();
  }

  /** Ends all readers once they have read the last event. */
  close(): void {
    this.#closed = true;
    this.#notifyReaders();
  }

  /** Breaks the connection of the creator after the events so far. */
  cut(): void {
    this.#cutNumber ??= this.#events.length;
    this.#notifyReaders();
  }

  get length(): number {
    return this.#events.length;
  }

  /** The memory that the events take, about. */
  get estimatedBytes(): number {
    return this.#events.length * BYTES_PER_EVENT;
  }

  /** Frees the events of a response that cannot be streamed. */
  clear(): void {
    this.#events.length = 0;
  }

  /** Yields the events from a number on, until the log is closed. Returns whether the creator's connection breaks instead. */
  async *readFrom(
    firstNumber: number,
    { isCreator }: { isCreator: boolean },
  ): AsyncGenerator<NumberedEvent, "closed" | "cut"> {
    for (let number = firstNumber; ; number++) {
      const event = await this.#waitForEvent(number, isCreator);
      if (isCreator && number === this.#cutNumber) return "cut";
      if (!event) return "closed";
      yield { number, event };
    }
  }

  async #waitForEvent(number: number, isCreator: boolean): Promise<StreamEvent | undefined> {
    const isCut = () => isCreator && number === this.#cutNumber;
    while (number >= this.#events.length && !this.#closed && !isCut()) {
      await this.#nextChange.promise;
    }
    return this.#events[number];
  }

  #notifyReaders(): void {
    this.#nextChange.resolve();
    this.#nextChange = Promise.withResolvers();
  }
}

/** Letters of a random number, as OpenAI adds them to deltas. https://platform.openai.com/docs/api-reference/responses/create */
function createObfuscation(): string {
  const [length = 0, ...letters] = randomBytes(MAX_OBFUSCATION_LENGTH);
  const text = Buffer.from(letters).toString("base64url");
  return text.slice(0, 1 + (length % MAX_OBFUSCATION_LENGTH));
}

/** Formats an event as a server-sent event. */
export function toServerSentEvent(
  { number, event }: NumberedEvent,
  view: View,
  { obfuscates }: { obfuscates: boolean },
): string {
  const { type, toBody, obfuscation } = event;
  const padding = obfuscates && obfuscation !== null ? { obfuscation } : {};
  const data = { type, sequence_number: number, ...toBody(view), ...padding };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}
