// Operations of numpy and pandas that can write a warning to stderr.
import type { SyntaxNode } from "@lezer/common";
import { keywordArgument, nodeText, positionalArguments } from "../syntax/calls.ts";
import { UNKNOWN } from "../state/scope.ts";
import type { State } from "../state/state.ts";
import { childNamed, children } from "../syntax/syntax-tree.ts";

/** Functions of numpy that warn of numbers outside their domain, and of numbers that are too large. */
const DOMAIN_FUNCTION =
  /^numpy\.(?:\w+\.)*(?:log\w*|sqrt|arc\w+|exp\w*|divide|true_divide|floor_divide|mod|remainder|power|float_power|reciprocal|tan|cosh|sinh|corrcoef|cov|square|nan\w+)$/;
/** Numbers of numpy that overflow early, at which numpy warns. */
const SMALL_NUMBER = /^numpy\.(?:u?int(?:8|16|32)|float16)$/;
/** Functions and methods of numpy that warn when they get nothing. */
const AVERAGE =
  /^numpy\.(?:[\w()]+\.)*(?:mean|average|median|std|var|percentile|quantile|max|min)$/;
/** Methods that versions of pandas have deprecated. */
const OLD_METHOD =
  /^pandas\..*\.(?:append|iteritems|mad|applymap|lookup|tshift|slice_shift|swapaxes|pad|backfill)$/;
/** Methods of a data frame that warn of columns which aren't numbers. */
const REDUCTION =
  /^pandas\.(?!Series)[^[\]]*\.(?:mean|median|std|var|sem|skew|kurt|corr|cov|quantile|prod)$/;
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
  if (paths.some((path) => pandasMayWarn(call, path, state))) return true;
  const isMethod = paths.some((path) => path.includes("()."));
  const averaged = isMethod ? [call.firstChild?.firstChild ?? call] : args;
  return paths.some((path) => AVERAGE.test(path)) && averaged.some((arg) => mayBeEmpty(arg, state));
}

// What pandas has deprecated, and dates whose format it has to guess.
function pandasMayWarn(call: SyntaxNode, path: string, state: State): boolean {
  if (path === "pandas.to_datetime") return keywordArgument(call, "format", state) === null;
  if (OLD_METHOD.test(path)) return true;
  return REDUCTION.test(path) && keywordArgument(call, "numeric_only", state) === null;
}

/** Whether a division can be one by zero of numpy's numbers, for which Python raises nothing. */
export function divisionMayWarn(node: SyntaxNode, state: State): boolean {
  const [left, operator, right] = children(node);
  if (isSilenced(state) || !state.imports.has("numpy")) return false;
  const sign = nodeText(operator ?? null, state).replace("=", "");
  if (right === undefined || !DIVISIONS.has(sign)) return false;
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

/** Whether an array or list can have no elements: an empty list, a part of an array, or a value that is not known. */
function mayBeEmpty(node: SyntaxNode, state: State): boolean {
  const value = literal(node, state);
  if (value?.node.name === "ArrayExpression") return !isListOf(value.node, () => true);
  const paths = state.scope.paths(node, state);
  if (value?.node.name === "CallExpression" && paths.includes("numpy.array()")) {
    const [elements] = positionalArguments(value.node);
    return elements === undefined || mayBeEmpty(elements, { ...state, code: value.code });
  }
  return !paths.every((path) => /^(?:numpy\.[^[\]]*|pandas\..*|Number|range\(\))$/.test(path));
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
