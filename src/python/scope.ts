// What the names of a notebook mean, as far as its calls say.
import type { SyntaxNode } from "@lezer/common";
import { nodeText, type Source } from "./calls.ts";

/** One meaning of a name. */
export type Binding =
  /** A module, or what was imported from one: `subprocess.run`. */
  | { kind: "module"; path: string }
  /** Parts of the expressions that were assigned; none for a parameter. */
  | ({ kind: "value"; nodes: SyntaxNode[] } & Source)
  /** A function, lambda or method. `runsByItself`: it runs without a call, as properties do. */
  | ({ kind: "function"; node: SyntaxNode; isMethod: boolean; runsByItself: boolean } & Source)
  | ({ kind: "class"; node: SyntaxNode; methods: Binding[] } & Source);

/** Begins the path of what comes from a module that the analysis doesn't know. */
export const UNKNOWN_MODULE = "@";
/** The path of a value that the analysis doesn't know. */
export const UNKNOWN = "?";
/** The path of a function or class that the notebook itself defines. */
const OWN = "~";

const MAX_ALIASES = 8;

/** The names of a notebook. Functions share one scope: a name that is bound twice has both meanings. */
export class Scope {
  readonly #bindings = new Map<string, Binding[]>();
  /** Names whose meaning is certain, so that Python's own of that name is hidden. */
  readonly #certain = new Set<string>();
  /** Modules of which everything was imported. */
  readonly #stars = new Set<string>();

  /**
   * Adds a meaning.
   * @param certain The code surely runs, so earlier meanings end.
   */
  bind(name: string, binding: Binding, certain: boolean): void {
    const methods = this.get(name).filter((other) => other.kind === "function" && other.isMethod);
    this.#bindings.set(name, [...(certain ? methods : this.get(name)), binding]);
    if (certain) this.#certain.add(name);
  }

  /** The meanings of a name. */
  get(name: string): readonly Binding[] {
    return this.#bindings.get(name) ?? [];
  }

  /** Ends all meanings of a name but methods. */
  forget(name: string): void {
    this.#bindings.set(
      name,
      this.get(name).filter((binding) => binding.kind === "function" && binding.isMethod),
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
   * @param aliases How many names were followed already.
   */
  paths(node: SyntaxNode | null, source: Source, aliases = 0): string[] {
    if (node === null || aliases > MAX_ALIASES) return [UNKNOWN];
    const { firstChild } = node;
    switch (node.name) {
      case "VariableName":
        return this.#namePaths(nodeText(node, source), aliases);
      case "MemberExpression": {
        const property = node.getChild("PropertyName");
        const suffix = property === null ? "[]" : `.${nodeText(property, source)}`;
        return this.paths(firstChild, source, aliases).map((path) => path + suffix);
      }
      case "CallExpression":
        return this.paths(firstChild, source, aliases).map((path) => `${path}()`);
      case "ParenthesizedExpression":
      case "AwaitExpression":
        return this.paths(firstChild?.nextSibling ?? null, source, aliases);
      case "String":
      case "FormatString":
      case "Number":
        return [node.name];
      default:
        return [UNKNOWN];
    }
  }

  #namePaths(name: string, aliases: number): string[] {
    const named = this.get(name).filter(
      (binding) => binding.kind !== "function" || !binding.isMethod,
    );
    const paths = named.flatMap((binding) => {
      if (binding.kind === "module") return [binding.path];
      if (binding.kind !== "value") return [OWN];
      const [node = null, ...more] = binding.nodes;
      return more.length > 0 ? [UNKNOWN] : this.paths(node, binding, aliases + 1);
    });
    const imported = [...this.#stars].map((module) => `${module}.${name}`);
    const all = this.hides(name) ? paths : [...paths, name, ...imported];
    return [...new Set(all)].slice(0, MAX_ALIASES);
  }
}
