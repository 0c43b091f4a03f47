// Names in Python that show something, and names whose calls return None.
import { toWordSet } from "./word-set.ts";

/** What the analysis knows of Python's names. A path has its module: `subprocess.run`. */
export type Vocabulary = {
  /** Functions that show something when they are called, or passed on to be called. */
  printers: ReadonlySet<string>;
  /** Methods and module functions that show something, by their last name. */
  printingMethods: ReadonlySet<string>;
  /** Paths that show nothing although their last name is one of `printingMethods`. */
  quietPaths: ReadonlySet<string>;
  /** Printers that write to `sys.stdout` only. */
  stdoutPrinters: ReadonlySet<string>;
  /** What loggers are usually called. */
  loggers: ReadonlySet<string>;
  /** Methods of a logger that show nothing at the level that Python's logging has by default. */
  quietLogMethods: ReadonlySet<string>;
  /** Methods of a logger that show something at that level. */
  loudLogMethods: ReadonlySet<string>;
  /** Functions that set up logging. */
  loggingSetup: ReadonlySet<string>;
  /** Functions that keep what they are given and don't call it. */
  keepers: ReadonlySet<string>;
  /** What a standard stream can be asked without writing to it. */
  quietStreamMembers: ReadonlySet<string>;
  /** Decorators that don't call what they decorate. */
  quietDecorators: ReadonlySet<string>;
  /** Keywords that make a function tell of its progress. */
  verboseKeywords: ReadonlySet<string>;
  /** Line magics that show nothing, with their arguments. */
  quietMagics: readonly RegExp[];
  /** Cell magics whose cell is Python. */
  pythonCellMagics: ReadonlySet<string>;
  /** Magics that are commands without a percent sign, too, where no name hides them. */
  automagics: ReadonlySet<string>;
  /** Functions and methods that return None. */
  returnsNone: ReadonlySet<string>;
  /** Paths that return None, where their last name alone says nothing. */
  returnsNonePaths: ReadonlySet<string>;
  /** Methods that return None when they get no argument: `thread.join()`. */
  returnsNoneWithoutArguments: ReadonlySet<string>;
  /** Methods that return None when an argument says where to write, and a value otherwise. */
  returnsNoneWithTarget: ReadonlySet<string>;
  /** Keywords that say where to write. */
  targetKeywords: ReadonlySet<string>;
  /** Modules whose functions return a value although a method of the same name returns None. */
  valueReturningModules: ReadonlySet<string>;
  /** The names of those functions. */
  valueReturningNames: ReadonlySet<string>;
};

/** Python, its common libraries and the notebook. */
export const PYTHON_VOCABULARY: Vocabulary = {
  printers: toWordSet(
    "print display pprint pp help input exec eval breakpoint tqdm trange warn __import__ exit quit",
    "license credits copyright",
  ),
  printingMethods: toWordSet(
    "print pprint pp rprint print_json cprint echo secho display show iplot help input",
    "tqdm trange tqdm_notebook progress_apply progress_map track ic rule secho",
    "warn warn_explicit warning error critical exception info debug log summary success trace",
    "print_exc print_exception print_stack print_tb print_last print_help print_usage print_stats",
    "print_directory printSchema print_tree print_summary print_topics print_steps",
    "system run call check_call check_output Popen popen getpass startfile spawn spawnl spawnv spawnlp",
    "create_subprocess_exec create_subprocess_shell run_path run_module run_line_magic run_cell_magic",
    "run_cell getoutput testmod testfile dis distb prmonth pryear dump_traceback print_callers print_callees",
    "puts printf init_notebook_mode output_notebook excepthook displayhook interact download main pretty",
    "import_module showwarning exit parse_args",
  ),
  quietPaths: toWordSet(
    "asyncio.run platform.system math.log math.log10 numpy.log cmath.log numpy.info loop.run",
    "subprocess.getoutput subprocess.getstatusoutput sys.exception statistics.summary numpy.ma.log",
    "sympy.log torch.log tensorflow.math.log",
  ),
  stdoutPrinters: toWordSet(
    "print pprint pp help info print_help print_stats print_usage dis prmonth pryear summary",
  ),
  loggers: toWordSet(
    "logging logger log LOGGER LOG _logger _log self.logger self.log self._logger",
  ),
  quietLogMethods: toWordSet("info debug log"),
  loudLogMethods: toWordSet("warning warn error critical exception"),
  loggingSetup: toWordSet(
    "basicConfig setLevel dictConfig fileConfig captureWarnings set_verbosity",
  ),
  keepers: toWordSet(
    "partial partialmethod map filter addHandler StreamHandler Console TextIOWrapper wraps update_wrapper",
  ),
  quietStreamMembers: toWordSet(
    "flush isatty encoding errors fileno reconfigure closed name getvalue readable writable",
  ),
  quietDecorators: toWordSet(
    "staticmethod classmethod property setter getter cached_property lru_cache cache wraps",
    "dataclass total_ordering contextmanager asynccontextmanager abstractmethod overload override",
    "final njit jit singledispatch register fixture",
  ),
  verboseKeywords: toWordSet("verbose verbosity disp debug progress progress_bar show_progress"),
  quietMagics: [
    /^matplotlib[ \t]+[a-z]/,
    /^config\b.*=/,
    /^(?:load_ext|reload_ext|unload_ext|autoreload|colors|mkdir|rmdir|alias|unalias|rehashx)\b/,
    /^(?:reset|reset_selective)[ \t]+-f\b/,
    /^cd[ \t]+-q\b/,
  ],
  pythonCellMagics: toWordSet("time timeit prun memit mprun"),
  automagics: toWordSet(
    "ls pwd cd pip conda who whos who_ls hist history time timeit cat cp mv rm mkdir rmdir man more less",
    "dirs env run store lsmagic magic quickref xmode pdb debug tb notebook ll lx lk lf ldir precision",
  ),
  returnsNone: toWordSet(
    "append appendleft extend extendleft insert remove sort reverse clear add discard update",
    "difference_update intersection_update symmetric_difference_update",
    "close flush savefig save savez savez_compressed savetxt imsave dump seed shuffle sleep setattr",
    "delattr mkdir makedirs unlink rmdir rmtree removedirs chdir chmod touch extractall tight_layout",
    "basicConfig setLevel addHandler removeHandler dictConfig simplefilter filterwarnings resetwarnings",
    "set_option reset_option print pprint pp display show info debug warning error critical exception print_exc writelines writeheader",
    "writerows writestr commit rollback heappush heapify put put_nowait task_done start shutdown terminate",
    "set_printoptions set_index_dtype subplots_adjust switch_backend set_theme set_style set_context",
    "clear_output move_to_end rotate enable disable set_palette invert_yaxis invert_xaxis set_axis_off",
  ),
  returnsNonePaths: toWordSet(
    "os.rename os.replace os.remove os.symlink os.link os.utime os.truncate os.putenv os.unsetenv",
    "os.mkfifo os.fsync shutil.copyfileobj shutil.copymode shutil.copystat matplotlib.use",
    "matplotlib.pyplot.style.use matplotlib.pyplot.close matplotlib.pyplot.ion matplotlib.pyplot.rc",
    "matplotlib.style.use matplotlib.rc matplotlib.pyplot.rcParams.update seaborn.set seaborn.despine",
    "nest_asyncio.apply sys.setrecursionlimit sys.settrace sys.setprofile signal.setitimer atexit.unregister gc.enable gc.disable",
    "gc.freeze logging.disable traceback.print_exc time.tzset struct.pack_into threading.setprofile",
    "locale.resetlocale decimal.setcontext socket.setdefaulttimeout tracemalloc.start tracemalloc.stop",
    "faulthandler.enable warnings.warn random.setstate numpy.random.set_state numpy.put numpy.copyto",
    "numpy.fill_diagonal numpy.place numpy.putmask pandas.reset_option",
  ),
  returnsNoneWithoutArguments: toWordSet("join set release"),
  returnsNoneWithTarget: toWordSet(
    "to_csv to_json to_html to_latex to_markdown to_string to_parquet to_xml",
    "to_excel to_pickle to_feather to_hdf to_stata to_sql",
  ),
  targetKeywords: toWordSet("path_or_buf path buf excel_writer path_or_buffer"),
  valueReturningModules: toWordSet(
    "numpy jax torch tensorflow ast copy dask pandas sklearn joblib operator sympy asyncio",
  ),
  valueReturningNames: toWordSet(
    "append insert sort add dump remove clear update reverse shuffle extend sleep",
  ),
};
