import { hasPairs } from "../lib/match.ts";
import { validate } from "../validation.ts";
import { Script } from "./schema.ts";

/** The parts of a create request that scripts are matched against. */
export interface ScriptTarget {
  /** The text of the last user message. */
  input: string;
  model: string;
  metadata: Record<string, string>;
  toolTypes: string[];
  /** By lower-case name. */
  headers: Record<string, string>;
  turn: number;
}

interface Entry {
  script: Script;
  left: number;
}

/** The active scripts, oldest first. */
export class Scripts {
  readonly #entries: Entry[] = [];

  /** Adds a script. Throws the API's 400 if it is malformed. */
  add(params: unknown): void {
    const script = validate(Script, params);
    this.#entries.push({ script, left: script.times });
  }

  /** Each script with `left`, its remaining uses. */
  list(): (Script & { left: number })[] {
    return this.#entries.map(({ script, left }) => ({ ...script, left }));
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** Returns the oldest script that matches the request, and counts its use. */
  takeMatching(target: ScriptTarget): Script | null {
    const entry = this.#entries.find(({ script, left }) => left !== 0 && matches(script, target));
    if (!entry) return null;
    if (entry.left > 0) entry.left -= 1;
    return entry.script;
  }
}

function matches({ match }: Script, target: ScriptTarget): boolean {
  const { input, model, metadata, tool, header, turn } = match;
  if (model !== undefined && model !== target.model) return false;
  if (turn !== undefined && turn !== target.turn) return false;
  if (tool !== undefined && !target.toolTypes.includes(tool)) return false;
  if (!hasPairs(metadata, target.metadata)) return false;
  if (!hasPairs(lowerKeys(header), target.headers)) return false;
  return input === undefined || new RegExp(input).test(target.input);
}

function lowerKeys(record: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key.toLowerCase(), value]),
  );
}
