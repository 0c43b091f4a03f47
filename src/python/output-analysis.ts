// Answers one question about Python code: does running it show something? Works on the syntax tree, never on the text.
import type { SyntaxNode } from "@lezer/common";
import { calleeName, isKeywordName, keywordArgument, nodeText, type Source } from "./calls.ts";
import { showsLastValue } from "./return-value.ts";
import { children, DEFINITIONS, hasError, parsePython } from "./syntax-tree.ts";
import type { Vocabulary } from "./vocabulary.ts";

type Analysis = Source & {
  vocabulary: Vocabulary;
  /** Bodies of functions that run only when their name is used, by name. */
  deferred: Map<string, SyntaxNode[]>;
  /** Bodies whose name was used and that were not visited yet. A list, because a chain of calls could exhaust the stack. */
  pending: SyntaxNode[];
  /** Names that print here: the vocabulary's, and those that were imported. */
  printers: Set<string>;
  /** Names of the module sys, and names of its streams. */
  sysModules: Set<string>;
  standardStreams: Set<string>;
  /** Logging was configured to show more than warnings. */
  logsInfo: boolean;
  /** Why the code shows something, as soon as it is known. */
  reason: string | null;
};

const EXIT_FUNCTIONS = new Set(["exit", "quit", "sys.exit", "os._exit"]);
const LOGGING_SETUP = new Set(["basicConfig", "setLevel"]);

/**
 * Why running this code should have shown something.
 * @param code Python as the interpreter gets it.
 * @returns The reason in a few words, or null when nothing suggests output.
 */
export function expectsOutput(code: string, vocabulary: Vocabulary): string | null {
  if (hasMagic(code)) return "runs a shell or notebook command";
  const tree = parsePython(code);
  if (tree === null) return null;
  const analysis: Analysis = {
    code,
    vocabulary,
    deferred: new Map(),
    pending: [],
    printers: new Set(vocabulary.printers),
    sysModules: new Set(["sys"]),
    standardStreams: new Set(["stdout", "stderr"]),
    logsInfo: false,
    reason: null,
  };
  const statements = children(tree.topNode).flatMap((node) =>
    node.name === "StatementGroup" ? children(node) : [node],
  );
  for (const statement of statements) {
    if (endsProgram(statement, analysis)) return analysis.reason;
    runStatement(statement, analysis);
    if (analysis.reason !== null) return analysis.reason;
  }
  if (hasError(tree)) return null;
  return showsLastValue(statements, analysis) ? "ends in an expression" : null;
}

function hasMagic(code: string): boolean {
  return code.split("\n").some((line) => /^\s*[!%]/.test(line) && !line.startsWith("%%capture"));
}

function runStatement(statement: SyntaxNode, analysis: Analysis): void {
  visitNode(statement, analysis);
  for (let body = analysis.pending.pop(); body !== undefined; body = analysis.pending.pop()) {
    visitBody(body, analysis);
  }
}

function visitNode(node: SyntaxNode, analysis: Analysis): void {
  if (analysis.reason !== null) return;
  if (node.name === "ImportStatement") return trackImport(node, analysis);
  if (node.name === "FunctionDefinition") return defineFunction(node, analysis);
  if (isNamedLambda(node))
    return defer(nodeText(node.firstChild, analysis), node.lastChild, analysis);
  if (node.name === "DecoratedStatement") return visitDecorated(node, analysis);
  if (node.name === "CallExpression") {
    analysis.logsInfo ||= LOGGING_SETUP.has(calleeName(node, analysis));
    analysis.reason = printsWhenCalled(node, analysis);
  }
  if (node.name === "VariableName" || node.name === "PropertyName") trackUse(node, analysis);
  for (const child of reachableParts(node, analysis)) visitNode(child, analysis);
}

// A decorator may call what it decorates.
function visitDecorated(node: SyntaxNode, analysis: Analysis): void {
  for (const child of children(node)) {
    if (DEFINITIONS.has(child.name)) visitBody(child, analysis);
    else visitNode(child, analysis);
  }
}

// Defaults are computed where the function is defined, its body only where it is called.
function defineFunction(node: SyntaxNode, analysis: Analysis): void {
  defer(definedName(node, analysis), node, analysis);
  for (const part of children(node.getChild("ParamList") ?? node)) {
    if (part.name === "CallExpression") visitNode(part, analysis);
  }
}

// After `from m import x as y` the name y prints when x does.
function trackImport(node: SyntaxNode, analysis: Analysis): void {
  const parts = children(node).map((part) => nodeText(part, analysis));
  if (parts[0] !== "from") {
    const at = parts.indexOf("as");
    if (parts[1] === "sys" && at > 0) analysis.sysModules.add(parts[at + 1] ?? "");
    return;
  }
  const names = parts.slice(parts.indexOf("import") + 1);
  if (names.includes("*") && /matplotlib|pylab/.test(parts[1] ?? "")) analysis.printers.add("show");
  names.forEach((name, index) => {
    const printer =
      analysis.vocabulary.printers.has(name) || analysis.vocabulary.printingMethods.has(name);
    const known = names[index + 1] === "as" ? names[index + 2] : name;
    if (printer && known !== undefined && name !== "info") analysis.printers.add(known);
    if ((name === "stdout" || name === "stderr") && known !== undefined)
      analysis.standardStreams.add(known);
  });
}

function defer(name: string, node: SyntaxNode | null, analysis: Analysis): void {
  if (node === null) return;
  analysis.deferred.set(name, [...(analysis.deferred.get(name) ?? []), node]);
}

// Methods like __init__ or __repr__ run without their name being written.
function definedName(node: SyntaxNode, analysis: Analysis): string {
  const name = nodeText(node.getChild("VariableName"), analysis);
  const owner = node.parent?.parent;
  if (!name.startsWith("__") || owner?.name !== "ClassDefinition") return name;
  return nodeText(owner.getChild("VariableName"), analysis);
}

function isNamedLambda(node: SyntaxNode): boolean {
  const [target, , value] = children(node);
  return (
    node.name === "AssignStatement" &&
    target?.name === "VariableName" &&
    value?.name === "LambdaExpression" &&
    node.lastChild?.name === "LambdaExpression"
  );
}

function trackUse(node: SyntaxNode, analysis: Analysis): void {
  if (isKeywordName(node)) return;
  const name = nodeText(node, analysis);
  if (isStandardStream(node, name, analysis)) analysis.reason = `uses sys.${name}`;
  if (isPassedAsValue(node) && analysis.printers.has(name)) analysis.reason = `passes on ${name}`;
  const bodies = analysis.deferred.get(name) ?? [];
  analysis.deferred.delete(name);
  analysis.pending.push(...bodies);
}

function visitBody(definition: SyntaxNode, analysis: Analysis): void {
  for (const child of children(definition)) {
    if (child.name !== "VariableName") visitNode(child, analysis);
  }
}

function isPassedAsValue(node: SyntaxNode): boolean {
  if (node.name !== "VariableName") return false;
  return !(node.parent?.name === "CallExpression" && node.parent.firstChild?.from === node.from);
}

function isStandardStream(node: SyntaxNode, name: string, analysis: Analysis): boolean {
  const own = node.name === "VariableName" && analysis.standardStreams.has(name);
  if (!own && name !== "stdout" && name !== "stderr") return false;
  if (isFileArgument(node.name === "PropertyName" ? node.parent : node, analysis)) return false;
  if (node.name === "VariableName") return own;
  return analysis.sysModules.has(nodeText(node.parent?.firstChild ?? null, analysis));
}

function isFileArgument(node: SyntaxNode | null, analysis: Analysis): boolean {
  const assign = node?.prevSibling;
  return assign?.name === "AssignOp" && nodeText(assign.prevSibling, analysis) === "file";
}

// The parts of a statement that can run.
function reachableParts(node: SyntaxNode, analysis: Analysis): SyntaxNode[] {
  const parts = children(node);
  if (node.name === "IfStatement" || node.name === "WhileStatement")
    return withoutDeadBranch(parts, analysis);
  if (node.name === "WithStatement" && redirectsStdout(node, analysis)) {
    return parts.filter((part) => part.name !== "Body");
  }
  return parts;
}

function withoutDeadBranch(parts: SyntaxNode[], analysis: Analysis): SyntaxNode[] {
  const never = new Set(["False", "0", "None"]).has(nodeText(parts[1] ?? null, analysis));
  const dead = never ? parts.findIndex((part) => part.name === "Body") : -1;
  return parts.filter((_, index) => index !== dead);
}

function redirectsStdout(node: SyntaxNode, analysis: Analysis): boolean {
  const call = node.getChild("CallExpression");
  if (call === null) return false;
  const target = nodeText(call.getChild("ArgList"), analysis);
  return calleeName(call, analysis) === "redirect_stdout" && !target.includes("sys.");
}

function printsWhenCalled(call: SyntaxNode, analysis: Analysis): string | null {
  const callee = call.firstChild;
  const name = calleeName(call, analysis);
  if (callee?.name === "VariableName") {
    return analysis.printers.has(name) && !writesElsewhere(call, analysis) ? `calls ${name}` : null;
  }
  if (callee?.name !== "MemberExpression" || !analysis.vocabulary.printingMethods.has(name))
    return null;
  const receiver = nodeText(callee.firstChild, analysis);
  const quiet = analysis.vocabulary.quietReceivers.get(name)?.has(receiver) ?? false;
  if (quiet && !(name === "info" && analysis.logsInfo)) return null;
  return writesElsewhere(call, analysis) ? null : `calls ${receiver}.${name}`;
}

// print(…, file=f) goes to f, unless f is one of the standard streams.
function writesElsewhere(call: SyntaxNode, analysis: Analysis): boolean {
  const target = keywordArgument(call, "file", analysis);
  return target !== null && !/\bstd(out|err)__?$|\bstd(out|err)$|^None$/.test(target);
}

function endsProgram(statement: SyntaxNode, analysis: Analysis): boolean {
  if (statement.name === "RaiseStatement") return true;
  const call = statement.name === "ExpressionStatement" ? statement.firstChild : null;
  return call?.name === "CallExpression" && EXIT_FUNCTIONS.has(nodeText(call.firstChild, analysis));
}
