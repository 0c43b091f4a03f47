// Code that never runs.
import type { SyntaxNode } from "@lezer/common";
import { nodeText } from "../syntax/calls.ts";
import type { State } from "../state/state.ts";
import { children } from "../syntax/syntax-tree.ts";

const NEVER_TRUE = /^(?:False|None|0|''|""|\[\]|\{\}|\(\))$/;

const BEGINS_BRANCH = new Set(["if", "elif", "while"]);

/** Where the branches of a statement begin that never run. */
export function deadParts(node: SyntaxNode, state: State): ReadonlySet<number> {
  const parts = children(node);
  const dead = parts.filter((part, index) => {
    const condition = parts[index - 1];
    if (part.name !== "Body" || condition === undefined) return false;
    return BEGINS_BRANCH.has(parts[index - 2]?.name ?? "") && isNever(condition, state);
  });
  return new Set(dead.map((part) => part.from));
}

function isNever(condition: SyntaxNode, state: State): boolean {
  const text = nodeText(condition, state);
  if (NEVER_TRUE.test(text)) return true;
  if (condition.name !== "VariableName") return false;
  // Bound anywhere else, a loop or a call can bring the other value.
  if (state.boundAnywhere.counts.get(text) !== 1 || !state.scope.hides(text)) return false;
  const [binding] = state.scope.get(text);
  if (binding?.kind !== "value" || binding.nodes.length !== 1) return false;
  return NEVER_TRUE.test(nodeText(binding.nodes[0] ?? null, binding));
}
