// Reads the calls of a response in their order, as the cells of one notebook: which of them should have shown something?
import type { SyntaxNode } from "@lezer/common";
import { nodeText } from "./syntax/calls.ts";
import { readCell, type Cell } from "./cell.ts";
import { addNames, collectNames, type BoundNames } from "./syntax/names.ts";
import { showsLastValue } from "./effects/return-value.ts";
import { createState, newCell, suspect, type State } from "./state/state.ts";
import { children, hasError, parsePython } from "./syntax/syntax-tree.ts";
import type { Vocabulary } from "./words/vocabulary.ts";
import { runFinalizers, visit, visitStatement } from "./visits/walker.ts";

/** The code of a call: null when there is none. `isWhole` unless a part of it is missing. */
export type NotebookCall = { code: string | null; isWhole: boolean };

/** What the code of a call says. */
export type Finding = {
  /** Why running it should have shown something, in a few words; null when nothing suggests it. */
  reason: string | null;
  /** Names that it surely reads and that no call binds: Python raises a NameError. */
  unbound: string[];
};

type ParsedCall = NotebookCall & {
  cell: Cell;
  names: BoundNames;
  top: SyntaxNode | null;
  hasErrors: boolean;
};

/**
 * Why each call should have shown something.
 * @param calls The calls that ran in one container, in their order.
 * @param isFresh Whether the container began with the first call, so that no name is older.
 */
export function analyzeNotebook(
  calls: readonly NotebookCall[],
  isFresh: boolean,
  vocabulary: Vocabulary,
): Finding[] {
  const parsed = calls.map((call) => parseCall(call, vocabulary));
  const state = createState(vocabulary, visit);
  // What an earlier response set up is not known.
  Object.assign(state.settings, { logsInfo: !isFresh, logsDebug: !isFresh });
  for (const { names } of parsed) addNames(state.boundAnywhere, names);
  state.hasUnknownNames = !isFresh || state.boundAnywhere.hasUnknown;
  return parsed.map((call) => {
    Object.assign(state, newCell(), { code: call.cell.python });
    addNames(state.boundSoFar, call.names);
    runCell(call, state);
    return { reason: state.reason, unbound: [...state.unbound] };
  });
}

function parseCall(call: NotebookCall, vocabulary: Vocabulary): ParsedCall {
  const cell = readCell(call.code ?? "", vocabulary);
  const tree = parsePython(cell.python);
  const hasErrors = tree === null || hasError(tree);
  const isUnknown = call.code === null || !call.isWhole || hasErrors || cell.bindsUnknown;
  const names =
    tree === null ? { counts: new Map(), hasUnknown: true } : collectNames(tree, cell.python);
  names.hasUnknown ||= isUnknown;
  return { ...call, cell, names, top: tree?.topNode ?? null, hasErrors };
}

function runCell({ code, isWhole, cell, top, hasErrors }: ParsedCall, state: State): void {
  state.mutes.all = cell.captured;
  state.reason = cell.reason;
  const finalizers = [...state.finalizers];
  const ended = top === null ? false : runStatements(top, state);
  runFinalizers(finalizers, state);
  if (state.figures > 0 && state.settings.showsFigures) suspect(state, "leaves a figure open");
  if (code === null) state.reason ??= "has no code that is known";
  else if (!isWhole) state.reason ??= "has code of which the end is not known";
  else if (hasErrors) state.reason ??= "has code that can't be read";
  else if (top !== null && !ended && showsLastValue(toStatements(top), state))
    suspect(state, "ends in an expression");
}

/** Whether the program ends before its last statement. */
function runStatements(top: SyntaxNode, state: State): boolean {
  for (const statement of toStatements(top)) {
    if (statement.name === "RaiseStatement") return true;
    if (isAutomagic(statement, state)) suspect(state, "runs a notebook command");
    visitStatement(statement, state);
  }
  return false;
}

function toStatements(top: SyntaxNode): SyntaxNode[] {
  return children(top).flatMap((node) =>
    node.name === "StatementGroup" ? children(node) : [node],
  );
}

// `pwd` is a command without a percent sign, where nothing binds the name.
function isAutomagic(statement: SyntaxNode, { vocabulary, boundSoFar, code }: State): boolean {
  if (statement.name !== "ExpressionStatement") return false;
  const name = /^\w+/.exec(nodeText(statement, { code }))?.[0] ?? "";
  const isCall = statement.firstChild?.name === "CallExpression";
  return !isCall && vocabulary.automagics.has(name) && !boundSoFar.counts.has(name);
}
