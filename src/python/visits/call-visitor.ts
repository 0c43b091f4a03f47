// Visits calls.
import type { SyntaxNode } from "@lezer/common";
import { rootName } from "./bindings.ts";
import { calleeName, nodeText } from "../syntax/calls.ts";
import { callReason, isPrinter, lastName } from "../effects/effects.ts";
import { trackFigures } from "../effects/figures.ts";
import type { Binding } from "../state/scope.ts";
import { trackSettings } from "../effects/settings.ts";
import { suspect, visitAll, type State } from "../state/state.ts";
import { childNamed, children, childrenNamed } from "../syntax/syntax-tree.ts";
import { holdResult, isStream, noteReading, use } from "./uses.ts";

/** Names that are followed to see whether an argument is a function. */
const MAX_ALIASES = 3;

/** Visits a call: what it shows, what it sets up, and the code that it runs. */
export function visitCall(call: SyntaxNode, state: State, stored: boolean): void {
  const { firstChild: callee } = call;
  const args = childNamed(call, "ArgList");
  const paths = state.scope.paths(callee, state);
  trackSettings(call, paths, state);
  trackFigures(call, paths, state);
  suspect(state, callReason(call, paths, state));
  if (isUnawaited(call, state)) suspect(state, "calls a coroutine and doesn't await it");
  if (callee !== null && args !== null) keepFunctions(callee, args, state);
  if (callee !== null) visitCallee(callee, state);
  const keeps = paths.some((path) => state.vocabulary.keepers.has(lastName(path)));
  if (args !== null) visitAll(args, state, keeps);
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

// The receiver of a function can call it later: an object, or a parameter of the notebook's own function.
function keepFunctions(callee: SyntaxNode, args: SyntaxNode, state: State): void {
  const functions = children(args).filter((arg) => isCallable(arg, state, 0));
  if (functions.length === 0) return;
  const value: Binding = { kind: "value", nodes: functions, code: state.code };
  const root = callee.name === "MemberExpression" ? rootName(callee) : null;
  const keepers = root === null ? [] : [nodeText(root, state)];
  for (const binding of state.scope.get(lastNameOf(callee, state))) {
    if (binding.kind === "function") keepers.push(...parameterNames(binding));
  }
  for (const name of keepers) state.scope.bind(name, value, false);
}

function lastNameOf(callee: SyntaxNode, state: State): string {
  return nodeText(childNamed(callee, "PropertyName") ?? callee, state);
}

function parameterNames({ node, code }: Binding & { kind: "function" }): string[] {
  const names = childrenNamed(childNamed(node, "ParamList"), "VariableName");
  return names.map((name) => nodeText(name, { code }));
}

function isCallable(node: SyntaxNode, state: State, aliases: number): boolean {
  if (node.name === "LambdaExpression") return true;
  if (node.name !== "VariableName" || aliases > MAX_ALIASES) return false;
  if (state.scope.paths(node, state).some((path) => isPrinter(path, state))) return true;
  return state.scope.get(nodeText(node, state)).some((binding) => {
    if (binding.kind !== "value") return binding.kind === "function" && !binding.isMethod;
    const source = { ...state, code: binding.code };
    return binding.nodes.some((value) => isCallable(value, source, aliases + 1));
  });
}
