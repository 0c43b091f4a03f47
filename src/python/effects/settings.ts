// What calls set up for the code after them, or for the block that they open.
import type { SyntaxNode } from "@lezer/common";
import { calleeName, keywordArgument, nodeText, positionalArguments } from "../syntax/calls.ts";
import { lastName } from "./effects.ts";
import type { Mutes, State } from "../state/state.ts";
import { childNamed, childrenNamed } from "../syntax/syntax-tree.ts";

/** Notes what a call sets up: logging, and warnings that are switched off. */
export function trackSettings(call: SyntaxNode, paths: readonly string[], state: State): void {
  const { settings, vocabulary } = state;
  for (const path of paths) {
    const name = lastName(path);
    if (vocabulary.loggingSetup.has(name)) {
      settings.logsInfo = true;
      settings.logsDebug ||= !/INFO|WARN|ERROR|CRITICAL/.test(
        nodeText(childNamed(call, "ArgList"), state),
      );
    }
    if (name === "basicConfig" && state.certain) {
      settings.logsToFile ||= keywordArgument(call, "filename", state) !== null;
    }
    if (name === "StreamHandler") settings.logsToFile = false;
    if (!state.certain) continue;
    if (/^warnings\.(?:simplefilter|filterwarnings)$/.test(path)) {
      settings.ignoresWarnings = /^\(\s*["']ignore["']\s*\)$/.test(
        nodeText(childNamed(call, "ArgList"), state),
      );
    }
    if (path === "numpy.seterr")
      settings.ignoresWarnings ||= keywordArgument(call, "all", state) === "'ignore'";
    if (path === "warnings.resetwarnings") settings.ignoresWarnings = false;
  }
}

/** Whether a `with` ends what its block sets up for warnings. */
export function restoresWarnings(node: SyntaxNode, state: State): boolean {
  return childrenNamed(node, "CallExpression").some(
    (call) => calleeName(call, state) === "catch_warnings",
  );
}

/** What the block of a `with` keeps from being shown. */
export function mutesOf(node: SyntaxNode, state: State): Mutes {
  let mutes = state.mutes;
  for (const call of childrenNamed(node, "CallExpression")) {
    for (const path of state.scope.paths(call.firstChild, state)) {
      const name = lastName(path);
      const [target] = positionalArguments(call);
      const isStream = /\bstd(?:out|err)/.test(nodeText(target ?? null, state));
      if (name === "redirect_stdout" && !isStream) mutes = { ...mutes, stdout: true };
      if (name === "capture_output") mutes = { ...mutes, all: true };
      if (name === "errstate") mutes = { ...mutes, warnings: true };
    }
  }
  return mutes;
}
