// Whether a notebook shows the value of the last statement.
import type { SyntaxNode } from "@lezer/common";
import {
  calleeName,
  findDefinitions,
  keywordArgument,
  nodeText,
  positionalArguments,
  type Source,
} from "./calls.ts";
import { children, DEFINITIONS } from "./syntax-tree.ts";
import type { Vocabulary } from "./vocabulary.ts";

type Analysis = Source & { vocabulary: Vocabulary };

/** Whether a notebook shows the value of the last statement: it does, unless the value is None or the line ends in a semicolon. */
export function showsLastValue(statements: SyntaxNode[], analysis: Analysis): boolean {
  const last = statements.filter((node) => node.name !== "Comment" && node.name !== ";").at(-1);
  if (last?.name !== "ExpressionStatement") return false;
  if (statements.some((node) => node.name === ";" && node.from >= last.to)) return false;
  if (/^[ \t]*;/.test(analysis.code.slice(last.to))) return false;
  const parts = children(last);
  return parts.length > 1 || !returnsNone(parts[0], analysis);
}

function returnsNone(node: SyntaxNode | undefined, analysis: Analysis): boolean {
  if (node === undefined || node.name === "None") return true;
  const parts = children(node);
  if (node.name === "AwaitExpression" || node.name === "ParenthesizedExpression") {
    return parts.length <= 3 && returnsNone(parts[1], analysis);
  }
  if (node.name === "ConditionalExpression") {
    return returnsNone(parts[0], analysis) && returnsNone(parts[4], analysis);
  }
  return node.name === "CallExpression" && callReturnsNone(node, analysis);
}

function callReturnsNone(call: SyntaxNode, analysis: Analysis): boolean {
  const name = calleeName(call, analysis);
  if (keywordArgument(call, "inplace", analysis) === "True") return true;
  if (
    call.firstChild?.name === "VariableName" &&
    findDefinitions(name, call, analysis).length > 0
  ) {
    return isProcedure(name, call, analysis);
  }
  if (nodeText(call.firstChild, analysis) === "asyncio.run")
    return returnsNone(positionalArguments(call)[0], analysis);
  if (analysis.vocabulary.returnsNoneWithTarget.has(name)) return hasTarget(call, analysis);
  if (returnsValueDespiteName(call, name, analysis)) return false;
  return analysis.vocabulary.returnsNone.has(name);
}

// np.append(a, 1) is not the list method append, and yaml.dump(d) without a file returns a text.
function returnsValueDespiteName(call: SyntaxNode, name: string, analysis: Analysis): boolean {
  const receiver = nodeText(call.firstChild?.firstChild ?? null, analysis);
  if (analysis.vocabulary.valueReturningReceivers.has(receiver))
    return analysis.vocabulary.valueReturningNames.has(name);
  return name === "dump" && positionalArguments(call).length < 2;
}

function hasTarget(call: SyntaxNode, analysis: Analysis): boolean {
  const named = [...analysis.vocabulary.targetKeywords].some(
    (name) => keywordArgument(call, name, analysis) !== null,
  );
  return named || positionalArguments(call).length > 0;
}

// Whether the module defines the function itself, without a `return value` or `yield`.
function isProcedure(name: string, from: SyntaxNode, analysis: Analysis): boolean {
  return findDefinitions(name, from, analysis).every((definition) => !returnsValue(definition));
}

function returnsValue(node: SyntaxNode): boolean {
  if (node.name === "ReturnStatement") return children(node).length > 1;
  if (node.name === "YieldStatement" || node.name === "YieldExpression") return true;
  return children(node).some((child) => !DEFINITIONS.has(child.name) && returnsValue(child));
}
