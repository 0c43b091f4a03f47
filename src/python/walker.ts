// Visits the code that runs, in the order in which it runs.
import type { SyntaxNode } from "@lezer/common";
import { bindImport, bindParameters, bindTargets, rootName } from "./bindings.ts";
import { calleeName, nodeText } from "./calls.ts";
import { deadParts, isAfterEnd } from "./dead-code.ts";
import { callReason, isStandardStream } from "./effects.ts";
import { trackFigures, withFigures } from "./figures.ts";
import type { Binding } from "./scope.ts";
import { mutesOf, trackSettings } from "./settings.ts";
import { suspect, type Pending, type State } from "./state.ts";
import { childNamed, children, childrenNamed } from "./syntax-tree.ts";
import { hold, holdResult, isStream, mention, mentionMember, noteReading, use } from "./uses.ts";
import { comparesIdentityOfLiteral, divisionMayWarn, isSliceOfFrame } from "./warnings.ts";

type Visitor = (node: SyntaxNode, state: State, stored: boolean) => void;

const VISITORS: Readonly<Record<string, Visitor>> = {
  ImportStatement: bindImport,
  FunctionDefinition: (node, state) => void defineFunction(node, state),
  ClassDefinition: defineClass,
  DecoratedStatement: (node, state) => void visitDecorated(node, state),
  LambdaExpression: visitLambda,
  AssignStatement: visitAssignment,
  NamedExpression: visitAssignment,
  ForStatement: visitLoop,
  WhileStatement: visitUncertain,
  IfStatement: visitUncertain,
  TryStatement: visitUncertain,
  MatchStatement: visitUncertain,
  ConditionalExpression: visitUncertain,
  BinaryExpression: visitOperation,
  WithStatement: visitWith,
  DeleteStatement: visitDeletion,
  ScopeStatement: () => {},
  CallExpression: visitCall,
  MemberExpression: visitMember,
  VariableName: (node, state, stored) =>
    stored ? noteReading(nodeText(node, state), state) : mention(node, state),
  ReturnStatement: (node, state) => visitAll(node, state, true),
  YieldStatement: (node, state) => visitAll(node, state, true),
  YieldExpression: (node, state) => visitAll(node, state, true),
  // Python 2's: Python 3 has a function.
  PrintStatement: (_, state) => suspect(state, "has a print statement"),
  RaiseStatement: visitRaise,
  CapturePattern: (node, state) => bindTargets(children(node), [], state),
};
/** Expressions whose value keeps the values of their parts. */
const KEEPS_PARTS = /^(?:Array|Tuple|Dictionary|Set|Parenthesized|Conditional)Expression$/;
const COMPREHENSION = /Comprehension/;

/** Visits a statement, and everything that it can run. */
export function visitStatement(statement: SyntaxNode, state: State): void {
  visit(statement, state, false);
  const { code, certain, mutes } = state;
  state.certain = false;
  for (let next = nextPending(state); next !== undefined; next = nextPending(state)) {
    const { node, mode, binding } = next;
    state.code = next.code;
    state.mutes = next.mutes;
    if (mode === "hold") hold(node, state);
    else visitBody(node, binding, state);
  }
  Object.assign(state, { code, certain, mutes });
}

// What runs comes first: it binds the names in what it returns.
function nextPending({ pending }: State): Pending | undefined {
  return pending.run.pop() ?? pending.hold.pop();
}

function visitBody(node: SyntaxNode, binding: Binding | null, state: State): void {
  const before = state.figures;
  bindParameters(childNamed(node, "ParamList"), state);
  const body = node.lastChild;
  if (body !== null) visit(body, state, body.name !== "Body");
  if (state.figures <= before || binding === null) return;
  state.openers.add(binding);
  if (state.repeated.has(binding)) state.figures = Infinity;
}

function visit(node: SyntaxNode, state: State, stored: boolean): void {
  if (COMPREHENSION.test(node.name)) return visitComprehension(node, state);
  const visitor = VISITORS[node.name];
  if (visitor === undefined) visitAll(node, state, stored && KEEPS_PARTS.test(node.name));
  else visitor(node, state, stored);
}

function visitAll(node: SyntaxNode, state: State, stored: boolean): void {
  for (const child of children(node)) {
    if (isAfterEnd(child)) return;
    visit(child, state, stored);
  }
}

// Defaults are computed where the function is defined, its body only where it is called.
function defineFunction(node: SyntaxNode, state: State, runsByItself = false): Binding {
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
    if (part.name === "CallExpression") visit(part, state, true);
  }
  return binding;
}

// A class whose base is not the notebook's own can have any of its methods called by that base.
function defineClass(node: SyntaxNode, state: State): void {
  const bases = childNamed(node, "ArgList");
  if (bases !== null) visitAll(bases, state, true);
  for (const base of childrenNamed(bases, "VariableName"))
    use(nodeText(base, state), state, "subclass");
  const methods: Binding[] = [];
  const { certain } = state;
  state.certain = false;
  for (const part of children(childNamed(node, "Body") ?? node)) {
    const method = part.name === "FunctionDefinition" ? defineFunction(part, state) : null;
    const decorated = part.name === "DecoratedStatement" ? visitDecorated(part, state) : null;
    const defined = method ?? decorated;
    if (defined === null) visit(part, state, false);
    else if (bases !== null || isSpecial(defined)) methods.push(defined);
  }
  state.certain = certain;
  const binding: Binding = { kind: "class", node, methods, code: state.code };
  state.scope.bind(nodeText(childNamed(node, "VariableName"), state), binding, certain);
}

function isSpecial(binding: Binding): boolean {
  return (
    binding.kind === "function" &&
    nodeText(childNamed(binding.node, "VariableName"), binding).startsWith("__")
  );
}

// A decorator may call what it decorates, at once or later in its place.
function visitDecorated(node: SyntaxNode, state: State): Binding | null {
  const decorators = childrenNamed(node, "Decorator");
  const names = decorators.map((decorator) =>
    nodeText(childrenNamed(decorator, "VariableName").at(-1) ?? null, state),
  );
  const calls = !names.every((name) => state.vocabulary.quietDecorators.has(name));
  for (const decorator of decorators) visitAll(decorator, state, !calls);
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
  const name = nodeText(childNamed(definition, "VariableName"), state);
  for (const decorator of decorators) {
    if (calls)
      state.scope.bind(name, { kind: "value", nodes: [decorator], code: state.code }, false);
  }
  if (calls) use(name, state);
  return binding;
}

// A lambda that is kept runs when what keeps it is used.
function visitLambda(node: SyntaxNode, state: State, stored: boolean): void {
  if (!stored) hold(node, state);
}

function visitAssignment(node: SyntaxNode, state: State): void {
  const parts = children(node);
  const last = parts.findLastIndex((part) => part.name === "AssignOp");
  if (last === -1) return;
  const value = parts.slice(last + 1);
  const targets = parts
    .slice(0, last)
    .filter((part) => part.name !== "AssignOp" && part.name !== "TypeDef");
  for (const part of value) visit(part, state, true);
  for (const target of targets) visitTarget(target, state);
  bindTargets(targets, value, state);
}

// Assigning to an item or an attribute can run a method of the object.
function visitTarget(target: SyntaxNode, state: State): void {
  if (target.name !== "MemberExpression") return;
  const isItem = childNamed(target, "PropertyName") === null;
  if (isItem && isSliceOfFrame(target.firstChild, state))
    suspect(state, "may get a warning from pandas");
  const root = rootName(target);
  if (root !== null && !isStandardStream(state.scope.paths(target, state)[0] ?? ""))
    mention(root, state);
}

function visitLoop(node: SyntaxNode, state: State): void {
  const parts = children(node);
  const at = parts.findIndex((part) => part.name === "in");
  const body = parts.findIndex((part) => part.name === "Body");
  const iterated = parts.slice(at + 1, body);
  for (const part of iterated) visit(part, state, false);
  visitRepeated(state, () => {
    bindTargets(parts.slice(1, at), iterated, state);
    for (const part of parts.slice(body)) visit(part, state, false);
  });
}

// What is iterated comes before what is made of each element.
function visitComprehension(node: SyntaxNode, state: State): void {
  const parts = children(node);
  const first = parts.findIndex((part) => part.name === "for" || part.name === "async");
  visitRepeated(state, () => {
    parts.forEach((part, index) => {
      if (part.name !== "for") return;
      const at = parts.findIndex((other, position) => position > index && other.name === "in");
      const iterated = parts.slice(at + 1, at + 2);
      for (const one of iterated) visit(one, state, false);
      bindTargets(parts.slice(index + 1, at), iterated, state);
    });
    const isTarget = new Set(parts.filter((_, index) => parts[index - 1]?.name === "for"));
    for (const part of [...parts.slice(first), ...parts.slice(0, first)]) {
      if (!isTarget.has(part)) visit(part, state, false);
    }
  });
}

function visitRepeated(state: State, visitParts: () => void): void {
  const { certain, repeats } = state;
  Object.assign(state, { certain: false, repeats: true });
  withFigures(state, true, visitParts);
  Object.assign(state, { certain, repeats });
}

function visitUncertain(node: SyntaxNode, state: State, stored: boolean): void {
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
    else if (!dead.has(part.from)) visit(part, state, stored);
  });
}

function visitOperation(node: SyntaxNode, state: State): void {
  if (divisionMayWarn(node, state)) suspect(state, "may get a warning from numpy");
  if (comparesIdentityOfLiteral(node)) suspect(state, "gets a warning from Python");
  const { certain } = state;
  if (childNamed(node, "and") !== null || childNamed(node, "or") !== null) state.certain = false;
  visitAll(node, state, false);
  state.certain = certain;
}

function visitWith(node: SyntaxNode, state: State): void {
  const { mutes } = state;
  const parts = children(node);
  parts.forEach((part, index) => {
    if (part.name === "Body") state.mutes = mutesOf(node, state);
    if (parts[index - 1]?.name !== "as") return visit(part, state, false);
    bindTargets([part], parts.slice(index - 2, index - 1), state);
  });
  state.mutes = mutes;
}

function visitDeletion(node: SyntaxNode, state: State): void {
  for (const part of children(node)) {
    if (part.name === "VariableName") use(nodeText(part, state), state);
    else visit(part, state, false);
  }
  if (!state.certain) return;
  for (const part of childrenNamed(node, "VariableName")) state.scope.forget(nodeText(part, state));
}

// Nobody catches what a thread or a finalizer raises: it is written to stderr.
function visitRaise(node: SyntaxNode, state: State): void {
  const isUncaught = state.imports.has("threading") || enclosingFunction(node, state) === "__del__";
  if (isUncaught && !state.certain) suspect(state, "may raise where nothing catches it");
  visitAll(node, state, false);
}

function enclosingFunction(node: SyntaxNode, state: State): string {
  let parent = node.parent;
  while (parent !== null && parent.name !== "FunctionDefinition") parent = parent.parent;
  return nodeText(childNamed(parent, "VariableName") ?? null, state);
}

// An attribute that is kept runs later; a property runs now.
function visitMember(node: SyntaxNode, state: State, stored: boolean): void {
  if (!stored) return mentionMember(node, state);
  const name = nodeText(childNamed(node, "PropertyName"), state);
  if (state.scope.get(name).some((binding) => binding.kind === "function" && binding.runsByItself))
    use(name, state);
  for (const child of children(node)) visit(child, state, stored);
}

function visitCall(call: SyntaxNode, state: State, stored: boolean): void {
  const { firstChild: callee } = call;
  const args = childNamed(call, "ArgList");
  const paths = state.scope.paths(callee, state);
  trackSettings(call, paths, state);
  trackFigures(call, paths, state);
  suspect(state, callReason(call, paths, state));
  if (isUnawaited(call, state)) suspect(state, "calls a coroutine and doesn't await it");
  if (callee !== null) visitCallee(callee, state);
  const keeps = paths.some((path) =>
    state.vocabulary.keepers.has(path.slice(path.lastIndexOf(".") + 1)),
  );
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
  if (callee.name !== "MemberExpression") return visit(callee, state, false);
  use(nodeText(childNamed(callee, "PropertyName"), state), state);
  for (const child of children(callee)) {
    if (child.name !== "PropertyName" && !isStream(child, state)) visit(child, state, false);
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
