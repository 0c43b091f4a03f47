// Names, calls and their arguments in the syntax tree.
import type { SyntaxNode } from "@lezer/common";
import { childNamed, children } from "./syntax-tree.ts";

/** The code that is analyzed. */
export type Source = { code: string };

/** The code of a node; none for null. */
export function nodeText(node: SyntaxNode | null, source: Source): string {
  return node === null ? "" : source.code.slice(node.from, node.to);
}

/** The last name of what a call calls: `show` in `plt.show()`. */
export function calleeName(call: SyntaxNode, source: Source): string {
  const callee = call.firstChild;
  if (callee?.name === "MemberExpression")
    return nodeText(childNamed(callee, "PropertyName"), source);
  return nodeText(callee, source);
}

/** The code of a keyword argument, or null when the call has none of that name. */
export function keywordArgument(call: SyntaxNode, name: string, source: Source): string | null {
  const args = childNamed(call, "ArgList");
  const key =
    args === null
      ? undefined
      : children(args).find((node) => isKeywordName(node) && nodeText(node, source) === name);
  return key === undefined ? null : nodeText(key.nextSibling?.nextSibling ?? null, source);
}

/** The arguments of a call that are not keyword arguments. */
export function positionalArguments(call: SyntaxNode): SyntaxNode[] {
  const args = children(childNamed(call, "ArgList") ?? call);
  return args.filter(
    (node) =>
      !/^[(),]$|^AssignOp$/.test(node.name) &&
      !isKeywordName(node) &&
      node.prevSibling?.name !== "AssignOp",
  );
}

/** Whether a node is the name of a keyword argument. */
export function isKeywordName(node: SyntaxNode): boolean {
  return node.parent?.name === "ArgList" && node.nextSibling?.name === "AssignOp";
}

/** The functions of this name that the module defines at its top level. */
export function findDefinitions(name: string, from: SyntaxNode, source: Source): SyntaxNode[] {
  let top = from;
  while (top.parent !== null) top = top.parent;
  return children(top)
    .filter((node) => node.name === "FunctionDefinition")
    .filter((node) => nodeText(childNamed(node, "VariableName"), source) === name);
}
