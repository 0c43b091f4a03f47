"""What runs inside the interpreter: one notebook per container, and what its cells show."""

import ast
import base64
import builtins
import inspect
import io
import json
import os
import shutil
import sys
import types

DATA = "/mnt/data"
# The smallest PNG there is: one transparent pixel. It stands for a figure.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

notebooks = {}
outputs = []


def emit(kind, text):
    """Adds an output; text that follows text becomes one output with it."""
    if kind == "logs" and outputs and outputs[-1][0] == "logs":
        outputs[-1][1].append(text)
        return
    outputs.append((kind, [text]))


class Stream(io.TextIOBase):
    """Stands in for stdout and stderr, which a notebook shows in one place, in order."""

    encoding = "utf-8"

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        if text:
            emit("logs", text)
        return len(text)


class Image:
    """A picture given as PNG bytes or as the name of a file."""

    def __init__(self, data=None, filename=None):
        if isinstance(data, str):
            data, filename = None, data
        if filename is not None:
            with open(filename, "rb") as file:
                data = file.read()
        self.data = bytes(data)

    def _repr_png_(self):
        return self.data


def display(*values):
    """Shows pictures as pictures and everything else as its repr."""
    for value in values:
        painter = getattr(value, "_repr_png_", None)
        png = painter() if painter and not isinstance(value, type) else None
        if png is None:
            emit("logs", repr(value) + "\n")
            continue
        emit("image", "data:image/png;base64," + base64.b64encode(png).decode())


class Figure:
    """Takes everything that is drawn on it, and is one pixel all the same."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __iter__(self):
        """As in `figure, axes = plt.subplots()`."""
        return iter((self, self))

    def _repr_png_(self):
        return PIXEL

    def savefig(self, target, *args, **kwargs):
        if hasattr(target, "write"):
            target.write(PIXEL)
            return
        with open(target, "wb") as file:
            file.write(PIXEL)


def reseed():
    """A snapshot remembers its random numbers: without this, all interpreters would give the same."""
    if "random" in sys.modules:
        sys.modules["random"].seed()


def install():
    """Makes `display`, `IPython.display` and a stub of `matplotlib.pyplot` importable."""
    builtins.display = display
    add("IPython")
    add("IPython.display", display=display, Image=Image)
    add("matplotlib")
    pyplot = add("matplotlib.pyplot", show=lambda *args, **kwargs: display(Figure()))
    pyplot.__getattr__ = lambda name: getattr(Figure(), name)
    # Leave Python no way out into the emulator's own JavaScript.
    for name in ("js", "pyodide_js", "pyodide.http", "pyodide.code"):
        sys.modules[name] = None


def add(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(members)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


def split(code):
    """Gives the statements, and the last one apart when a notebook would show its value."""
    tree = ast.parse(code, "<cell>")
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or ends_with_semicolon(code, last):
        return tree, None
    tree.body.pop()
    return tree, ast.Expression(last.value)


def ends_with_semicolon(code, last):
    lines = code.encode().split(b"\n")
    rest = [lines[last.end_lineno - 1][last.end_col_offset :], *lines[last.end_lineno :]]
    return b"\n".join(rest).lstrip().startswith(b";")


async def evaluate(tree, mode, names):
    code = compile(tree, "<cell>", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    value = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:
        return await value
    return value


async def execute(code, names):
    tree, last = split(code)
    await evaluate(tree, "exec", names)
    if last is None:
        return
    value = await evaluate(last, "eval", names)
    if value is not None:
        emit("logs", repr(value))


def open_notebook(container):
    """Makes the container's names the current ones, as `__main__`."""
    main = notebooks.setdefault(container, types.ModuleType("__main__"))
    sys.modules["__main__"] = main
    os.makedirs(DATA, exist_ok=True)
    os.chdir(DATA)
    return main.__dict__


def forget(container):
    """Drops the names of a container that is gone."""
    notebooks.pop(container, None)


def clear():
    """Empties the data folder, for the next container's files."""
    os.chdir("/")
    shutil.rmtree(DATA, ignore_errors=True)
    os.makedirs(DATA, exist_ok=True)


def listing():
    """Gives the files in the data folder as JSON: path to [modified in ns, bytes]."""
    found = {}
    for folder, _, names in os.walk(DATA):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                stat = os.stat(path)
                found[path] = [str(stat.st_mtime_ns), stat.st_size]
    return json.dumps(found)


async def run(container, code):
    """Runs one cell. Gives [raised, [[kind, text], ...]]."""
    outputs.clear()
    sys.stdout = sys.stderr = Stream()
    raised = False
    try:
        await execute(code, open_notebook(container))
    except BaseException:
        raised = True
    shown = [(kind, "".join(parts)) for kind, parts in outputs]
    outputs.clear()
    return raised, shown


reseed()
install()
clear()
