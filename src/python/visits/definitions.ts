// Visits definitions of functions and classes.
import type { SyntaxNode } from "@lezer/common";
import { nodeText } from "../syntax/calls.ts";
import type { Binding } from "../state/scope.ts";
import { visitAll, type State } from "../state/state.ts";
import { childNamed, children, childrenNamed } from "../syntax/syntax-tree.ts";
import { use } from "./uses.ts";

/** Defines a function. Its defaults are computed here, its body runs only where it is called. */
export function defineFunction(node: SyntaxNode, state: State, runsByItself = false): Binding {
  const isMethod =
    node.parent?.parent?.name === "ClassDefinition" ||
    node.parent?.parent?.parent?.name === "ClassDefinition";
  const binding: Binding = { kind: "function", node, isMethod, runsByItself, code: state.code };
  state.scope.bind(
    nodeText(childNamed(node, "VariableName"), state),
    binding,
    state.certain && !isMethod,
  );
  for (const part of children(childNamed(node, "ParamList") ?? node)) {
    if (part.name === "CallExpression") state.visit(part, state, true);
  }
  return binding;
}

/** Defines a class. A base can call any of its methods. */
export function defineClass(node: SyntaxNode, state: State): void {
  const bases = childNamed(node, "ArgList");
  if (bases !== null) visitAll(bases, state, true);
  for (const base of childrenNamed(bases, "VariableName")) {
    const isKeyword = base.prevSibling?.name === "AssignOp";
    use(nodeText(base, state), state, isKeyword ? "run" : "subclass");
  }
  const methods: Binding[] = [];
  const { certain } = state;
  state.certain = false;
  for (const part of children(childNamed(node, "Body") ?? node)) {
    const method = part.name === "FunctionDefinition" ? defineFunction(part, state) : null;
    const decorated = part.name === "DecoratedStatement" ? visitDecorated(part, state) : null;
    const defined = method ?? decorated;
    if (defined === null) state.visit(part, state, false);
    else if (bases !== null || isSpecial(defined)) methods.push(defined);
  }
  state.certain = certain;
  state.finalizers.push(...methods.filter(isFinalizer));
  const binding: Binding = { kind: "class", node, methods, code: state.code };
  state.scope.bind(nodeText(childNamed(node, "VariableName"), state), binding, certain);
}

function isFinalizer(method: Binding): boolean {
  return (
    method.kind === "function" &&
    nodeText(childNamed(method.node, "VariableName"), method) === "__del__"
  );
}

function isSpecial(binding: Binding): boolean {
  return (
    binding.kind === "function" &&
    nodeText(childNamed(binding.node, "VariableName"), binding).startsWith("__")
  );
}

/** Defines what is decorated. A decorator may call it, at once or later in its place. */
export function visitDecorated(node: SyntaxNode, state: State): Binding | null {
  const decorators = childrenNamed(node, "Decorator");
  const names = decorators.map((decorator) =>
    nodeText(childrenNamed(decorator, "VariableName").at(-1) ?? null, state),
  );
  const calls = !names.every((name) => state.vocabulary.quietDecorators.has(name));
  for (const decorator of decorators) {
    for (const part of decoratorParts(decorator)) state.visit(part, state, !calls);
  }
  const definition = childNamed(node, "FunctionDefinition");
  if (definition === null) {
    visitAll(node, state, false);
    return null;
  }
  const binding = defineFunction(
    definition,
    state,
    names.some((name) => name.endsWith("property")),
  );
  if (!calls) return binding;
  const name = nodeText(childNamed(definition, "VariableName"), state);
  use(name, state);
  for (const decorator of decorators) {
    state.scope.bind(name, { kind: "value", nodes: [decorator], code: state.code }, false);
  }
  return binding;
}

// The names after the first one are attributes.
function decoratorParts(decorator: SyntaxNode): SyntaxNode[] {
  const name = childNamed(decorator, "VariableName");
  const args = childNamed(decorator, "ArgList");
  return [name, args].filter((part) => part !== null);
}
