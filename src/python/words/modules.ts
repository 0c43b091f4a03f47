// Modules of Python, by what importing and calling them shows.
import { toWordSet } from "./word-set.ts";

/** Modules whose import shows nothing. Any other may be the user's own, which can print. */
export const QUIET_MODULES: ReadonlySet<string> = toWordSet(
  "__future__ abc bdb cProfile codeop compileall doctest modulefinder opcode tabnanny argparse array ast asyncio atexit base64 binascii bisect builtins bz2 calendar cmath cmd code",
  "codecs collections colorsys concurrent configparser contextlib contextvars copy copyreg csv ctypes curses",
  "dataclasses datetime dbm decimal difflib dis email encodings enum errno faulthandler fcntl filecmp fileinput",
  "fnmatch fractions ftplib functools gc getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html",
  "http imaplib importlib inspect io ipaddress itertools json keyword linecache locale logging lzma mailbox",
  "marshal math mimetypes mmap multiprocessing netrc numbers operator optparse os pathlib pdb pickle pickletools",
  "pkgutil platform plistlib poplib posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc queue",
  "quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex",
  "shutil signal site smtplib socket socketserver sqlite3 ssl stat statistics string stringprep struct",
  "subprocess symtable sys sysconfig syslog tarfile tempfile termios textwrap threading time timeit tkinter",
  "token tokenize tomllib trace traceback tracemalloc tty turtle types typing unicodedata unittest urllib uuid",
  "venv warnings wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib zoneinfo",
  "IPython PIL attr bs4 chardet certifi cv2 cycler dateutil docx docx2txt fitz fpdf geopandas h5py imageio",
  "jinja2 joblib lxml markdown matplotlib mpl_toolkits mpmath networkx nltk numba numexpr numpy openpyxl pandas",
  "patsy pdfplumber plotly pptx psutil pyarrow pydantic pylab PyPDF2 pypdf pytz qrcode reportlab requests scipy",
  "seaborn shapely skimage sklearn soundfile sqlalchemy statsmodels sympy tabulate tqdm typing_extensions tzlocal",
  "unidecode wordcloud xlrd xlsxwriter xlwt yaml rich loguru termcolor colorama typer click",
);

/** Modules whose loggers show every level unless they are told otherwise. */
export const TALKATIVE_LOGGERS: ReadonlySet<string> = toWordSet("loguru structlog");

/** Names that need no binding: Python's own, the notebook's, and those that a module has. */
export const BUILTIN_NAMES: ReadonlySet<string> = toWordSet(
  "abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex",
  "copyright credits delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr",
  "globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map max",
  "memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice",
  "sorted staticmethod str sum super tuple type vars zip Ellipsis NotImplemented __build_class__ __builtins__",
  "__debug__ __doc__ __import__ __loader__ __name__ __package__ __spec__ __annotations__",
  "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError",
  "BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError",
  "ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError",
  "Exception ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit",
  "IOError ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError",
  "KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError",
  "NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError",
  "PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning",
  "StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError",
  "TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError",
  "UnicodeWarning UserWarning ValueError Warning ZeroDivisionError",
  "display get_ipython In Out _ __ ___ _i _ii _iii _ih _oh _dh __class__",
);
