import * as z from "zod";
import { hasPairs, isPattern } from "../lib/match.ts";

/** A fault rule: which responses it spoils, how many, and how. */
export const Fault = z.strictObject({
  method: z.string().toUpperCase().optional(),
  path: z.string().refine(isPattern, "not a regular expression").optional(),
  /** Pairs that the query must contain, with the names as sent, such as "include[]". */
  query: z.record(z.string(), z.string()).optional(),
  /** Pairs that the metadata of the created or requested response must contain. */
  metadata: z.record(z.string(), z.string()).optional(),
  /** The number of responses to spoil; -1: all, until the rules are cleared. */
  times: z.int().min(-1).default(1),
  /** The number of matching requests to leave alone first. */
  after: z.int().min(0).default(0),
  kind: z.enum(["status", "hang", "gateway", "cut", "truncate", "html", "delay", "replace"]),
  status: z.int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
  /** The length of a `delay` (default 1), or the time until a `hang` closes the connection (default never). */
  seconds: z.number().min(0).optional(),
  patch: z.record(z.string(), z.unknown()).default({}),
  /** The number of events after which `cut` closes a stream's connection, or `hang` leaves it open without sending anything more. */
  after_events: z.int().min(0).optional(),
  /** The same after the first item of this type is done. */
  after_item: z.string().optional(),
  /** With `status`, `hang`, `cut` and `html`: the request is executed and only its response is lost. With `delay`: the response is late. */
  carry_out: z.boolean().default(false),
});
export type Fault = z.infer<typeof Fault>;

/** The parts of a request that a rule is matched against. */
export interface FaultTarget {
  method: string;
  path: string;
  query: Record<string, string[]>;
  /** The metadata of the response that the request creates or names. */
  metadata: Record<string, string>;
}

interface Rule {
  fault: Fault;
  left: number;
  skip: number;
}

/** The active fault rules, oldest first. */
export class FaultRules {
  readonly #rules: Rule[] = [];

  add(fault: Fault): void {
    this.#rules.push({ fault, left: fault.times, skip: fault.after });
  }

  /** Each rule with `left`, its remaining uses, and `skip`, the requests that it still leaves alone. */
  list(): (Fault & { left: number; skip: number })[] {
    return this.#rules.map(({ fault, left, skip }) => ({ ...fault, left, skip }));
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Returns the fault of the first rule that applies to the request, and counts its use. */
  takeMatching(target: FaultTarget): Fault | null {
    const rule = this.#rules.find(
      (candidate) => matchesTarget(candidate, target) && !countSkip(candidate),
    );
    if (!rule) return null;
    if (rule.left > 0) rule.left -= 1;
    return rule.fault;
  }
}

function matchesTarget({ fault, left }: Rule, target: FaultTarget): boolean {
  if (left === 0) return false;
  if (fault.method !== undefined && fault.method !== target.method) return false;
  if (!hasPairs(fault.metadata, target.metadata)) return false;
  const query = Object.entries(fault.query ?? {});
  if (query.some(([name, value]) => !target.query[name]?.includes(value))) return false;
  return fault.path === undefined || new RegExp(fault.path).test(target.path);
}

/** Counts a matching request that the rule leaves alone; false when there are none left to leave alone. */
function countSkip(rule: Rule): boolean {
  if (rule.skip === 0) return false;
  rule.skip -= 1;
  return true;
}
