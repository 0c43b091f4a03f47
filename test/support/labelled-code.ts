// Python code labelled by whether running it gives outputs. Verdicts are measured by these labels.

export type LabelledCode = {
  label: string;
  code: string;
  /** Whether running it gives outputs. */
  hasOutput: boolean;
  /** The verdict on empty outputs, where it does not follow from the label: the syntax tree doesn't show that code raises, or which branch is taken. */
  verdict?: "suspect" | "silent";
  /** What the test's interpreter lacks to confirm the label. */
  needs?: string;
};

const withOutput = (label: string, code: string, needs?: string): LabelledCode => ({
  label,
  code,
  hasOutput: true,
  ...(needs === undefined ? {} : { needs }),
});
const withoutOutput = (label: string, code: string, needs?: string): LabelledCode => ({
  label,
  code,
  hasOutput: false,
  ...(needs === undefined ? {} : { needs }),
});
const withoutOutputButSuspect = (label: string, code: string): LabelledCode => ({
  label,
  code,
  hasOutput: false,
  verdict: "suspect",
});

const PANDAS = "pandas";

export const LABELLED_CODES: LabelledCode[] = [
  withOutput("a print", "print('x')"),
  withOutput("a print of nothing but a line", "print()"),
  withOutput("a print in a loop", "for i in range(3):\n    print(i)"),
  withOutput("a print in a condition", "if True:\n    print(1)"),
  withOutput("a print in the else of a dead branch", "if False:\n    x = 1\nelse:\n    print(1)"),
  withOutput("a print in a try", "try:\n    print(1)\nexcept ValueError:\n    pass"),
  withOutput(
    "a print in an except",
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",
  ),
  withOutput(
    "a print in a with",
    "import contextlib\nwith contextlib.suppress(ValueError):\n    print(1)",
  ),
  withOutput("a print in a function that is called", "def f():\n    print(1)\nf()"),
  withOutput(
    "a print in a function called by another",
    "def f():\n    print(1)\ndef g():\n    f()\ng()",
  ),
  withOutput(
    "a print in a method that is called",
    "class A:\n    def m(self):\n        print(1)\nA().m()",
  ),
  withOutput("a print in __init__", "class A:\n    def __init__(self):\n        print(1)\na = A()"),
  withOutput("a print in a class body", "class A:\n    print(1)"),
  withOutput("a print in a lambda that is called", "f = lambda: print(1)\nf()"),
  withOutput(
    "a print in a decorator",
    "def d(f):\n    print(1)\n    return f\n@d\ndef g():\n    pass",
  ),
  withOutput("a print passed to map", "x = list(map(print, [1, 2]))"),
  withOutput("a print under another name", "say = print\nsay(1)"),
  withOutput("a print in a comprehension", "x = [print(i) for i in range(2)]"),
  withOutput("a print behind if __name__", "if __name__ == '__main__':\n    print(1)"),
  withOutput("a print after a semicolon", "x = 1; print(x)"),
  withOutput("a print to stderr", "import sys\nprint('x', file=sys.stderr)"),
  withOutput("a print to stdout by name", "import sys\nprint('x', file=sys.stdout)"),
  withOutput("sys.stdout.write", "import sys\nsys.stdout.write('x');"),
  withOutput("sys.stderr.write", "import sys\nsys.stderr.write('x');"),
  withOutput("stdout imported by name", "from sys import stdout\nstdout.write('x');"),
  withOutput("stdout under another name", "import sys\nout = sys.stdout\nout.write('x');"),
  withOutput("display", "display('x')"),
  withOutput("display imported", "from IPython.display import display\ndisplay(1)"),
  withOutput("pprint", "from pprint import pprint\npprint({'a': 1})"),
  withOutput("pprint as a method", "import pprint\npprint.pprint({'a': 1})"),
  withOutput("plt.show()", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()"),
  withOutput("a warning", "import warnings\nwarnings.warn('careful')"),
  withOutput("a logged warning", "import logging\nlogging.warning('careful')"),
  withOutput(
    "a printed traceback",
    "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
  ),
  withOutput("exec of a print", "exec('print(1)')"),
  withOutput("a value on the last line", "6 * 7"),
  withOutput("a name on the last line", "x = 1\nx"),
  withOutput("a string on the last line", "'done'"),
  withOutput("an f-string on the last line", "x = 1\nf'{x}'"),
  withOutput("a tuple on the last line", "a = 1\nb = 2\na, b"),
  withOutput("a call on the last line", "sorted([2, 1])"),
  withOutput("a method with a value on the last line", "'a'.upper()"),
  withOutput("a file's write on the last line", "f = open('/mnt/data/w.txt', 'w')\nf.write('x')"),
  withOutput("a walrus on the last line", "(x := 5)"),
  withOutput("a value before a comment", "6 * 7\n# done"),
  withOutput("a user-defined function that returns", "def f():\n    return 1\nf()"),
  withOutput("a comparison on the last line", "1 < 2"),
  withOutput("a dictionary's pop on the last line", "{'a': 1}.pop('a')"),
  withOutput(
    "to_csv() without a target returns a string",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.to_csv()",
    PANDAS,
  ),
  withOutput(
    "df.info() prints",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.info()",
    PANDAS,
  ),
  withOutput(
    "df.head() on the last line",
    "import pandas as pd\npd.DataFrame({'a': [1]}).head()",
    PANDAS,
  ),
  withOutput("a print in a lambda called at once", "(lambda x: print(x))(3);"),
  withOutput("a print in a lambda passed to map", "x = list(map(lambda x: print(x), [1]))"),
  withOutput("a print in a lambda in a list", "fs = [lambda: print(1)]\nfor f in fs:\n    f()"),
  withOutput("a print in a default", "def f(x=print('d')):\n    pass"),
  withOutput(
    "a user-defined function named like a method",
    "def add(a, b):\n    return a + b\nadd(2, 3)",
  ),
  withOutput("a function defined twice", "def f():\n    pass\ndef f():\n    return 4\nf()"),
  withOutput(
    "a print after an object's quit",
    "class D:\n    def quit(self):\n        pass\nD().quit()\nprint('x')",
  ),
  withOutput("an imported warning", "from logging import warning\nwarning('careful')"),
  withOutput(
    "an imported print_exc",
    "from traceback import print_exc\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    print_exc()",
  ),
  withOutput("sys under another name", "import sys as s\ns.stdout.write('x');"),
  withOutput(
    "stdout imported under another name",
    "from sys import stdout as out\nout.write('x');",
  ),
  withOutput(
    "a logged info after the level was lowered",
    "import logging\nlogging.basicConfig(level=logging.INFO)\nlogging.info('x')",
    "a fresh interpreter",
  ),
  withOutput(
    "show imported with everything",
    "from matplotlib.pyplot import *\nplot([1, 2]);\nshow()",
    "matplotlib",
  ),
  withOutput(
    "to_csv with options and no target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(index=False)",
    PANDAS,
  ),
  withOutput("np.sort on the last line", "import numpy as np\nnp.sort(np.array([2, 1]))", "numpy"),
  withOutput("yaml.dump without a file", "import yaml\nyaml.dump({'a': 1})", "yaml"),
  withOutput("a printed help text", "import argparse\nargparse.ArgumentParser().print_help();"),
  withOutput("a shell command", "!echo hello", "a notebook's shell"),
  withOutput("a notebook's magic", "%pwd", "a notebook's magics"),

  withoutOutput("pass", "pass"),
  withoutOutput("an assignment", "x = 1"),
  withoutOutput("an assignment with a type", "x: int = 1"),
  withoutOutput("an augmented assignment", "x = 1\nx += 1"),
  withoutOutput("an import", "import math"),
  withoutOutput("a print in a function never called", "def f():\n    print(1)"),
  withoutOutput(
    "a print in a method never called",
    "class A:\n    def m(self):\n        print(1)\na = A()",
  ),
  withoutOutput("a print in a lambda never called", "f = lambda: print(1)"),
  withoutOutput("a print in a string", "s = 'print(1)'"),
  withoutOutput("a print in a comment", "# print(1)\nx = 1"),
  withoutOutput("a print in a docstring of a function", 'def f():\n    """print(1)"""'),
  withoutOutput("a print in dead code", "if False:\n    print(1)"),
  withoutOutput("a print after a raise", "raise ValueError('x')\nprint(1)"),
  withoutOutput(
    "a print to a file",
    "with open('/mnt/data/p.txt', 'w') as f:\n    print('x', file=f)",
  ),
  withoutOutput(
    "a print into a buffer",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as buffer:\n    print(1)",
  ),
  withoutOutput("a value with a trailing semicolon", "6 * 7;"),
  withoutOutput("a call with a trailing semicolon", "sorted([2, 1]) ;"),
  withoutOutput("an assignment on the last line", "x = sorted([2, 1])"),
  withoutOutput("None on the last line", "None"),
  withoutOutput(
    "a file that is written",
    "with open('/mnt/data/q.txt', 'w') as f:\n    f.write('x')",
  ),
  withoutOutput("list.append on the last line", "x = []\nx.append(1)"),
  withoutOutput("list.sort on the last line", "x = [2, 1]\nx.sort()"),
  withoutOutput("dict.update on the last line", "x = {}\nx.update(a=1)"),
  withoutOutput("set.add on the last line", "x = set()\nx.add(1)"),
  withoutOutput("random.seed on the last line", "import random\nrandom.seed(1)"),
  withoutOutput(
    "os.makedirs on the last line",
    "import os\nos.makedirs('/mnt/data/d', exist_ok=True)",
  ),
  withoutOutput(
    "json.dump on the last line",
    "import json\nf = open('/mnt/data/j.json', 'w')\njson.dump({}, f)",
  ),
  withoutOutput("a user-defined function that returns nothing", "def f():\n    x = 1\nf()"),
  withoutOutput("a bare return", "def f():\n    return\nf()"),
  withoutOutput("a definition on the last line", "x = 1\ndef f():\n    return x"),
  withoutOutput("a loop on the last line", "for i in range(3):\n    i"),
  withoutOutput("a logged info below the default level", "import logging\nlogging.info('x')"),
  withoutOutput(
    "df.to_csv with a target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv('/mnt/data/a.csv')",
    PANDAS,
  ),
  withoutOutput(
    "a change in place",
    "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.drop(columns=['a'], inplace=True)",
    PANDAS,
  ),
  withOutput(
    "plt.savefig, which leaves a figure open",
    "import matplotlib.pyplot as plt\nplt.savefig('/mnt/data/a.png')",
    "a notebook's figures",
  ),
  withoutOutput(
    "df.to_csv with a named target",
    "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv(path_or_buf='/mnt/data/a.csv')",
    PANDAS,
  ),
  withoutOutputButSuspect(
    "a call of sys.exit in a branch that is not taken",
    "import sys\nx = 1\nif x == 2:\n    sys.exit()",
  ),
  withoutOutput("a lambda kept under a name", "double = lambda x: x * 2"),
  withoutOutputButSuspect("a syntax error", "x = = 1"),
  withoutOutput("del", "x = 1\ndel x"),
  withoutOutput("an assertion", "assert 1 < 2"),
  withoutOutputButSuspect("a print of an undefined name", "print(nowhere)"),
  withoutOutputButSuspect("a print in an empty loop", "for i in []:\n    print(i)"),
  withoutOutputButSuspect("a print with a syntax error", "print('x'"),
];
