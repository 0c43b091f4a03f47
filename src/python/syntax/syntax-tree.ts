// Python's syntax tree.
import type { SyntaxNode, Tree } from "@lezer/common";
import { parser } from "@lezer/python";

/** Code that is nested more deeply is not analyzed: the recursive analysis could exhaust the stack. */
const MAX_DEPTH = 1_000;

const ENDS_BLOCK = new Set([
  "ReturnStatement",
  "RaiseStatement",
  "BreakStatement",
  "ContinueStatement",
]);

/** Nodes whose body runs later, when they are called. */
export const DEFINITIONS = new Set(["FunctionDefinition", "LambdaExpression"]);

/**
 * Parses Python.
 * @param code Any text.
 * @returns Null for code that is nested too deeply, and for text on which the parser itself fails: it can exhaust the stack, or leave holes in the tree.
 */
export function parsePython(code: string): Tree | null {
  try {
    const tree = parser.parse(code);
    return isTooDeep(tree) ? null : tree;
  } catch {
    return null;
  }
}

/** Whether a tree contains a syntax error. */
export function hasError(tree: Tree): boolean {
  const cursor = tree.cursor();
  do {
    if (cursor.type.isError && !isBareYield(cursor.node)) return true;
  } while (cursor.next());
  return false;
}

// Lezer's grammar wants a value after every `yield`.
function isBareYield({ from, to, parent }: SyntaxNode): boolean {
  return from === to && parent !== null && parent.name.startsWith("Yield");
}

/** A node's children, in their order. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

// A node's own getChild() and getChildren() go through all of its ancestors, which takes seconds in deep trees.
/** A node's first child of this kind. */
export function childNamed(node: SyntaxNode | null | undefined, name: string): SyntaxNode | null {
  let child = node?.firstChild ?? null;
  while (child !== null && child.name !== name) child = child.nextSibling;
  return child;
}

/** A node's children of this kind. */
export function childrenNamed(node: SyntaxNode | null | undefined, name: string): SyntaxNode[] {
  return node ? children(node).filter((child) => child.name === name) : [];
}

/** Whether a statement follows one that ends its block. */
export function isAfterEnd(node: SyntaxNode): boolean {
  const { prevSibling, parent } = node;
  if (prevSibling === null || parent?.name !== "Body") return false;
  return ENDS_BLOCK.has(prevSibling.name);
}

function isTooDeep(tree: Tree): boolean {
  let depth = 0;
  let deepest = 0;
  tree.iterate({
    enter() {
      depth += 1;
      deepest = Math.max(deepest, depth);
    },
    leave() {
      depth -= 1;
    },
  });
  return deepest > MAX_DEPTH;
}
