// What calling a function shows, by its path and its arguments.
import type { SyntaxNode } from "@lezer/common";
import { childNamed, children } from "../syntax/syntax-tree.ts";
import { keywordArgument, nodeText, positionalArguments } from "../syntax/calls.ts";
import { UNKNOWN_MODULE } from "../state/scope.ts";
import type { State } from "../state/state.ts";
import { callMayWarn } from "./warnings.ts";

const STANDARD_STREAM = /(?:^|\.)sys\.(?:__)?std(?:out|err)(?:__)?$/;
const STREAM_OPENERS = new Set(["open", "io.open", "os.open", "os.fdopen"]);
const EMPTY_TEXT = /^(?:''|"")$/;
const NOTHING = /^(?:0|False|None)$/;

/**
 * Why a call shows something.
 * @param paths What its callee may be.
 */
export function callReason(
  call: SyntaxNode,
  paths: readonly string[],
  state: State,
): string | null {
  const text = nodeText(call.firstChild, state);
  if (callMayWarn(call, paths, state)) return `may get a warning from ${text}`;
  if (paths.some((path) => path.startsWith(UNKNOWN_MODULE))) return `calls ${text}`;
  if (paths.some((path) => writesToStream(call, path, state))) return `writes by ${text}`;
  if (paths.every((path) => isQuiet(call, path, state))) return null;
  return text.length > 60 ? `calls ${text.slice(0, 60)}…` : `calls ${text}`;
}

function isQuiet(call: SyntaxNode, path: string, state: State): boolean {
  const { vocabulary, mutes } = state;
  const name = lastName(path);
  if (!isPrinter(path, state) && !isVerbose(call, path, state)) return true;
  if (isOwnMethod(path, name, state)) return true;
  if (vocabulary.quietPaths.has(path)) return true;
  if (mutes.stdout && vocabulary.stdoutPrinters.has(name)) return true;
  if (state.settings.ignoresWarnings && (name === "warn" || name === "warn_explicit")) return true;
  return (
    isQuietLog(call, path, state) || writesElsewhere(call, state) || printsEmpty(call, name, state)
  );
}

// What the notebook's own method shows is in its body.
function isOwnMethod(path: string, name: string, { scope }: State): boolean {
  if (!/^(?:~|self\.|cls\.|super\(\))/.test(path)) return false;
  return scope.get(name).some((binding) => binding.kind === "function" && binding.isMethod);
}

/** Whether calling this path shows something, if its arguments don't prevent it. */
export function isPrinter(path: string, { vocabulary }: State): boolean {
  const name = lastName(path);
  if (!path.includes(".")) return vocabulary.printers.has(path);
  return (
    vocabulary.printingMethods.has(name) ||
    (STANDARD_STREAM.test(path.slice(0, -name.length - 1)) &&
      !vocabulary.quietStreamMembers.has(name))
  );
}

/** Whether a path is one of the standard streams. */
export function isStandardStream(path: string): boolean {
  return STANDARD_STREAM.test(path);
}

// os.write(1, …) and open("/dev/stdout", "w") write past sys.stdout.
function writesToStream(call: SyntaxNode, path: string, state: State): boolean {
  const [target] = positionalArguments(call);
  if (path === "os.write") {
    return !state.scope.paths(target ?? null, state).every((file) => file.includes("()"));
  }
  return (
    STREAM_OPENERS.has(path) &&
    /^[12]$|\/dev\/(?:std|tty|fd)|\/proc\//.test(nodeText(target ?? null, state))
  );
}

function isVerbose(call: SyntaxNode, path: string, state: State): boolean {
  if (path.startsWith("~")) return false;
  return [...state.vocabulary.verboseKeywords].some((keyword) => {
    const value = keywordArgument(call, keyword, state);
    return value !== null && !NOTHING.test(value);
  });
}

function isQuietLog(
  call: SyntaxNode,
  path: string,
  { vocabulary, settings, ...state }: State,
): boolean {
  const name = lastName(path);
  const receiver = nodeText(call.firstChild?.firstChild ?? null, state);
  const isLogger =
    vocabulary.loggers.has(receiver) ||
    /(?:^logging|getLogger\(\))$/.test(path.slice(0, -name.length - 1));
  if (vocabulary.loudLogMethods.has(name)) return isLogger && settings.logsToFile;
  if (!vocabulary.quietLogMethods.has(name)) return false;
  const isShown = name === "info" ? settings.logsInfo : settings.logsDebug;
  return (isLogger || name !== "info") && (!isShown || settings.logsToFile);
}

// print(…, file=f) goes to f, unless f may be one of the standard streams.
function writesElsewhere(call: SyntaxNode, state: State): boolean {
  if (keywordArgument(call, "capture_output", state) === "True") return true;
  if (isRedirected(call, "stderr", state)) {
    const captures = /(?:^|\.)check_output$/.test(nodeText(call.firstChild, state));
    if (captures || isRedirected(call, "stdout", state)) return true;
  }
  return ["file", "buf"].some((keyword) => isRedirected(call, keyword, state));
}

function isRedirected(call: SyntaxNode, keyword: string, state: State): boolean {
  const target = keywordNode(call, keyword, state);
  if (target === null || target.name === "None") return false;
  const paths = state.scope.paths(target, state);
  return (
    paths.every((path) => path.includes("()") || path.startsWith("subprocess.")) ||
    isOpened(target, state)
  );
}

// `with open(…) as f` and `self.file = open(…)` say what the name is.
function isOpened(target: SyntaxNode, state: State): boolean {
  if (target.name !== "MemberExpression") return false;
  const bindings = state.scope.get(nodeText(childNamed(target, "PropertyName"), state));
  return (
    bindings.length > 0 &&
    bindings.every(
      (binding) => binding.kind === "value" && binding.nodes[0]?.name === "CallExpression",
    )
  );
}

function keywordNode(call: SyntaxNode, name: string, state: State): SyntaxNode | null {
  const parts = children(childNamed(call, "ArgList") ?? call);
  const at = parts.findIndex(
    (part, index) => parts[index + 1]?.name === "AssignOp" && nodeText(part, state) === name,
  );
  return at === -1 ? null : (parts[at + 2] ?? null);
}

function printsEmpty(call: SyntaxNode, name: string, state: State): boolean {
  if (name !== "print" || !EMPTY_TEXT.test(keywordArgument(call, "end", state) ?? "")) return false;
  const args = positionalArguments(call).map((node) => nodeText(node, state));
  return args.length <= 1 && args.every((text) => EMPTY_TEXT.test(text));
}

/** The last name of a path. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
