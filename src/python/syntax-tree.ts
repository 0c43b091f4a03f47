// Python's syntax tree.
import type { SyntaxNode, Tree } from "@lezer/common";
import { parser } from "@lezer/python";

/** Nobody nests code deeper than this; reading what does could exhaust the stack. */
const DEEPEST = 1_000;

/**
 * Parses Python.
 * @param code Any text.
 * @returns Null for what is nested without end, and for garbage that the parser itself stumbles over: it can exhaust the stack, or leave holes in the tree.
 */
export function read(code: string): Tree | null {
  try {
    const tree = parser.parse(code);
    return isTooDeep(tree) ? null : tree;
  } catch {
    return null;
  }
}

/** Whether a tree has a place that Python would refuse. */
export function hasError(tree: Tree): boolean {
  const cursor = tree.cursor();
  do {
    if (cursor.type.isError) return true;
  } while (cursor.next());
  return false;
}

/** A node's children, in their order. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
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
  return deepest > DEEPEST;
}
