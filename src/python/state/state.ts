// What the analysis knows while it reads a notebook.
import type { SyntaxNode } from "@lezer/common";
import type { Source } from "../syntax/calls.ts";
import type { BoundNames } from "../syntax/names.ts";
import { Scope, type Binding } from "./scope.ts";
import { children, isAfterEnd } from "../syntax/syntax-tree.ts";
import type { Vocabulary } from "../words/vocabulary.ts";

/**
 * Visits a part of the code.
 * @param stored Its value is only kept: a function that it names doesn't run yet.
 */
export type Visit = (node: SyntaxNode, state: State, stored: boolean) => void;

/** What calls set up for the calls after them. */
export type Settings = {
  /** Logging shows more than warnings. */
  logsInfo: boolean;
  /** Logging shows everything. */
  logsDebug: boolean;
  /** Logging writes to a file. */
  logsToFile: boolean;
  /** Python's warnings are switched off. */
  ignoresWarnings: boolean;
  /** The notebook shows the figures that are open at the end of a cell. */
  showsFigures: boolean;
};

/** A part of the code that is still to be read, with what held where it was named. */
export type Pending = Source & {
  node: SyntaxNode;
  /** `run` reads code that runs; `hold` reads an expression for what its value can run. */
  mode: "run" | "hold";
  /** Whose code it is; null for a lambda without a name. */
  binding: Binding | null;
  mutes: Mutes;
};

/** What a `with` keeps from being shown. */
export type Mutes = { stdout: boolean; all: boolean; warnings: boolean };

/** What is known of the notebook. `code` is that of the nodes being visited. */
export type NotebookState = Source & {
  /** The walker's, which visitors of parts need in turn. */
  visit: Visit;
  vocabulary: Vocabulary;
  scope: Scope;
  settings: Settings;
  /** Modules that were imported, by their first name. */
  imports: Set<string>;
  /** Names that the calls up to this one bind, and those that any call binds. */
  boundSoFar: BoundNames;
  boundAnywhere: BoundNames;
  /** Methods that run when an object is deleted, which can be at any time. */
  finalizers: Binding[];
  /** Names can be bound that no call shows: the container is older, or a call could not be read. */
  hasUnknownNames: boolean;
};

/** What is known of the notebook, and of the cell that is being read. */
export type State = NotebookState & {
  /** Why the cell shows something, as soon as it is known. */
  reason: string | null;
  /** Names that the cell surely reads, and that no call binds. */
  unbound: Set<string>;
  /** The code that is being visited surely runs. */
  certain: boolean;
  mutes: Mutes;
  /** Figures of pyplot that are open. */
  figures: number;
  /** The code that is being visited can run more than once. */
  repeats: boolean;
  /** How often a meaning of a name was used in this cell, by how. */
  uses: Map<string, Map<Binding, number>>;
  /** What was used more than once, and whose code leaves a figure open. */
  repeated: Set<Binding>;
  openers: Set<Binding>;
  /** Lists, because a chain of calls could exhaust the stack. */
  pending: { run: Pending[]; hold: Pending[] };
};

/** Visits the parts of a node, up to one that ends the block. */
export function visitAll(node: SyntaxNode, state: State, stored: boolean): void {
  for (const child of children(node)) {
    if (isAfterEnd(child)) return;
    state.visit(child, state, stored);
  }
}

/** Notes why the cell shows something. The first reason stays. */
export function suspect(state: State, reason: string | null): void {
  if (!state.mutes.all) state.reason ??= reason;
}

/** The state before the first cell. */
export function createState(vocabulary: Vocabulary, visit: Visit): State {
  return {
    ...newCell(),
    code: "",
    visit,
    vocabulary,
    scope: new Scope(),
    settings: {
      logsInfo: false,
      logsDebug: false,
      logsToFile: false,
      ignoresWarnings: false,
      showsFigures: true,
    },
    imports: new Set(),
    finalizers: [],
    boundSoFar: { counts: new Map(), hasUnknown: false },
    boundAnywhere: { counts: new Map(), hasUnknown: false },
    hasUnknownNames: false,
  };
}

/** What is reset before each cell. */
export function newCell(): Omit<State, keyof NotebookState> {
  return {
    reason: null,
    unbound: new Set(),
    certain: true,
    mutes: { stdout: false, all: false, warnings: false },
    figures: 0,
    repeats: false,
    uses: new Map(),
    repeated: new Set(),
    openers: new Set(),
    pending: { run: [], hold: [] },
  };
}
