import * as z from "zod";

/** A rule that spoils answers: which ones, how often, and how. */
export const Fault = z.strictObject({
  method: z.string().toUpperCase().optional(),
  path: z.string().refine(isPattern, "not a regular expression").optional(),
  /** Pairs that must be in the metadata of the response that is created or asked for. */
  metadata: z.record(z.string(), z.string()).optional(),
  /** How many answers to spoil; -1: all of them, until the rules are cleared. */
  times: z.int().min(-1).default(1),
  /** How many matching requests to leave alone first. */
  after: z.int().min(0).default(0),
  kind: z.enum(["status", "hang", "cut", "truncate", "html", "delay", "replace"]),
  status: z.int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
  /** How long a `delay` is (1), and after how long a `hang` ends in a closed connection (never). */
  seconds: z.number().min(0).optional(),
  patch: z.record(z.string(), z.unknown()).default({}),
  /** With `cut`: the connection of a stream ends after so many events; with `hang`: it stays open, and nothing more comes, not even its end. */
  after_events: z.int().min(0).optional(),
  /** With `status`, `hang`, `cut` and `html`: the request is carried out, only its answer is lost; with `delay`: it is late. */
  carry_out: z.boolean().default(false),
});
export type Fault = z.infer<typeof Fault>;

function isPattern(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

/** What a rule is compared with. */
export interface FaultTarget {
  method: string;
  path: string;
  /** The metadata of the response that it is about. */
  metadata: Record<string, string>;
}

interface Rule {
  fault: Fault;
  left: number;
  skip: number;
}

/** The rules in force, oldest first. */
export class FaultRules {
  readonly #rules: Rule[] = [];

  add(fault: Fault): void {
    this.#rules.push({ fault, left: fault.times, skip: fault.after });
  }

  /** Each rule with how often it will still be used. */
  list(): (Fault & { left: number; skip: number })[] {
    return this.#rules.map(({ fault, left, skip }) => ({ ...fault, left, skip }));
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Gives the first rule that fits the request, and counts its use. */
  takeMatching(asked: FaultTarget): Fault | null {
    const rule = this.#rules.find((candidate) => isDue(candidate, asked));
    if (!rule) return null;
    if (rule.left > 0) rule.left -= 1;
    return rule.fault;
  }
}

function isDue(rule: Rule, { method, path, metadata }: FaultTarget): boolean {
  const { fault } = rule;
  if (rule.left === 0) return false;
  if (fault.method !== undefined && fault.method !== method) return false;
  const pairs = Object.entries(fault.metadata ?? {});
  if (pairs.some(([key, value]) => metadata[key] !== value)) return false;
  if (fault.path !== undefined && !new RegExp(fault.path).test(path)) return false;
  if (rule.skip === 0) return true;
  rule.skip -= 1;
  return false;
}
