"""Runs inside the interpreter: one notebook per container, and the outputs of its cells."""

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

DATA_FOLDER = "/mnt/data"
# The smallest PNG: one transparent pixel. It stands in for each figure.
PIXEL_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

notebooks = {}
outputs = []


def add_output(kind, text):
    """Adds an output; consecutive logs become one output."""
    if kind == "logs" and outputs and outputs[-1][0] == "logs":
        outputs[-1][1].append(text)
        return
    outputs.append((kind, [text]))


class LogStream(io.TextIOBase):
    """Replaces stdout and stderr, which a notebook shows together, in order."""

    encoding = "utf-8"

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        if text:
            add_output("logs", text)
        return len(text)


class Image:
    """A picture, from PNG bytes or from a file name."""

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
    """Outputs pictures as images, and everything else as its repr."""
    for value in values:
        to_png = getattr(value, "_repr_png_", None)
        png = to_png() if to_png and not isinstance(value, type) else None
        if png is None:
            add_output("logs", repr(value) + "\n")
            continue
        add_output("image", "data:image/png;base64," + base64.b64encode(png).decode())


class Figure:
    """Accepts every drawing call and ignores it; its picture is always one pixel."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __iter__(self):
        """For `figure, axes = plt.subplots()`."""
        return iter((self, self))

    def _repr_png_(self):
        return PIXEL_PNG

    def savefig(self, target, *args, **kwargs):
        if hasattr(target, "write"):
            target.write(PIXEL_PNG)
            return
        with open(target, "wb") as file:
            file.write(PIXEL_PNG)


def reseed_random():
    """A snapshot contains the seed: without this, all interpreters give the same random numbers."""
    if "random" in sys.modules:
        sys.modules["random"].seed()


def install_modules():
    """Makes `display`, `IPython.display` and a stub of `matplotlib.pyplot` importable."""
    builtins.display = display
    add_module("IPython")
    add_module("IPython.display", display=display, Image=Image)
    add_module("matplotlib")
    pyplot = add_module("matplotlib.pyplot", show=lambda *args, **kwargs: display(Figure()))
    pyplot.__getattr__ = lambda name: getattr(Figure(), name)
    # Importing a module that is None fails, so Python cannot reach the emulator's own JavaScript.
    for name in ("js", "pyodide_js", "pyodide.http", "pyodide.code"):
        sys.modules[name] = None


def add_module(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(members)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


def split_last_expression(code):
    """Returns the statements, and apart from them a last expression whose value a notebook shows."""
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
    tree, last = split_last_expression(code)
    await evaluate(tree, "exec", names)
    if last is None:
        return
    value = await evaluate(last, "eval", names)
    if value is not None:
        add_output("logs", repr(value))


def open_notebook(container):
    """Makes the container's variables the current ones, as `__main__`."""
    main = notebooks.setdefault(container, types.ModuleType("__main__"))
    sys.modules["__main__"] = main
    os.makedirs(DATA_FOLDER, exist_ok=True)
    os.chdir(DATA_FOLDER)
    return main.__dict__


def drop_notebook(container):
    """Deletes a container's variables."""
    notebooks.pop(container, None)


def clear_data_folder():
    """Empties the data folder before another container's files are written."""
    os.chdir("/")
    shutil.rmtree(DATA_FOLDER, ignore_errors=True)
    os.makedirs(DATA_FOLDER, exist_ok=True)


def list_files():
    """Returns the files in the data folder as JSON: path to [modification time in ns, size in bytes]."""
    files = {}
    for folder, _, names in os.walk(DATA_FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                stat = os.stat(path)
                files[path] = [str(stat.st_mtime_ns), stat.st_size]
    return json.dumps(files)


async def run_cell(container, code):
    """Runs one cell. Returns [raised, [[kind, text], ...]]."""
    outputs.clear()
    sys.stdout = sys.stderr = LogStream()
    raised = False
    try:
        await execute(code, open_notebook(container))
    except BaseException:
        raised = True
    result = [(kind, "".join(parts)) for kind, parts in outputs]
    outputs.clear()
    return raised, result


reseed_random()
install_modules()
clear_data_folder()
