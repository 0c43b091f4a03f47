// What using a name, or a value, can run.
import type { SyntaxNode } from "@lezer/common";
import { isKeywordName, nodeText } from "../syntax/calls.ts";
import { isPrinter, isStandardStream, lastName } from "../effects/effects.ts";
import { BUILTIN_NAMES } from "../words/modules.ts";
import type { Binding } from "../state/scope.ts";
import { suspect, type Pending, type State } from "../state/state.ts";
import { childNamed, children, childrenNamed, DEFINITIONS } from "../syntax/syntax-tree.ts";

/** Python names that the notebook binds itself: `_`, `_1`, `_i2`. */
const HISTORY = /^_+i*\d*$/;

/** Methods that run when a class is called. */
const CONSTRUCTORS = new Set([
  "__init__",
  "__new__",
  "__post_init__",
  "__del__",
  "__call__",
  "__set_name__",
]);
/** Methods that run when a class is derived. */
const SUBCLASS_HOOKS = new Set(["__init_subclass__", "__set_name__"]);

/** How a name is used: `call` calls it, `result` uses what calling it gave, `run` does both. */
type Use = "run" | "call" | "result" | "subclass";

/** Uses a name: what it can run is read later. */
export function use(name: string, state: State, how: Use = "run"): void {
  for (const binding of state.scope.get(name)) useBinding(binding, state, how);
}

/** Uses one meaning of a name. */
export function useBinding(binding: Binding, state: State, how: Use): void {
  if (binding.kind === "module" || countUse(binding, state, how) > 1) return;
  if (binding.kind === "value")
    return binding.nodes.forEach((node) => addPending(node, "hold", binding, state));
  if (binding.kind === "class") return useClass(binding, state, how);
  // Calling a generator function runs nothing of it: reading the generator does.
  if (how === "run" || (how === "result") === isGenerator(binding.node))
    addPending(binding.node, "run", binding, state);
  if (how !== "result") return;
  for (const result of returned(binding.node)) addPending(result, "hold", binding, state);
}

function useClass(binding: Binding & { kind: "class" }, state: State, how: Use): void {
  for (const method of binding.methods) {
    if (runsMethod(method, how)) useBinding(method, state, "run");
  }
  const bases = childNamed(binding.node, "ArgList");
  for (const base of bases === null ? [] : children(bases)) {
    if (base.name === "VariableName") use(nodeText(base, binding), state, how);
  }
}

function runsMethod(method: Binding, how: Use): boolean {
  if (method.kind !== "function") return false;
  const name = nodeText(childNamed(method.node, "VariableName"), method);
  if (how === "call") return CONSTRUCTORS.has(name);
  if (how === "subclass") return SUBCLASS_HOOKS.has(name);
  return how === "run" || name === "__del__" || !CONSTRUCTORS.has(name);
}

// What is used where nothing is muted must be read even if it was read before.
function countUse(binding: Binding, state: State, how: Use): number {
  const key = `${how} ${state.mutes.all} ${state.mutes.stdout}`;
  const uses = state.uses.get(key) ?? new Map<Binding, number>();
  state.uses.set(key, uses);
  const count = (uses.get(binding) ?? 0) + 1;
  uses.set(binding, count);
  if (state.repeats || count > 1) state.repeated.add(binding);
  if (count > 1 && state.openers.has(binding)) state.figures = Infinity;
  return count;
}

function addPending(
  node: SyntaxNode,
  mode: Pending["mode"],
  binding: Binding & { code: string },
  state: State,
): void {
  state.pending[mode].push({ node, mode, code: binding.code, binding, mutes: state.mutes });
}

function isGenerator(node: SyntaxNode): boolean {
  if (node.name.startsWith("Yield")) return true;
  return children(node).some((child) => !DEFINITIONS.has(child.name) && isGenerator(child));
}

/** What a function returns or yields. */
function returned(node: SyntaxNode): SyntaxNode[] {
  if (node.name === "LambdaExpression") return children(node).slice(-1);
  return children(node).flatMap((child) => {
    if (DEFINITIONS.has(child.name)) return [];
    if (/^(?:Return|Yield)/.test(child.name)) return children(child).slice(1);
    return returned(child);
  });
}

/** Reads an expression for what its value can run, such as functions in a list. Calls in it were made already. */
export function hold(node: SyntaxNode, state: State): void {
  if (node.name === "LambdaExpression") {
    state.pending.run.push({
      node,
      mode: "run",
      code: state.code,
      binding: null,
      mutes: state.mutes,
    });
  } else if (node.name === "CallExpression") holdResult(node, state);
  else if (node.name === "Decorator") holdDecorated(node, state);
  else if (node.name === "MemberExpression") mentionMember(node, state);
  else if (node.name === "VariableName") holdName(node, state);
  else for (const child of children(node)) hold(child, state);
}

// A function that is held can be called, and so can what it returns.
function holdName(node: SyntaxNode, state: State): void {
  mention(node, state);
  use(nodeText(node, state), state, "result");
}

// What is decorated is what the decorator returned.
function holdDecorated(decorator: SyntaxNode, state: State): void {
  const name = childrenNamed(decorator, "VariableName").at(-1) ?? null;
  use(nodeText(name, state), state, "run");
  use(nodeText(name, state), state, "result");
}

/** Reads a call for what its result can run. */
export function holdResult(call: SyntaxNode, state: State): void {
  const [callee, args] = children(call);
  if (callee?.name === "VariableName") use(nodeText(callee, state), state, "result");
  else if (callee?.name === "MemberExpression") {
    use(nodeText(childNamed(callee, "PropertyName"), state), state, "result");
    if (callee.firstChild !== null && !isStream(callee.firstChild, state))
      hold(callee.firstChild, state);
  } else if (callee !== undefined) hold(callee, state);
  if (args !== undefined) hold(args, state);
}

/** A name that stands for its value: passed on, or part of an expression. */
export function mention(node: SyntaxNode, state: State): void {
  if (isKeywordName(node)) return;
  const name = nodeText(node, state);
  noteReading(name, state);
  notePrinter(node, state);
  use(name, state);
}

/** An attribute or item that stands for its value. */
export function mentionMember(node: SyntaxNode, state: State): void {
  const property = childNamed(node, "PropertyName");
  notePrinter(node, state);
  if (property !== null) use(nodeText(property, state), state);
  for (const child of children(node)) {
    if (child.name === "PropertyName" || isStream(child, state)) continue;
    hold(child, state);
  }
}

/** Whether an expression is a standard stream. `sys.stdout.encoding` reads it, and doesn't write to it. */
export function isStream(node: SyntaxNode, state: State): boolean {
  return state.scope.paths(node, state).every((path) => isStandardStream(path));
}

function notePrinter(node: SyntaxNode, state: State): void {
  if (isModule(node, state)) return;
  for (const path of state.scope.paths(node, state)) {
    if (isStandardStream(path)) suspect(state, `uses ${nodeText(node, state)}`);
    const isMethod =
      path.includes(".") &&
      !/^(?:builtins|sys|IPython)\./.test(path) &&
      node.name === "MemberExpression";
    if (!isMethod && isPrinter(path, state)) suspect(state, `passes on ${lastName(path)}`);
  }
}

// `pprint` and `tqdm` are modules, too.
function isModule(node: SyntaxNode, { scope, code }: State): boolean {
  const bindings = node.name === "VariableName" ? scope.get(nodeText(node, { code })) : [];
  return bindings.some((binding) => binding.kind === "module" && !binding.path.includes("."));
}

/** Notes a name that no call binds: it is older than the response, or reading it raises. */
export function noteReading(name: string, state: State): void {
  if (state.boundSoFar.counts.has(name) || BUILTIN_NAMES.has(name) || HISTORY.test(name)) return;
  if (state.scope.hasStars || state.vocabulary.printers.has(name)) return;
  if (state.vocabulary.automagics.has(name)) return;
  if (state.hasUnknownNames) suspect(state, `uses ${name}, which no call defines`);
  else if (state.certain && !state.boundAnywhere.counts.has(name)) state.unbound.add(name);
}
