// What the names of a notebook mean, as far as its calls say.
import { childNamed } from "../syntax/syntax-tree.ts";
import type { SyntaxNode } from "@lezer/common";
import { nodeText, type Source } from "../syntax/calls.ts";

/** One meaning of a name. */
export type Binding =
  /** A module, or what was imported from one: `subprocess.run`. */
  | { kind: "module"; path: string }
  /** Parts of the expressions that were assigned; none for a parameter. */
  | ({ kind: "value"; nodes: SyntaxNode[] } & Source)
  /** A function, lambda or method. `runsByItself`: it runs without a call, as properties do. */
  | ({ kind: "function"; node: SyntaxNode; isMethod: boolean; runsByItself: boolean } & Source)
  | ({ kind: "class"; node: SyntaxNode; methods: Binding[] } & Source);

/** A meaning, and the paths that it stands for. */
type Meaning = { binding: Binding; paths: string[] };

/** Begins the path of what comes from a module that the analysis doesn't know. */
export const UNKNOWN_MODULE = "@";
/** The path of a value that the analysis doesn't know. */
export const UNKNOWN = "?";
/** The path of a function or class that the notebook itself defines. */
const OWN = "~";

/** Meanings that a name keeps: a loop of a long program can bind it hundreds of times. */
const MAX_MEANINGS = 50;
/** Paths that an expression can have, and characters of one: a chain of assignments can double them. */
const MAX_PATHS = 20;
/** Attributes, items and calls in a row that are followed. */
const MAX_CHAIN = 40;
const MAX_PATH_LENGTH = 200;

/** The names of a notebook. Functions share one scope: a name that is bound twice has both meanings. */
export class Scope {
  readonly #meanings = new Map<string, Meaning[]>();
  /** Names whose meaning is certain, so that Python's own of that name is hidden. */
  readonly #certain = new Set<string>();
  /** Modules of which everything was imported. */
  readonly #stars = new Set<string>();

  /**
   * Adds a meaning.
   * @param certain The code surely runs, so earlier meanings end.
   */
  bind(name: string, binding: Binding, certain: boolean): void {
    const paths = this.#bindingPaths(binding);
    if (certain) this.forget(name);
    const meanings = this.#meanings.get(name) ?? [];
    if (meanings.length >= MAX_MEANINGS) meanings.shift();
    meanings.push({ binding, paths });
    this.#meanings.set(name, meanings);
    if (certain) this.#certain.add(name);
  }

  /** The meanings of a name. */
  get(name: string): Binding[] {
    return (this.#meanings.get(name) ?? []).map(({ binding }) => binding);
  }

  /** Ends all meanings of a name but methods. */
  forget(name: string): void {
    const meanings = this.#meanings.get(name) ?? [];
    this.#meanings.set(
      name,
      meanings.filter(({ binding }) => isMethod(binding)),
    );
    this.#certain.delete(name);
  }

  /** Whether the notebook hides Python's own name. */
  hides(name: string): boolean {
    return this.#certain.has(name);
  }

  /** Adds a module of which everything was imported. */
  addStar(path: string): void {
    this.#stars.add(path);
  }

  /** Whether a name can come from a module of which everything was imported. */
  get hasStars(): boolean {
    return this.#stars.size > 0;
  }

  /**
   * What an expression may be, as dotted paths: `print`, `matplotlib.pyplot.subplots()`.
   * @param depth Attributes and calls that were followed already.
   */
  paths(node: SyntaxNode | null, source: Source, depth = 0): string[] {
    if (node === null || depth > MAX_CHAIN) return [UNKNOWN];
    const { firstChild } = node;
    switch (node.name) {
      case "VariableName":
        return this.#namePaths(nodeText(node, source));
      case "MemberExpression": {
        const property = childNamed(node, "PropertyName");
        const suffix = property === null ? "[]" : `.${nodeText(property, source)}`;
        return extend(this.paths(firstChild, source, depth + 1), suffix);
      }
      case "CallExpression":
        return extend(this.paths(firstChild, source, depth + 1), "()");
      case "ParenthesizedExpression":
      case "AwaitExpression":
        return this.paths(firstChild?.nextSibling ?? null, source, depth + 1);
      case "String":
      case "FormatString":
      case "Number":
        return [node.name];
      default:
        return [UNKNOWN];
    }
  }

  #bindingPaths(binding: Binding): string[] {
    if (binding.kind === "module") return [binding.path];
    if (binding.kind !== "value") return [OWN];
    const [node = null, ...more] = binding.nodes;
    return more.length > 0 ? [UNKNOWN] : this.paths(node, binding);
  }

  #namePaths(name: string): string[] {
    const meanings = this.#meanings.get(name) ?? [];
    const paths = new Set(
      meanings.flatMap((meaning) => (isMethod(meaning.binding) ? [] : meaning.paths)),
    );
    if (!this.hides(name)) {
      paths.add(name);
      for (const module of this.#stars) paths.add(`${module}.${name}`);
    }
    return [...paths].slice(-MAX_PATHS);
  }
}

function isMethod(binding: Binding): boolean {
  return binding.kind === "function" && binding.isMethod;
}

function extend(paths: string[], suffix: string): string[] {
  return paths.map((path) => (path.length > MAX_PATH_LENGTH ? UNKNOWN : path) + suffix);
}
