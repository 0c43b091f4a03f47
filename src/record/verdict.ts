// What the evidence says. Pure.
import { showsSomething, type Vocabulary } from "../python/output-analysis.ts";
import type { CallVerdict, Channel, KnownCall, OutputState, ResponseVerdict } from "./schema.ts";

/** From the worst to the best: a response's verdict is its worst call's. */
const WORST_FIRST: readonly CallVerdict[] = ["lost", "suspect", "recovered", "captured", "silent"];

/** Channels whose first look after the end counts as the plain answer. */
const PLAIN_CHANNELS: ReadonlySet<Channel> = new Set(["refetch", "held"]);

const PYTHON: Vocabulary = {
  printers: new Set(
    "print display pprint pp help input exec eval breakpoint tqdm trange warn".split(" "),
  ),
  printingMethods: new Set(
    [
      "print pprint pp display show warn warning error critical exception info summary iplot",
      "print_exc print_exception print_stack print_tb print_help print_usage print_stats printSchema",
      "system run call check_call Popen run_path run_module testmod dis input tqdm prmonth pryear",
    ].flatMap((line) => line.split(" ")),
  ),
  quietReceivers: new Map([
    // Below the level that Python's logging shows by default.
    ["info", new Set(["logging", "logger", "log", "LOGGER", "LOG", "self.logger", "self.log"])],
    ["run", new Set(["asyncio", "loop"])],
  ]),
  giveNone: new Set(
    [
      "append extend insert remove sort reverse clear add discard update",
      "close flush savefig save savez savetxt dump seed shuffle sleep setattr delattr",
      "mkdir makedirs unlink rmdir rmtree chdir chmod touch extractall tight_layout",
      "basicConfig setLevel addHandler simplefilter filterwarnings set_option",
      "print pprint pp display show info print_exc writelines writeheader writestr",
    ].flatMap((line) => line.split(" ")),
  ),
  giveNoneToTarget: new Set(
    [
      "to_csv to_json to_html to_latex to_markdown to_string to_parquet to_xml",
      "to_excel to_pickle to_feather to_hdf to_stata to_sql",
    ].flatMap((line) => line.split(" ")),
  ),
  targets: new Set("path_or_buf path buf excel_writer path_or_buffer".split(" ")),
  valueReceivers: new Set("np numpy jnp torch tf ast cp da pd".split(" ")),
  valueNames: new Set("append insert sort add dump remove clear update reverse".split(" ")),
};

/**
 * Why running this code should have shown something.
 * @param code Python, or null when OpenAI sent none.
 * @returns The reason in a few words, or null.
 */
export function suspicion(code: string | null): string | null {
  return code === null ? null : showsSomething(code, PYTHON);
}

/**
 * The verdict of one call.
 * @param call Its code and what was seen of its outputs.
 * @param source The channel that had its outputs, or null.
 * @param first Whether that was the first look after the response's end.
 */
export function callVerdict(
  call: { code: string | null; state: OutputState },
  source: Channel | null,
  first: boolean,
): CallVerdict {
  if (source !== null) return first && PLAIN_CHANNELS.has(source) ? "captured" : "recovered";
  return suspicion(call.code) === null ? "silent" : "suspect";
}

/**
 * The verdict of a response: its worst call's.
 * @param record What is known of its calls, and the verdict so far.
 * @param ended Whether its end was seen.
 */
export function responseVerdict(
  record: { verdict: ResponseVerdict; calls: KnownCall[] },
  ended: boolean,
): ResponseVerdict {
  if (!ended) return record.verdict;
  const verdicts = new Set(record.calls.map((call) => call.verdict));
  return WORST_FIRST.find((verdict) => verdicts.has(verdict)) ?? "no_calls";
}
