// Reads Python for one question: does running it show something? From the syntax tree, never from the text.
import type { SyntaxNode } from "@lezer/common";
import { children, hasError, read } from "./syntax-tree.ts";

/** What is known of Python's names. */
export type Vocabulary = {
  /** Functions that show something when called, or handed on to be called. */
  printers: ReadonlySet<string>;
  /** The same for methods and module functions, by their last name. */
  printingMethods: ReadonlySet<string>;
  /** Receivers for which a name of `printingMethods` shows nothing. */
  quietReceivers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Functions and methods that give None. */
  giveNone: ReadonlySet<string>;
  /** Methods that give None when they are told where to write, and a value otherwise. */
  giveNoneToTarget: ReadonlySet<string>;
  /** Keywords that tell where to write. */
  targets: ReadonlySet<string>;
  /** Modules whose functions give a value though a method of the same name gives None, and those functions. */
  valueReceivers: ReadonlySet<string>;
  valueNames: ReadonlySet<string>;
};

type Program = {
  code: string;
  words: Vocabulary;
  /** Bodies that run only when their name is used. */
  waiting: Map<string, SyntaxNode[]>;
  /** Those whose name was used, and that nobody has read yet: one may use the next without end. */
  called: SyntaxNode[];
  /** Names that print here: the vocabulary's, and those that were imported. */
  printers: Set<string>;
  /** Names of the module sys, and names of its streams. */
  streams: Set<string>;
  standard: Set<string>;
  /** Logging was set up to show more than warnings. */
  verbose: boolean;
  found: string | null;
};

const ENDS_THE_RUN = new Set(["exit", "quit", "sys.exit", "os._exit"]);
const LOGGING_SETUP = new Set(["basicConfig", "setLevel"]);
const DEFINITIONS = new Set(["FunctionDefinition", "LambdaExpression"]);

/**
 * Why running this code should have shown something.
 * @param code Python as the interpreter gets it.
 * @param words What is known of Python's names.
 * @returns The reason in a few words, or null when nothing suggests output.
 */
export function showsSomething(code: string, words: Vocabulary): string | null {
  if (hasMagic(code)) return "runs a shell or notebook command";
  const tree = read(code);
  if (tree === null) return null;
  const program: Program = {
    code,
    words,
    waiting: new Map(),
    called: [],
    printers: new Set(words.printers),
    streams: new Set(["sys"]),
    standard: new Set(["stdout", "stderr"]),
    verbose: false,
    found: null,
  };
  const statements = children(tree.topNode).flatMap((node) =>
    node.name === "StatementGroup" ? children(node) : [node],
  );
  for (const statement of statements) {
    if (endsTheRun(statement, program)) return program.found;
    run(statement, program);
    if (program.found !== null) return program.found;
  }
  if (hasError(tree)) return null;
  return showsLastValue(statements, program) ? "ends in an expression" : null;
}

function hasMagic(code: string): boolean {
  return code.split("\n").some((line) => /^\s*[!%]/.test(line) && !line.startsWith("%%capture"));
}

function run(statement: SyntaxNode, program: Program): void {
  visit(statement, program);
  for (let body = program.called.pop(); body !== undefined; body = program.called.pop()) {
    visitBody(body, program);
  }
}

function visit(node: SyntaxNode, program: Program): void {
  if (program.found !== null) return;
  if (node.name === "ImportStatement") return rename(node, program);
  if (node.name === "FunctionDefinition") return defineFunction(node, program);
  if (isNamedLambda(node)) return define(text(node.firstChild, program), node.lastChild, program);
  if (node.name === "DecoratedStatement") return visitDecorated(node, program);
  if (node.name === "CallExpression") {
    program.verbose ||= LOGGING_SETUP.has(calleeName(node, program));
    program.found = printsWhenCalled(node, program);
  }
  if (node.name === "VariableName" || node.name === "PropertyName") use(node, program);
  for (const child of live(node, program)) visit(child, program);
}

// A decorator may call what it decorates.
function visitDecorated(node: SyntaxNode, program: Program): void {
  for (const child of children(node)) {
    if (DEFINITIONS.has(child.name)) visitBody(child, program);
    else visit(child, program);
  }
}

// Defaults are computed where the function is defined, its body only where it is called.
function defineFunction(node: SyntaxNode, program: Program): void {
  define(nameOf(node, program), node, program);
  for (const part of children(node.getChild("ParamList") ?? node)) {
    if (part.name === "CallExpression") visit(part, program);
  }
}

// from m import x as y: y is what x is.
function rename(node: SyntaxNode, program: Program): void {
  const parts = children(node).map((part) => text(part, program));
  if (parts[0] !== "from") {
    const at = parts.indexOf("as");
    if (parts[1] === "sys" && at > 0) program.streams.add(parts[at + 1] ?? "");
    return;
  }
  const names = parts.slice(parts.indexOf("import") + 1);
  if (names.includes("*") && /matplotlib|pylab/.test(parts[1] ?? "")) program.printers.add("show");
  names.forEach((name, index) => {
    const printer = program.words.printers.has(name) || program.words.printingMethods.has(name);
    const known = names[index + 1] === "as" ? names[index + 2] : name;
    if (printer && known !== undefined && name !== "info") program.printers.add(known);
    if ((name === "stdout" || name === "stderr") && known !== undefined)
      program.standard.add(known);
  });
}

function define(name: string, node: SyntaxNode | null, program: Program): void {
  if (node === null) return;
  program.waiting.set(name, [...(program.waiting.get(name) ?? []), node]);
}

// Methods like __init__ or __repr__ run without their name being written.
function nameOf(node: SyntaxNode, program: Program): string {
  const name = text(node.getChild("VariableName"), program);
  const owner = node.parent?.parent;
  if (!name.startsWith("__") || owner?.name !== "ClassDefinition") return name;
  return text(owner.getChild("VariableName"), program);
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

function use(node: SyntaxNode, program: Program): void {
  if (isKeywordName(node)) return;
  const name = text(node, program);
  if (isStandardStream(node, name, program)) program.found = `uses sys.${name}`;
  if (isHandedOn(node) && program.printers.has(name)) program.found = `hands on ${name}`;
  const bodies = program.waiting.get(name) ?? [];
  program.waiting.delete(name);
  program.called.push(...bodies);
}

function visitBody(definition: SyntaxNode, program: Program): void {
  for (const child of children(definition)) {
    if (child.name !== "VariableName") visit(child, program);
  }
}

function isKeywordName(node: SyntaxNode): boolean {
  return node.parent?.name === "ArgList" && node.nextSibling?.name === "AssignOp";
}

function isHandedOn(node: SyntaxNode): boolean {
  if (node.name !== "VariableName") return false;
  return !(node.parent?.name === "CallExpression" && node.parent.firstChild?.from === node.from);
}

function isStandardStream(node: SyntaxNode, name: string, program: Program): boolean {
  const own = node.name === "VariableName" && program.standard.has(name);
  if (!own && name !== "stdout" && name !== "stderr") return false;
  if (isFileArgument(node.name === "PropertyName" ? node.parent : node, program)) return false;
  if (node.name === "VariableName") return own;
  return program.streams.has(text(node.parent?.firstChild ?? null, program));
}

function isFileArgument(node: SyntaxNode | null, program: Program): boolean {
  const assign = node?.prevSibling;
  return assign?.name === "AssignOp" && text(assign.prevSibling, program) === "file";
}

// The parts of a statement that can run.
function live(node: SyntaxNode, program: Program): SyntaxNode[] {
  const parts = children(node);
  if (node.name === "IfStatement" || node.name === "WhileStatement")
    return withoutDead(parts, program);
  if (node.name === "WithStatement" && redirects(node, program)) {
    return parts.filter((part) => part.name !== "Body");
  }
  return parts;
}

function withoutDead(parts: SyntaxNode[], program: Program): SyntaxNode[] {
  const never = new Set(["False", "0", "None"]).has(text(parts[1] ?? null, program));
  const dead = never ? parts.findIndex((part) => part.name === "Body") : -1;
  return parts.filter((_, index) => index !== dead);
}

function redirects(node: SyntaxNode, program: Program): boolean {
  const call = node.getChild("CallExpression");
  if (call === null) return false;
  const target = text(call.getChild("ArgList"), program);
  return calleeName(call, program) === "redirect_stdout" && !target.includes("sys.");
}

function printsWhenCalled(call: SyntaxNode, program: Program): string | null {
  const callee = call.firstChild;
  const name = calleeName(call, program);
  if (callee?.name === "VariableName") {
    return program.printers.has(name) && !writesElsewhere(call, program) ? `calls ${name}` : null;
  }
  if (callee?.name !== "MemberExpression" || !program.words.printingMethods.has(name)) return null;
  const receiver = text(callee.firstChild, program);
  const quiet = program.words.quietReceivers.get(name)?.has(receiver) ?? false;
  if (quiet && !(name === "info" && program.verbose)) return null;
  return writesElsewhere(call, program) ? null : `calls ${receiver}.${name}`;
}

// print(…, file=f) goes to f, unless f is one of the standard streams.
function writesElsewhere(call: SyntaxNode, program: Program): boolean {
  const target = keyword(call, "file", program);
  return target !== null && !/\bstd(out|err)__?$|\bstd(out|err)$|^None$/.test(target);
}

function keyword(call: SyntaxNode, name: string, program: Program): string | null {
  const args = call.getChild("ArgList");
  const key =
    args === null
      ? undefined
      : children(args).find((node) => isKeywordName(node) && text(node, program) === name);
  return key === undefined ? null : text(key.nextSibling?.nextSibling ?? null, program);
}

function calleeName(call: SyntaxNode, program: Program): string {
  const callee = call.firstChild;
  if (callee?.name === "MemberExpression") return text(callee.getChild("PropertyName"), program);
  return text(callee, program);
}

function endsTheRun(statement: SyntaxNode, program: Program): boolean {
  if (statement.name === "RaiseStatement") return true;
  const call = statement.name === "ExpressionStatement" ? statement.firstChild : null;
  return call?.name === "CallExpression" && ENDS_THE_RUN.has(text(call.firstChild, program));
}

// A notebook shows the value of the last line, unless it is None or the line ends in a semicolon.
function showsLastValue(statements: SyntaxNode[], program: Program): boolean {
  const last = statements.filter((node) => node.name !== "Comment" && node.name !== ";").at(-1);
  if (last?.name !== "ExpressionStatement") return false;
  if (statements.some((node) => node.name === ";" && node.from >= last.to)) return false;
  if (/^[ \t]*;/.test(program.code.slice(last.to))) return false;
  const parts = children(last);
  return parts.length > 1 || !givesNone(parts[0], program);
}

function givesNone(node: SyntaxNode | undefined, program: Program): boolean {
  if (node === undefined || node.name === "None") return true;
  const parts = children(node);
  if (node.name === "AwaitExpression" || node.name === "ParenthesizedExpression") {
    return parts.length <= 3 && givesNone(parts[1], program);
  }
  if (node.name === "ConditionalExpression") {
    return givesNone(parts[0], program) && givesNone(parts[4], program);
  }
  return node.name === "CallExpression" && callGivesNone(node, program);
}

function callGivesNone(call: SyntaxNode, program: Program): boolean {
  const name = calleeName(call, program);
  if (keyword(call, "inplace", program) === "True") return true;
  if (call.firstChild?.name === "VariableName" && definitions(name, call, program).length > 0) {
    return isProcedure(name, call, program);
  }
  if (text(call.firstChild, program) === "asyncio.run")
    return givesNone(positional(call)[0], program);
  if (program.words.giveNoneToTarget.has(name)) return hasTarget(call, program);
  if (givesValueAfterAll(call, name, program)) return false;
  return program.words.giveNone.has(name);
}

// np.append(a, 1) is no list's append, and yaml.dump(d) without a file gives a text.
function givesValueAfterAll(call: SyntaxNode, name: string, program: Program): boolean {
  const receiver = text(call.firstChild?.firstChild ?? null, program);
  if (program.words.valueReceivers.has(receiver)) return program.words.valueNames.has(name);
  return name === "dump" && positional(call).length < 2;
}

function hasTarget(call: SyntaxNode, program: Program): boolean {
  const named = [...program.words.targets].some((name) => keyword(call, name, program) !== null);
  return named || positional(call).length > 0;
}

function positional(call: SyntaxNode): SyntaxNode[] {
  const args = children(call.getChild("ArgList") ?? call);
  return args.filter(
    (node) =>
      !/^[(),]$|^AssignOp$/.test(node.name) &&
      !isKeywordName(node) &&
      node.prevSibling?.name !== "AssignOp",
  );
}

// A function of the program's own that never says `return value`.
function isProcedure(name: string, from: SyntaxNode, program: Program): boolean {
  return definitions(name, from, program).every((definition) => !returnsValue(definition));
}

function definitions(name: string, from: SyntaxNode, program: Program): SyntaxNode[] {
  let top = from;
  while (top.parent !== null) top = top.parent;
  return children(top)
    .filter((node) => node.name === "FunctionDefinition")
    .filter((node) => text(node.getChild("VariableName"), program) === name);
}

function returnsValue(node: SyntaxNode): boolean {
  if (node.name === "ReturnStatement") return children(node).length > 1;
  if (node.name === "YieldStatement" || node.name === "YieldExpression") return true;
  return children(node).some((child) => !DEFINITIONS.has(child.name) && returnsValue(child));
}

function text(node: SyntaxNode | null, program: Program): string {
  return node === null ? "" : program.code.slice(node.from, node.to);
}
