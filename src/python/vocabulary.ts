// Names in Python that show something, and names whose calls return None.

/** What the analysis knows of Python's names. */
export type Vocabulary = {
  /** Functions that show something when they are called, or passed on to be called. */
  printers: ReadonlySet<string>;
  /** Methods and module functions that show something, by their last name. */
  printingMethods: ReadonlySet<string>;
  /** Receivers for which a name of `printingMethods` shows nothing. */
  quietReceivers: ReadonlyMap<string, ReadonlySet<string>>;
  /** Functions and methods that return None. */
  returnsNone: ReadonlySet<string>;
  /** Methods that return None when an argument says where to write, and a value otherwise. */
  returnsNoneWithTarget: ReadonlySet<string>;
  /** Keywords that say where to write. */
  targetKeywords: ReadonlySet<string>;
  /** Modules whose functions return a value although a method of the same name returns None. */
  valueReturningReceivers: ReadonlySet<string>;
  /** The names of those functions. */
  valueReturningNames: ReadonlySet<string>;
};

/** Python, its common libraries and the notebook. */
export const PYTHON_VOCABULARY: Vocabulary = {
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
  returnsNone: new Set(
    [
      "append extend insert remove sort reverse clear add discard update",
      "close flush savefig save savez savetxt dump seed shuffle sleep setattr delattr",
      "mkdir makedirs unlink rmdir rmtree chdir chmod touch extractall tight_layout",
      "basicConfig setLevel addHandler simplefilter filterwarnings set_option",
      "print pprint pp display show info print_exc writelines writeheader writestr",
    ].flatMap((line) => line.split(" ")),
  ),
  returnsNoneWithTarget: new Set(
    [
      "to_csv to_json to_html to_latex to_markdown to_string to_parquet to_xml",
      "to_excel to_pickle to_feather to_hdf to_stata to_sql",
    ].flatMap((line) => line.split(" ")),
  ),
  targetKeywords: new Set("path_or_buf path buf excel_writer path_or_buffer".split(" ")),
  valueReturningReceivers: new Set("np numpy jnp torch tf ast cp da pd".split(" ")),
  valueReturningNames: new Set(
    "append insert sort add dump remove clear update reverse".split(" "),
  ),
};
