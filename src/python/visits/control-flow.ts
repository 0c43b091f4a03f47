// Visits loops, branches and blocks.
import type { SyntaxNode } from "@lezer/common";
import { bindTargets } from "./bindings.ts";
import { nodeText } from "../syntax/calls.ts";
import { deadParts } from "./dead-code.ts";
import { withFigures } from "../effects/figures.ts";
import { mutesOf, restoresWarnings } from "../effects/settings.ts";
import { suspect, visitAll, type State } from "../state/state.ts";
import { childNamed, children } from "../syntax/syntax-tree.ts";

/** Visits a `for`. What it iterates is read as what the targets hold. */
export function visitLoop(node: SyntaxNode, state: State): void {
  const parts = children(node);
  const at = parts.findIndex((part) => part.name === "in");
  const body = parts.findIndex((part) => part.name === "Body");
  const iterated = parts.slice(at + 1, body);
  for (const part of iterated) state.visit(part, state, false);
  visitRepeated(state, () => {
    bindTargets(parts.slice(1, at), iterated, state);
    for (const part of parts.slice(body)) state.visit(part, state, false);
  });
}

/** Visits a comprehension: what is iterated comes before what is made of each element. */
export function visitComprehension(node: SyntaxNode, state: State): void {
  const parts = children(node);
  const first = parts.findIndex((part) => part.name === "for" || part.name === "async");
  visitRepeated(state, () => {
    parts.forEach((part, index) => {
      if (part.name !== "for") return;
      const at = parts.findIndex((other, position) => position > index && other.name === "in");
      const iterated = parts.slice(at + 1, at + 2);
      for (const one of iterated) state.visit(one, state, false);
      bindTargets(parts.slice(index + 1, at), iterated, state);
    });
    const isTarget = new Set(parts.filter((_, index) => parts[index - 1]?.name === "for"));
    for (const part of [...parts.slice(first), ...parts.slice(0, first)]) {
      if (!isTarget.has(part)) state.visit(part, state, false);
    }
  });
}

function visitRepeated(state: State, visitParts: () => void): void {
  const { certain, repeats } = state;
  Object.assign(state, { certain: false, repeats: true });
  withFigures(state, true, visitParts);
  Object.assign(state, { certain, repeats });
}

/** Visits what may not run, or not all of it. */
export function visitUncertain(node: SyntaxNode, state: State, stored: boolean): void {
  if (node.name === "WhileStatement")
    return visitRepeated(state, () => visitBranches(node, state, false));
  const { certain } = state;
  state.certain = false;
  withFigures(state, false, () => visitBranches(node, state, stored));
  state.certain = certain;
}

function visitBranches(node: SyntaxNode, state: State, stored: boolean): void {
  const dead = deadParts(node, state);
  children(node).forEach((part, index, parts) => {
    const isName = parts[index - 1]?.name === "as";
    if (isName) bindTargets([part], [], state);
    else if (!dead.has(part.from))
      state.visit(part, state, stored && parts[index - 1]?.name !== "if");
  });
}

/** Visits a `with`, and what it keeps from being shown. */
export function visitWith(node: SyntaxNode, state: State): void {
  const { mutes, settings } = state;
  const { ignoresWarnings } = settings;
  const parts = children(node);
  parts.forEach((part, index) => {
    if (part.name === "Body") state.mutes = mutesOf(node, state);
    if (parts[index - 1]?.name !== "as") return state.visit(part, state, false);
    bindTargets([part], parts.slice(index - 2, index - 1), state);
  });
  state.mutes = mutes;
  if (restoresWarnings(node, state)) settings.ignoresWarnings = ignoresWarnings;
}

/** Visits a `raise`. Nothing catches what a thread, a task or a finalizer raises: it is written to stderr. */
export function visitRaise(node: SyntaxNode, state: State): void {
  const isUncaught =
    state.imports.has("threading") ||
    state.imports.has("asyncio") ||
    enclosingFunction(node, state) === "__del__";
  if (isUncaught && !state.certain) suspect(state, "may raise where nothing catches it");
  visitAll(node, state, false);
}

function enclosingFunction(node: SyntaxNode, state: State): string {
  let parent = node.parent;
  while (parent !== null && parent.name !== "FunctionDefinition") parent = parent.parent;
  return nodeText(childNamed(parent, "VariableName") ?? null, state);
}
