"""Runs inside the interpreter of one container: its notebook, and the outputs of the notebook's cells."""

import ast
import base64
import builtins
import inspect
import io
import linecache
import os
import shutil
import sys
import traceback
import types

# By name, so that code which breaks these modules does not break the report of its result.
from json import dumps
from os import chdir, makedirs, stat, walk

import _pyodide._importhook

DATA_FOLDER = "/mnt/data"
# The smallest PNG: one transparent pixel. It stands in for each figure.
PIXEL_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)

# Importing a module that is None fails, so Python cannot reach the emulator's own JavaScript.
JAVASCRIPT_MODULES = ("js", "pyodide_js", "pyodide_js._api", "pyodide.http", "pyodide.code")

notebook = types.ModuleType("__main__")
notebook.__builtins__ = builtins
outputs = []
cell_count = 0


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


def remove_javascript():
    """Removes the ways from Python to JavaScript. `lock-down.ts` removes what JavaScript could do if there is another one."""
    finder = _pyodide._importhook.jsfinder
    finder.jsproxies.clear()
    sys.meta_path[:] = [other for other in sys.meta_path if other is not finder]
    for name in JAVASCRIPT_MODULES:
        sys.modules[name] = None
        parent, _, child = name.rpartition(".")
        if parent and sys.modules.get(parent):
            vars(sys.modules[parent]).pop(child, None)


def add_module(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(members)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


def split_last_expression(code, filename):
    """Returns the statements, and apart from them a last expression whose value a notebook shows."""
    tree = ast.parse(code, filename)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or ends_with_semicolon(code, last):
        return tree, None
    tree.body.pop()
    return tree, ast.Expression(last.value)


def ends_with_semicolon(code, last):
    lines = code.encode().split(b"\n")
    rest = [lines[last.end_lineno - 1][last.end_col_offset :], *lines[last.end_lineno :]]
    return b"\n".join(rest).lstrip().startswith(b";")


async def evaluate(tree, mode, filename):
    code = compile(tree, filename, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    value = eval(code, notebook.__dict__)
    if code.co_flags & inspect.CO_COROUTINE:
        return await value
    return value


async def execute(code, filename):
    tree, last = split_last_expression(code, filename)
    await evaluate(tree, "exec", filename)
    if last is None:
        return
    value = await evaluate(last, "eval", filename)
    if value is not None:
        add_output("logs", repr(value))


def open_cell(code):
    """Returns a file name under which tracebacks and `inspect` find the cell's code."""
    global cell_count
    cell_count += 1
    filename = f"<cell {cell_count}>"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    sys.modules["__main__"] = notebook
    makedirs(DATA_FOLDER, exist_ok=True)
    chdir(DATA_FOLDER)
    return filename


def describe_error(error):
    """Returns the last line and the traceback of an exception, from the cell on."""
    try:
        frames = error.__traceback__
        while frames and not frames.tb_frame.f_code.co_filename.startswith("<cell "):
            frames = frames.tb_next
        lines = traceback.format_exception(type(error), error, frames)
        message = traceback.format_exception_only(type(error), error)[-1]
    except BaseException:
        # The container's code may have broken what `traceback` needs.
        lines = [message := type(error).__name__]
    return {"message": message.strip(), "traceback": "".join(lines).strip()}


def clear_data_folder():
    """Empties the data folder before another container's files are written."""
    chdir("/")
    shutil.rmtree(DATA_FOLDER, ignore_errors=True)
    makedirs(DATA_FOLDER, exist_ok=True)


def list_files():
    """Returns the files in the data folder as JSON: path to [modification time in ns, size in bytes]."""
    files = {}
    for folder, _, names in walk(DATA_FOLDER):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                status = stat(path)
                files[path] = [str(status.st_mtime_ns), status.st_size]
    return dumps(files)


def swap_builtins(names):
    """Makes `names` the members of `builtins`; returns those before. So broken ones break the cells of their container, and nothing else."""
    members = vars(builtins)
    before = dict(members)
    members.clear()
    members.update(names)
    return before


async def run_cell(code):
    """Runs one cell. Returns JSON: {error: {message, traceback} | null, outputs: [[kind, text], ...]}."""
    global cell_builtins
    outputs.clear()
    sys.stdout = sys.stderr = LogStream()
    filename = open_cell(code)
    error = None
    original_builtins = swap_builtins(cell_builtins)
    try:
        await execute(code, filename)
    except BaseException as cause:
        error = cause
    finally:
        cell_builtins = swap_builtins(original_builtins)
    result = [(kind, "".join(parts)) for kind, parts in outputs]
    outputs.clear()
    return dumps({"error": error and describe_error(error), "outputs": result})


reseed_random()
install_modules()
remove_javascript()
clear_data_folder()
cell_builtins = dict(vars(builtins))
