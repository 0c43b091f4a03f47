// Binds names: imports, assignments, parameters.
import type { SyntaxNode } from "@lezer/common";
import { nodeText } from "../syntax/calls.ts";
import { QUIET_MODULES } from "../words/modules.ts";
import { UNKNOWN_MODULE, type Binding } from "../state/scope.ts";
import { suspect, type State } from "../state/state.ts";
import { childNamed, children } from "../syntax/syntax-tree.ts";

/** Binds what an `import` brings. A module that is not known can print when it is imported. */
export function bindImport(node: SyntaxNode, state: State): void {
  const words = children(node).map((part) => nodeText(part, state));
  const at = words.indexOf("import");
  const from = words[0] === "from" ? words.slice(1, at).join("") : null;
  for (const clause of splitAtCommas(words.slice(at + 1))) {
    const alias = clause.indexOf("as");
    const dotted = clause.slice(0, alias === -1 ? undefined : alias).join("");
    const path = toPath(from === null ? dotted : `${from}.${dotted}`, state);
    if (dotted === "*") state.scope.addStar(path.slice(0, -2));
    else if (alias !== -1 || from !== null) bindModule(clause.at(-1) ?? "", path, state);
    else bindModule(clause[0] ?? "", path.split(".")[0] ?? "", state);
  }
}

function splitAtCommas(words: string[]): string[][] {
  const clauses: string[][] = [[]];
  for (const word of words.filter((other) => other !== "(" && other !== ")")) {
    if (word === ",") clauses.push([]);
    else clauses.at(-1)?.push(word);
  }
  return clauses.filter((clause) => clause.length > 0);
}

function toPath(path: string, state: State): string {
  const module = path.split(".")[0] ?? "";
  state.imports.add(module);
  if (module === "loguru") Object.assign(state.settings, { logsInfo: true, logsDebug: true });
  if (QUIET_MODULES.has(module)) return path;
  suspect(state, `imports ${module}`);
  return UNKNOWN_MODULE + path;
}

function bindModule(name: string, path: string, state: State): void {
  state.scope.bind(name, { kind: "module", path }, state.certain);
}

/**
 * Binds the targets of an assignment, a loop or a `with`.
 * @param targets Names, attributes and items, or lists of them.
 * @param nodes What they are bound to; none when that is not known.
 */
export function bindTargets(targets: SyntaxNode[], nodes: SyntaxNode[], state: State): void {
  const value: Binding = { kind: "value", nodes, code: state.code };
  for (const target of targets) {
    if (target.name === "VariableName")
      state.scope.bind(nodeText(target, state), value, state.certain);
    else if (target.name === "MemberExpression")
      state.scope.bind(memberName(target, state), value, false);
    else bindTargets(children(target), nodes, state);
  }
}

// `job.notify = print` binds the attribute for all objects, `handlers["x"] = print` adds to what the name holds.
function memberName(target: SyntaxNode, state: State): string {
  const property = childNamed(target, "PropertyName");
  if (property !== null) return nodeText(property, state);
  return nodeText(rootName(target), state);
}

/** The name that a chain of attributes, items and calls begins with; null when it begins otherwise. */
export function rootName(node: SyntaxNode): SyntaxNode | null {
  let root: SyntaxNode | null = node;
  while (root?.name === "MemberExpression" || root?.name === "CallExpression")
    root = root.firstChild;
  return root?.name === "VariableName" ? root : null;
}

/** Binds the parameters of a function to their defaults. */
export function bindParameters(list: SyntaxNode | null, state: State): void {
  const parts = list === null ? [] : children(list);
  parts.forEach((part, index) => {
    if (part.name !== "VariableName" || parts[index - 1]?.name === "AssignOp") return;
    const isTyped = parts[index + 1]?.name === "TypeDef";
    const assign = index + (isTyped ? 2 : 1);
    const value = parts[assign]?.name === "AssignOp" ? parts[assign + 1] : undefined;
    const nodes = value === undefined ? [] : [value];
    state.scope.bind(nodeText(part, state), { kind: "value", nodes, code: state.code }, false);
  });
}
