// Whether a notebook shows the value of the last statement.
import type { SyntaxNode } from "@lezer/common";
import { calleeName, keywordArgument, positionalArguments } from "../syntax/calls.ts";
import type { Binding } from "../state/scope.ts";
import type { State } from "../state/state.ts";
import { childNamed, children, DEFINITIONS } from "../syntax/syntax-tree.ts";
import type { Vocabulary } from "../words/vocabulary.ts";

/** Functions that call each other are followed this far. */
const MAX_CALLS = 20;

/** Whether a notebook shows the value of the last statement: it does, unless the value is None or the cell ends in a semicolon. */
export function showsLastValue(statements: SyntaxNode[], state: State): boolean {
  const last = statements.filter((node) => node.name !== "Comment" && node.name !== ";").at(-1);
  if (last?.name !== "ExpressionStatement") return false;
  if (statements.some((node) => node.name === ";" && node.from >= last.to)) return false;
  if (/^[ \t]*;/.test(state.code.slice(last.to))) return false;
  const parts = children(last);
  return parts.length > 1 || !returnsNone(parts[0], state, 0);
}

function returnsNone(node: SyntaxNode | undefined, state: State, calls: number): boolean {
  if (node === undefined || node.name === "None") return true;
  const parts = children(node);
  const [first, second, , , fifth] = parts;
  switch (node.name) {
    case "ParenthesizedExpression":
      return parts.length <= 3 && returnsNone(second, state, calls);
    case "AwaitExpression":
      return second?.name === "CallExpression" && callReturnsNone(second, state, calls, true);
    case "ConditionalExpression":
      return returnsNone(first, state, calls) && returnsNone(fifth, state, calls);
    case "CallExpression":
      return callReturnsNone(node, state, calls, false);
    default:
      return false;
  }
}

function callReturnsNone(
  call: SyntaxNode,
  state: State,
  calls: number,
  isAwaited: boolean,
): boolean {
  const { vocabulary, scope } = state;
  const name = calleeName(call, state);
  if (calls > MAX_CALLS) return false;
  if (keywordArgument(call, "inplace", state) === "True") return true;
  const paths = scope.paths(call.firstChild, state);
  const args = positionalArguments(call);
  const [first] = args;
  if (paths.includes("asyncio.run")) {
    return first?.name === "CallExpression" && callReturnsNone(first, state, calls, true);
  }
  const own = ownMeanings(call, name, state);
  if (own.length > 0)
    return own.every((binding) => isProcedure(binding, state, calls + 1, isAwaited));
  if (paths.every((path) => vocabulary.returnsNonePaths.has(path))) return true;
  if (vocabulary.returnsNoneWithTarget.has(name)) return hasTarget(call, state);
  if (vocabulary.returnsNoneWithoutArguments.has(name)) return isMethod(call) && args.length === 0;
  if (!isAwaited && paths.some((path) => returnsValueDespiteName(path, name, vocabulary)))
    return false;
  if (name === "dump" && args.length < 2) return false;
  return vocabulary.returnsNone.has(name);
}

function isMethod(call: SyntaxNode): boolean {
  return call.firstChild?.name === "MemberExpression";
}

// Of a method's name only the notebook's methods count: an attribute of that name can be anything.
function ownMeanings(call: SyntaxNode, name: string, { scope }: State): Binding[] {
  const meanings = scope.get(name).filter((binding) => binding.kind !== "module");
  return isMethod(call) ? meanings.filter((binding) => binding.kind === "function") : meanings;
}

// np.append(a, 1) is not the list method append.
function returnsValueDespiteName(path: string, name: string, vocabulary: Vocabulary): boolean {
  const module = path.slice(0, path.indexOf("."));
  return (
    vocabulary.valueReturningModules.has(module) &&
    vocabulary.valueReturningNames.has(name) &&
    !path.includes("()")
  );
}

function hasTarget(call: SyntaxNode, state: State): boolean {
  const named = [...state.vocabulary.targetKeywords].some(
    (name) => keywordArgument(call, name, state) !== null,
  );
  return named || positionalArguments(call).length > 0;
}

/** Whether a function of the notebook returns nothing. A coroutine that isn't awaited is a value. */
function isProcedure(binding: Binding, state: State, calls: number, isAwaited: boolean): boolean {
  const node = binding.kind === "function" ? binding.node : null;
  const lambda =
    binding.kind === "value" && binding.nodes.length === 1 ? binding.nodes[0] : undefined;
  const source = binding.kind === "function" || binding.kind === "value" ? binding : state;
  const inside = { ...state, code: source.code };
  if (lambda?.name === "LambdaExpression")
    return returnsNone(lambda.lastChild ?? undefined, inside, calls);
  if (node === null || (childNamed(node, "async") !== null) !== isAwaited) return false;
  return !returnsValue(node, inside, calls);
}

function returnsValue(node: SyntaxNode, state: State, calls: number): boolean {
  if (node.name === "ReturnStatement") {
    const [, value, ...more] = children(node);
    return more.length > 0 || !returnsNone(value, state, calls);
  }
  if (node.name === "YieldStatement" || node.name === "YieldExpression") return true;
  return children(node).some(
    (child) => !DEFINITIONS.has(child.name) && returnsValue(child, state, calls),
  );
}
