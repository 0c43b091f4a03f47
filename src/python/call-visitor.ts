// Visits calls.
import type { SyntaxNode } from "@lezer/common";
import { rootName } from "./bindings.ts";
import { calleeName, nodeText } from "./calls.ts";
import { callReason, lastName } from "./effects.ts";
import { trackFigures } from "./figures.ts";
import { trackSettings } from "./settings.ts";
import { suspect, visitAll, type State } from "./state.ts";
import { childNamed, children } from "./syntax-tree.ts";
import { holdResult, isStream, noteReading, use } from "./uses.ts";

/** Visits a call: what it shows, what it sets up, and the code that it runs. */
export function visitCall(call: SyntaxNode, state: State, stored: boolean): void {
  const { firstChild: callee } = call;
  const args = childNamed(call, "ArgList");
  const paths = state.scope.paths(callee, state);
  trackSettings(call, paths, state);
  trackFigures(call, paths, state);
  suspect(state, callReason(call, paths, state));
  if (isUnawaited(call, state)) suspect(state, "calls a coroutine and doesn't await it");
  if (callee !== null) visitCallee(callee, state);
  const keeps = paths.some((path) => state.vocabulary.keepers.has(lastName(path)));
  if (args !== null) visitAll(args, state, keeps);
  if (args !== null && callee?.name === "MemberExpression") keepFunctions(callee, args, state);
  if (!stored && call.parent?.name !== "ExpressionStatement") holdResult(call, state);
}

function isUnawaited(call: SyntaxNode, state: State): boolean {
  if (call.parent?.name !== "ExpressionStatement") return false;
  return state.scope
    .get(calleeName(call, state))
    .some((binding) => binding.kind === "function" && childNamed(binding.node, "async") !== null);
}

function visitCallee(callee: SyntaxNode, state: State): void {
  if (callee.name === "VariableName") {
    noteReading(nodeText(callee, state), state);
    return use(nodeText(callee, state), state, "call");
  }
  if (callee.name !== "MemberExpression") return state.visit(callee, state, false);
  use(nodeText(childNamed(callee, "PropertyName"), state), state);
  for (const child of children(callee)) {
    if (child.name !== "PropertyName" && !isStream(child, state)) state.visit(child, state, false);
  }
}

// An object that gets a function can call it later.
function keepFunctions(callee: SyntaxNode, args: SyntaxNode, state: State): void {
  const root = rootName(callee);
  const functions = children(args).filter(
    (arg) =>
      arg.name === "LambdaExpression" ||
      (arg.name === "VariableName" &&
        state.scope.get(nodeText(arg, state)).some((binding) => binding.kind === "function")),
  );
  if (root === null || functions.length === 0) return;
  const name = nodeText(root, state);
  for (const node of functions)
    state.scope.bind(name, { kind: "value", nodes: [node], code: state.code }, false);
}
