// How many of pyplot's figures a cell leaves open: the notebook shows them at its end.
import { childNamed } from "../syntax/syntax-tree.ts";
import type { SyntaxNode } from "@lezer/common";
import { keywordArgument, nodeText, positionalArguments } from "../syntax/calls.ts";
import type { State } from "../state/state.ts";
import { toWordSet } from "../words/word-set.ts";

const PYPLOT = /^(?:matplotlib\.pyplot|pylab)\.(\w+)/;
/** Functions of pyplot that need no figure. */
const FIGURELESS = toWordSet(
  "close show style rcParams rcParamsDefault rc rc_context rcdefaults cm colormaps get_cmap ion ioff",
  "isinteractive switch_backend get_fignums get_figlabels fignum_exists imread imsave xkcd Circle",
  "Rectangle Polygon Normalize Line2D Text FuncFormatter MaxNLocator MultipleLocator get_backend",
  "register_cmap set_loglevel get_plot_commands install_repl_displayhook np cycler Figure Axes Arrow",
);
/** Functions that always open a figure. */
const OPENS_ANOTHER = toWordSet(
  "figure subplots subplot_mosaic relplot catplot displot lmplot pairplot jointplot FacetGrid PairGrid",
  "JointGrid clustermap scatter_matrix matshow",
);
/** Methods of data frames and others that draw. */
const DRAWING_METHODS = toWordSet("plot hist boxplot from_estimator from_predictions");
/** Functions that draw, by what their names say. */
const DRAWING_FUNCTION =
  /^(?:plot_\w+|\w+plot|\w+_plot|draw_networkx\w*|dendrogram|heatmap|despine|specshow)$/;
/** Receivers that belong to a figure which is open or was closed already. */
const AXES = /^(?:self\.)?_?(?:ax|axs|axes|fig|figure)\d*(?:\[.*\])?$/;

/** Counts the figures that a call opens or closes. */
export function trackFigures(call: SyntaxNode, paths: readonly string[], state: State): void {
  for (const path of paths) {
    if (path === "matplotlib.use" || path === "matplotlib.pyplot.switch_backend") {
      state.settings.showsFigures = !/agg/i.test(nodeText(childNamed(call, "ArgList"), state));
    }
    if (path === "matplotlib.pyplot.close") closeFigures(call, state);
    else if (opensAnother(call, path, state)) state.figures += 1;
    else if (draws(call, path, state)) state.figures = Math.max(1, state.figures);
  }
}

/** Reads code that may run more than once, or not at all, and keeps the highest count. */
export function withFigures(state: State, repeats: boolean, visit: () => void): void {
  const before = state.figures;
  visit();
  if (repeats && state.figures > before) state.figures = Infinity;
  else state.figures = Math.max(before, state.figures);
}

function closeFigures(call: SyntaxNode, state: State): void {
  const [which] = positionalArguments(call);
  const closesAll = /^["']all["']$/.test(nodeText(which ?? null, state));
  state.figures = closesAll ? 0 : Math.max(0, state.figures - 1);
}

function opensAnother(call: SyntaxNode, path: string, state: State): boolean {
  const name = lastName(path);
  if (PYPLOT.test(path) || path.startsWith("seaborn.")) return OPENS_ANOTHER.has(name);
  if (!isDrawnByMethod(path)) return false;
  return !belongsToAxes(call, path, state) && keywordArgument(call, "ax", state) === null;
}

function draws(call: SyntaxNode, path: string, state: State): boolean {
  const pyplot = PYPLOT.exec(path)?.[1];
  if (pyplot !== undefined) return !path.includes("()") && !FIGURELESS.has(pyplot);
  if (keywordArgument(call, "ax", state) !== null) return false;
  return path.includes(".") && !isOwn(path) && DRAWING_FUNCTION.test(lastName(path));
}

function isDrawnByMethod(path: string): boolean {
  if (isOwn(path) || !path.includes(".")) return false;
  return DRAWING_METHODS.has(lastName(path)) || /\.plot\.\w+$/.test(path);
}

function belongsToAxes(call: SyntaxNode, path: string, state: State): boolean {
  if (/^(?:matplotlib|pylab|seaborn)\b/.test(path)) return true;
  return AXES.test(nodeText(call.firstChild?.firstChild ?? null, state));
}

function isOwn(path: string): boolean {
  return path.startsWith("~");
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
