// Operations of numpy and pandas that can write a warning to stderr.
import type { SyntaxNode } from "@lezer/common";
import { nodeText, positionalArguments } from "./calls.ts";
import { UNKNOWN } from "./scope.ts";
import type { State } from "./state.ts";
import { childNamed, children } from "./syntax-tree.ts";

/** Functions of numpy that warn of numbers outside their domain, and of numbers that are too large. */
const DOMAIN_FUNCTION =
  /^numpy\.(?:\w+\.)*(?:log\w*|sqrt|arc\w+|exp\w*|divide|true_divide|floor_divide|mod|remainder|power|float_power|reciprocal|tan|cosh|sinh|corrcoef|cov|square)$/;
/** Numbers of numpy that overflow early, at which numpy warns. */
const SMALL_NUMBER = /^numpy\.(?:u?int(?:8|16|32)|float16)$/;
/** Functions of numpy that warn when they get nothing. */
const AVERAGE = /^numpy\.(?:\w+\.)*(?:mean|average|median|std|var|percentile|quantile|nan\w+)$/;
const DIVISIONS = new Set(["/", "//", "%", "**"]);
/** What pandas takes from a data frame may share its memory, and warns when it is changed. */
const SLICE =
  /^(?:pandas\.|\?|~).*(?:\[\]|\.(?:head|tail|dropna|query|sample|drop_duplicates)\(\))$/;

/** Whether a call of numpy can warn. */
export function callMayWarn(call: SyntaxNode, paths: readonly string[], state: State): boolean {
  if (isSilenced(state)) return false;
  const args = positionalArguments(call);
  if (paths.some((path) => SMALL_NUMBER.test(path))) return true;
  if (paths.some((path) => DOMAIN_FUNCTION.test(path))) {
    return !args.every((arg) => isPositive(arg, state));
  }
  return paths.some((path) => AVERAGE.test(path)) && !args.every((arg) => hasElements(arg, state));
}

/** Whether a division can be one by zero of numpy's numbers, for which Python raises nothing. */
export function divisionMayWarn(node: SyntaxNode, state: State): boolean {
  const [left, operator, right] = children(node);
  if (isSilenced(state) || !state.imports.has("numpy")) return false;
  if (right === undefined || !DIVISIONS.has(nodeText(operator ?? null, state))) return false;
  if (isPositive(right, state)) return false;
  return mayBeArray(left ?? null, state) || mayBeArray(right, state);
}

/** `x is 1` makes Python warn where it compiles it. */
export function comparesIdentityOfLiteral(node: SyntaxNode): boolean {
  if (childNamed(node, "is") === null) return false;
  return childNamed(node, "Number") !== null || childNamed(node, "String") !== null;
}

/** Whether assigning to a part of this value makes pandas warn. */
export function isSliceOfFrame(node: SyntaxNode | null, state: State): boolean {
  if (isSilenced(state) || !state.imports.has("pandas")) return false;
  return state.scope.paths(node, state).some((path) => SLICE.test(path));
}

function isSilenced(state: State): boolean {
  return state.settings.ignoresWarnings || state.mutes.warnings;
}

function mayBeArray(node: SyntaxNode | null, state: State): boolean {
  if (node?.name === "ParenthesizedExpression" || node?.name === "BinaryExpression") {
    return children(node).some((child) => mayBeArray(child, state));
  }
  if (
    node?.name !== "VariableName" &&
    node?.name !== "MemberExpression" &&
    node?.name !== "CallExpression"
  )
    return false;
  return state.scope
    .paths(node, state)
    .some((path) => path.startsWith("numpy.") || path.startsWith(UNKNOWN));
}

function isPositive(node: SyntaxNode, state: State): boolean {
  const value = literal(node, state);
  if (value?.node.name === "Number") return Number(nodeText(value.node, value)) !== 0;
  return isListOf(
    value?.node,
    (child) => child.name === "Number" && Number(nodeText(child, value ?? state)) > 0,
  );
}

function hasElements(node: SyntaxNode, state: State): boolean {
  const value = literal(node, state);
  if (isListOf(value?.node, () => true)) return true;
  return state.scope
    .paths(node, state)
    .every((path) => /^(?:numpy|pandas)\.[^[\]]*$|^pandas\.[^[]*\[\]$|^Number$/.test(path));
}

function isListOf(node: SyntaxNode | undefined, test: (child: SyntaxNode) => boolean): boolean {
  if (node?.name !== "ArrayExpression" && node?.name !== "TupleExpression") return false;
  const elements = children(node).filter((child) => !/^[[\](),]$/.test(child.name));
  return elements.length > 0 && elements.every(test);
}

/** The literal that an expression or the only meaning of a name is. */
function literal(node: SyntaxNode, state: State): { node: SyntaxNode; code: string } | null {
  if (node.name !== "VariableName") return { node, code: state.code };
  const [binding, ...more] = state.scope.get(nodeText(node, state));
  if (binding?.kind !== "value" || more.length > 0) return null;
  const [only, ...others] = binding.nodes;
  return only === undefined || others.length > 0 ? null : { node: only, code: binding.code };
}
