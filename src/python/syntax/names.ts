// The names that code binds, wherever it does.
import type { SyntaxNode, Tree } from "@lezer/common";
import { nodeText } from "./calls.ts";
import { children } from "./syntax-tree.ts";

/** Functions that can bind names which the code doesn't show. */
const DYNAMIC = new Set(
  "exec globals locals vars setattr __dict__ get_ipython run_path".split(" "),
);
const DEFINITION = new Set(["FunctionDefinition", "ClassDefinition"]);
const BINDS_ALL = new Set(["ImportStatement", "ScopeStatement", "CapturePattern"]);
const LOOPS = /^(?:ForStatement|\w*ComprehensionExpression|ArgList)$/;

/** Names, each with how often it is bound, and whether names can be bound that are not among them. */
export type BoundNames = { counts: Map<string, number>; hasUnknown: boolean };

/**
 * The names that code binds.
 * @param tree The code's syntax tree.
 */
export function collectNames(tree: Tree, code: string): BoundNames {
  const names: BoundNames = { counts: new Map(), hasUnknown: false };
  tree.iterate({
    enter({ node }) {
      for (const bound of boundBy(node)) addName(names, nodeText(bound, { code }), 1);
      const isReading = node.name === "VariableName" || node.name === "PropertyName";
      names.hasUnknown ||= isReading && DYNAMIC.has(nodeText(node, { code }));
    },
  });
  return names;
}

/** Adds names to others. */
export function addNames(names: BoundNames, more: BoundNames): void {
  for (const [name, count] of more.counts) addName(names, name, count);
  names.hasUnknown ||= more.hasUnknown;
}

function addName({ counts }: BoundNames, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}

function boundBy(node: SyntaxNode): SyntaxNode[] {
  const parts = children(node);
  if (DEFINITION.has(node.name)) return parts.filter(isName).slice(0, 1);
  if (BINDS_ALL.has(node.name)) return parts.filter(isName);
  if (node.name === "ParamList") {
    return parts.filter((part, index) => isName(part) && parts[index - 1]?.name !== "AssignOp");
  }
  if (node.name === "AssignStatement" || node.name === "NamedExpression") {
    const last = parts.findLastIndex((part) => part.name === "AssignOp");
    return namesIn(parts.slice(0, last));
  }
  if (node.name === "UpdateStatement") return parts.slice(0, 1).filter(isName);
  const aliases = parts.filter((_, index) => parts[index - 1]?.name === "as");
  return [...namesIn(aliases), ...(LOOPS.test(node.name) ? loopTargets(parts) : [])];
}

function loopTargets(parts: SyntaxNode[]): SyntaxNode[] {
  let within = false;
  return namesIn(
    parts.filter((part) => {
      if (part.name === "for" || part.name === "in") within = part.name === "for";
      return within;
    }),
  );
}

function namesIn(nodes: SyntaxNode[]): SyntaxNode[] {
  return nodes.flatMap((node) => {
    if (node.name === "MemberExpression" || node.name === "TypeDef") return [];
    return isName(node) ? [node] : namesIn(children(node));
  });
}

function isName(node: SyntaxNode): boolean {
  return node.name === "VariableName";
}
