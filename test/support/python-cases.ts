// Python that shows something, and Python that shows nothing: the labels that verdicts are measured by.

export type Case = {
  label: string;
  code: string;
  /** Whether running it gives outputs. */
  shown: boolean;
  /** The verdict, where the syntax tree can't know better than to suspect. */
  verdict?: "suspect" | "silent";
  /** Why the interpreter at hand can't confirm it. */
  needs?: string;
};

const shows = (label: string, code: string, needs?: string): Case => ({
  label,
  code,
  shown: true,
  ...(needs === undefined ? {} : { needs }),
});
const quiet = (label: string, code: string, needs?: string): Case => ({
  label,
  code,
  shown: false,
  ...(needs === undefined ? {} : { needs }),
});
const raises = (label: string, code: string): Case => ({
  label,
  code,
  shown: false,
  verdict: "suspect",
});

const PANDAS = "pandas";

export const CASES: Case[] = [
  shows("a print", "print('x')"),
  shows("a print of nothing but a line", "print()"),
  shows("a print in a loop", "for i in range(3):\n    print(i)"),
  shows("a print in a condition", "if True:\n    print(1)"),
  shows("a print in the else of a dead branch", "if False:\n    x = 1\nelse:\n    print(1)"),
  shows("a print in a try", "try:\n    print(1)\nexcept ValueError:\n    pass"),
  shows(
    "a print in an except",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",
  ),
  shows(
    "a print in a with",
    "import contextlib\nwith contextlib.suppress(ValueError):\n    print(1)",
  ),
  shows("a print in a function that is called", "def f():\n    print(1)\nf()"),
  shows(
    "a print in a function called by another",
    "def f():\n    print(1)\ndef g():\n    f()\ng()",
  ),
  shows(
    "a print in a method that is called",
    "class A:\n    def m(self):\n        print(1)\nA().m()",
  ),
  shows("a print in __init__", "class A:\n    def __init__(self):\n        print(1)\na = A()"),
  shows("a print in a class body", "class A:\n    print(1)"),
  shows("a print in a lambda that is called", "f = lambda: print(1)\nf()"),
  shows("a print in a decorator", "def d(f):\n    print(1)\n    return f\n@d\ndef g():\n    pass"),
  shows("a print handed to map", "x = list(map(print, [1, 2]))"),
  shows("a print under another name", "say = print\nsay(1)"),
  shows("a print in a comprehension", "x = [print(i) for i in range(2)]"),
  shows("a print behind if __name__", "if __name__ == '__main__':\n    print(1)"),
  shows("a print after a semicolon", "x = 1; print(x)"),
  shows("a print to stderr", "import sys\nprint('x', file=sys.stderr)"),
  shows("a print to stdout by name", "import sys\nprint('x', file=sys.stdout)"),
  shows("sys.stdout.write", "import sys\nsys.stdout.write('x');"),
  shows("sys.stderr.write", "import sys\nsys.stderr.write('x');"),
  shows("stdout imported by name", "from sys import stdout\nstdout.write('x');"),
  shows("stdout under another name", "import sys\nout = sys.stdout\nout.write('x');"),
  shows("display", "display('x')"),
  shows("display imported", "from IPython.display import display\ndisplay(1)"),
  shows("pprint", "from pprint import pprint\npprint({'a': 1})"),
  shows("pprint as a method", "import pprint\npprint.pprint({'a': 1})"),
  shows("plt.show()", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()"),
  shows("a warning", "import warnings\nwarnings.warn('careful')"),
  shows("a logged warning", "import logging\nlogging.warning('careful')"),
  shows(
    "a traceback that is printed",
    "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
  ),
  shows("exec of a print", "exec('print(1)')"),
  shows("a value on the last line", "6 * 7"),
  shows("a name on the last line", "x = 1\nx"),
  shows("a text on the last line", "'done'"),
  shows("an f-string on the last line", "x = 1\nf'{x}'"),
  shows("a tuple on the last line", "a = 1\nb = 2\na, b"),
  shows("a call on the last line", "sorted([2, 1])"),
  shows("a method with a value on the last line", "'a'.upper()"),
  shows("a file's write on the last line", "f = open('/mnt/data/w.txt', 'w')\nf.write('x')"),
  shows("a walrus on the last line", "(x := 5)"),
  shows("a value before a comment", "6 * 7\n# done"),
  shows("a function of one's own that returns", "def f():\n    return 1\nf()"),
  shows("a comparison on the last line", "1 < 2"),
  shows("a dictionary's pop on the last line", "{'a': 1}.pop('a')"),
  shows(
    "to_csv() without a target gives a text",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.to_csv()",
    PANDAS,
  ),
  shows(
    "df.info() prints",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.info()",
    PANDAS,
  ),
  shows(
    "df.head() on the last line",
    "import pandas as pd\npd.DataFrame({'a': [1]}).head()",
    PANDAS,
  ),
  shows("a print in a lambda called on the spot", "(lambda x: print(x))(3);"),
  shows("a print in a lambda handed to map", "x = list(map(lambda x: print(x), [1]))"),
  shows("a print in a lambda in a list", "fs = [lambda: print(1)]\nfor f in fs:\n    f()"),
  shows("a print in a default", "def f(x=print('d')):\n    pass"),
  shows(
    "a function of one's own named like a method",
    "def add(a, b):\n    return a + b\nadd(2, 3)",
  ),
  shows("a function defined twice", "def f():\n    pass\ndef f():\n    return 4\nf()"),
  shows(
    "a print after an object's quit",
    "class D:\n    def quit(self):\n        pass\nD().quit()\nprint('x')",
  ),
  shows("an imported warning", "from logging import warning\nwarning('careful')"),
  shows(
    "an imported print_exc",
    "from traceback import print_exc\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    print_exc()",
  ),
  shows("sys under another name", "import sys as s\ns.stdout.write('x');"),
  shows("stdout imported under another name", "from sys import stdout as out\nout.write('x');"),
  shows(
    "a logged info, after the level was set",
    "import logging\nlogging.basicConfig(level=logging.INFO)\nlogging.info('x')",
    "an interpreter of its own",
  ),
  shows(
    "show imported with everything",
    "from matplotlib.pyplot import *\nplot([1, 2]);\nshow()",
    "matplotlib",
  ),
  shows(
    "to_csv with options and no target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(index=False)",
    PANDAS,
  ),
  shows("np.sort on the last line", "import numpy as np\nnp.sort(np.array([2, 1]))", "numpy"),
  shows("yaml.dump without a file", "import yaml\nyaml.dump({'a': 1})", "yaml"),
  shows("a help text that is printed", "import argparse\nargparse.ArgumentParser().print_help();"),
  shows("a shell command", "!echo hello", "a notebook's shell"),
  shows("a notebook's magic", "%pwd", "a notebook's magics"),

  quiet("nothing", "pass"),
  quiet("an assignment", "x = 1"),
  quiet("an assignment with a type", "x: int = 1"),
  quiet("an augmented assignment", "x = 1\nx += 1"),
  quiet("an import", "import math"),
  quiet("a print in a function never called", "def f():\n    print(1)"),
  quiet(
    "a print in a method never called",
    "class A:\n    def m(self):\n        print(1)\na = A()",
  ),
  quiet("a print in a lambda never called", "f = lambda: print(1)"),
  quiet("a print in a text", "s = 'print(1)'"),
  quiet("a print in a comment", "# print(1)\nx = 1"),
  quiet("a print in a docstring of a function", 'def f():\n    """print(1)"""'),
  quiet("a print in dead code", "if False:\n    print(1)"),
  quiet("a print after a raise", "raise ValueError('x')\nprint(1)"),
  quiet("a print to a file", "with open('/mnt/data/p.txt', 'w') as f:\n    print('x', file=f)"),
  quiet(
    "a print into a buffer",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as buffer:\n    print(1)",
  ),
  quiet("a value with a trailing semicolon", "6 * 7;"),
  quiet("a call with a trailing semicolon", "sorted([2, 1]) ;"),
  quiet("an assignment on the last line", "x = sorted([2, 1])"),
  quiet("None on the last line", "None"),
  quiet("a file that is written", "with open('/mnt/data/q.txt', 'w') as f:\n    f.write('x')"),
  quiet("list.append on the last line", "x = []\nx.append(1)"),
  quiet("list.sort on the last line", "x = [2, 1]\nx.sort()"),
  quiet("dict.update on the last line", "x = {}\nx.update(a=1)"),
  quiet("set.add on the last line", "x = set()\nx.add(1)"),
  quiet("random.seed on the last line", "import random\nrandom.seed(1)"),
  quiet("os.makedirs on the last line", "import os\nos.makedirs('/mnt/data/d', exist_ok=True)"),
  quiet(
    "json.dump on the last line",
    "import json\nf = open('/mnt/data/j.json', 'w')\njson.dump({}, f)",
  ),
  quiet("a function of one's own that returns nothing", "def f():\n    x = 1\nf()"),
  quiet("a bare return", "def f():\n    return\nf()"),
  quiet("a definition on the last line", "x = 1\ndef f():\n    return x"),
  quiet("a loop on the last line", "for i in range(3):\n    i"),
  quiet("a logged info, below the level that shows", "import logging\nlogging.info('x')"),
  quiet(
    "df.to_csv with a target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv('/mnt/data/a.csv')",
    PANDAS,
  ),
  quiet(
    "a change in place",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.drop(columns=['a'], inplace=True)",
    PANDAS,
  ),
  quiet("plt.savefig", "import matplotlib.pyplot as plt\nplt.savefig('/mnt/data/a.png')"),
  quiet(
    "df.to_csv with a named target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(path_or_buf='/mnt/data/a.csv')",
    PANDAS,
  ),
  quiet("a call of sys.exit before a print", "import sys\nx = 1\nif x == 2:\n    sys.exit()"),
  quiet("a lambda kept under a name", "double = lambda x: x * 2"),
  quiet("a syntax error", "x = = 1"),
  quiet("del", "x = 1\ndel x"),
  quiet("an assertion", "assert 1 < 2"),
  raises("a print of a name that isn't there", "print(nowhere)"),
  raises("a print in an empty loop", "for i in []:\n    print(i)"),
  raises("a syntax error beside a print", "print('x'"),
];
