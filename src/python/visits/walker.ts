// Visits the code that runs, in the order in which it runs.
import type { SyntaxNode } from "@lezer/common";
import { bindImport, bindParameters, bindTargets, rootName } from "./bindings.ts";
import { visitCall } from "./call-visitor.ts";
import { isKeywordName, nodeText } from "../syntax/calls.ts";
import {
  visitComprehension,
  visitLoop,
  visitRaise,
  visitUncertain,
  visitWith,
} from "./control-flow.ts";
import { defineClass, defineFunction, visitDecorated } from "./definitions.ts";
import { isStandardStream } from "../effects/effects.ts";
import type { Binding } from "../state/scope.ts";
import { suspect, visitAll, type Pending, type State, type Visit } from "../state/state.ts";
import { childNamed, children, childrenNamed } from "../syntax/syntax-tree.ts";
import { hold, isStream, mention, mentionMember, noteReading, use, useBinding } from "./uses.ts";
import { comparesIdentityOfLiteral, divisionMayWarn, isSliceOfFrame } from "../effects/warnings.ts";

const VISITORS: Readonly<Record<string, Visit>> = {
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
  DictionaryExpression: visitDictionary,
  BinaryExpression: visitOperation,
  UpdateStatement: visitOperation,
  WithStatement: visitWith,
  DeleteStatement: visitDeletion,
  ScopeStatement: () => {},
  CallExpression: visitCall,
  MemberExpression: visitMember,
  VariableName: visitName,
  ReturnStatement: (node, state) => visitAll(node, state, true),
  YieldStatement: (node, state) => visitAll(node, state, true),
  YieldExpression: (node, state) => visitAll(node, state, true),
  // Python 2's: Python 3 has a function.
  PrintStatement: (_, state) => suspect(state, "has a print statement"),
  RaiseStatement: visitRaise,
  CapturePattern: (node, state) => bindTargets(children(node), [], state),
};
/** Expressions whose value keeps the values of their parts. */
const KEEPS_PARTS = /^(?:Array|Tuple|Parenthesized)Expression$/;

/** Visits a part of the code. */
export function visit(node: SyntaxNode, state: State, stored: boolean): void {
  if (isComprehension(node)) return visitComprehension(node, state);
  const visitor = VISITORS[node.name];
  if (visitor === undefined) visitAll(node, state, stored && KEEPS_PARTS.test(node.name));
  else visitor(node, state, stored);
}

// The generator of `sum(i for i in x)` has no node of its own.
function isComprehension(node: SyntaxNode): boolean {
  if (node.name === "ArgList") return childNamed(node, "for") !== null;
  return node.name.endsWith("ComprehensionExpression");
}

/** Visits a statement, and everything that it can run. */
export function visitStatement(statement: SyntaxNode, state: State): void {
  visit(statement, state, false);
  runPending(state);
}

/** Runs methods that an earlier call defined, and that can run at any time. */
export function runFinalizers(finalizers: readonly Binding[], state: State): void {
  for (const finalizer of finalizers) useBinding(finalizer, state, "run");
  runPending(state);
}

function runPending(state: State): void {
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
  if (body !== null) state.visit(body, state, body.name !== "Body");
  if (state.figures <= before || binding === null) return;
  state.openers.add(binding);
  if (state.repeated.has(binding)) state.figures = Infinity;
}

function visitName(node: SyntaxNode, state: State, stored: boolean): void {
  if (isKeywordName(node)) return;
  if (stored) noteReading(nodeText(node, state), state);
  else mention(node, state);
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
  for (const part of value) state.visit(part, state, true);
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

function visitOperation(node: SyntaxNode, state: State): void {
  if (divisionMayWarn(node, state)) suspect(state, "may get a warning from numpy");
  if (comparesIdentityOfLiteral(node)) suspect(state, "gets a warning from Python");
  const { certain } = state;
  if (childNamed(node, "and") !== null || childNamed(node, "or") !== null) state.certain = false;
  visitAll(node, state, false);
  state.certain = certain;
}

// A key is hashed, a value is only kept.
function visitDictionary(node: SyntaxNode, state: State, stored: boolean): void {
  for (const part of children(node)) {
    state.visit(part, state, stored && part.nextSibling?.name !== ":");
  }
}

function visitDeletion(node: SyntaxNode, state: State): void {
  for (const part of children(node)) {
    if (part.name === "VariableName") use(nodeText(part, state), state);
    else state.visit(part, state, false);
  }
  if (!state.certain) return;
  for (const part of childrenNamed(node, "VariableName")) state.scope.forget(nodeText(part, state));
}

// An attribute that is kept runs later; a property runs now.
function visitMember(node: SyntaxNode, state: State, stored: boolean): void {
  if (!stored) return mentionMember(node, state);
  const name = nodeText(childNamed(node, "PropertyName"), state);
  if (state.scope.get(name).some((binding) => binding.kind === "function" && binding.runsByItself))
    use(name, state);
  for (const child of children(node)) {
    if (!isStream(node, state)) state.visit(child, state, false);
  }
}
