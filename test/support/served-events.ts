// Reads what an API serves as the events of a response.
import { z } from "zod";

/** An event as it was served. */
export const ServedEvent = z.looseObject({
  type: z.string(),
  sequence_number: z.number(),
  response: z.looseObject({ id: z.string(), status: z.string() }).optional(),
});
export type ServedEvent = z.infer<typeof ServedEvent>;

/**
 * Reads the events of an answer as they come.
 * @throws Error when the answer is no event stream, or when an event's name differs from its type.
 */
export async function* readServedEvents(answer: Response): AsyncGenerator<ServedEvent> {
  const type = answer.headers.get("content-type") ?? "";
  if (!answer.ok || answer.body === null || !type.startsWith("text/event-stream")) {
    throw new Error(`No event stream: ${answer.status} ${await answer.text()}`);
  }
  const decoder = new TextDecoder();
  let lines: string[] = [];
  const parts: string[] = [];
  for await (const chunk of answer.body) {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n");
    parts.push(first);
    for (const next of more) {
      const line = parts.splice(0).join("");
      parts.push(next);
      if (line !== "") lines.push(line);
      else {
        if (lines[0]?.startsWith(":") !== true) yield parseEvent(lines);
        lines = [];
      }
    }
  }
  if (lines.length > 0 || parts.join("") !== "") throw new Error("The last event is incomplete.");
}

/** All events of an answer. */
export async function readAllServedEvents(answer: Response): Promise<ServedEvent[]> {
  const events: ServedEvent[] = [];
  for await (const event of readServedEvents(answer)) events.push(event);
  return events;
}

function parseEvent([name = "", data = "", ...more]: string[]): ServedEvent {
  if (!data.startsWith("data: ") || more.length > 0) throw new Error(`An odd event: ${name}`);
  const event = ServedEvent.parse(JSON.parse(data.slice("data: ".length)));
  if (name !== `event: ${event.type}`) throw new Error(`${name} names a ${event.type}.`);
  return event;
}

/** Members that differ from run to run. */
const OF_A_RUN = new Set(["created_at", "completed_at", "obfuscation"]);

/** Events without what differs from run to run: ids are numbered by their first appearance, and times are left out. */
export function withoutRun(events: ServedEvent[]): unknown {
  const ids = new Map<string, string>();
  const toName = (id: string) => {
    const name = ids.get(id) ?? `id ${ids.size}`;
    ids.set(id, name);
    return name;
  };
  const json = JSON.stringify(events, (key, value: unknown) =>
    OF_A_RUN.has(key) ? undefined : value,
  );
  return JSON.parse(json.replaceAll(/\b(?:resp|ci|cntr|msg)_\w+/g, toName));
}
