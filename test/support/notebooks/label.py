#!/usr/bin/python3
"""Asks a real Jupyter kernel what each call of the notebooks in this folder shows, and writes its answers into them.

On Debian: apt-get install ipython3 python3-ipykernel python3-jupyter-client python3-numpy python3-matplotlib
python3-pandas python3-seaborn python3-tqdm python3-yaml, then: /usr/bin/python3 test/support/notebooks/label.py [FILE…]

A line that begins with "#### " starts a notebook, which gets a kernel of its own, and names it. A line that begins
with "###" starts a call and says what the kernel answered. "### earlier" starts a call of an earlier response in the
same container, of which the analysis doesn't know.
"""
import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile

from jupyter_client import KernelManager

SECONDS_FOR_LATE_OUTPUT = 0.5
SECONDS_TO_RUN = 60
EARLIER = "### earlier"
ENVIRONMENT = {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def label_file(path):
    notebooks = re.split(r"^(?=#### )", path.read_text(), flags=re.MULTILINE)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        path.write_text("".join(pool.map(label_notebook, notebooks)))


def label_notebook(text):
    title, *calls = re.split(r"^(?=###(?: |$))", text, flags=re.MULTILINE)
    if not calls:
        return text
    with tempfile.TemporaryDirectory() as directory:
        # Kernels that start at the same time can pick the same TCP ports.
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{directory}/kernel")
        work = pathlib.Path(directory, "work")
        work.mkdir()
        manager.start_kernel(cwd=work, env={**os.environ, **ENVIRONMENT})
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=SECONDS_TO_RUN)
            return title + "".join(label_call(client, call) for call in calls)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def label_call(client, call):
    header, code = call.split("\n", 1)
    answer = run(client, code.rstrip("\n"))
    return f"{header if header == EARLIER else '### ' + answer}\n{code}"


def run(client, code):
    """What the kernel sends for a code: an error is no output, since OpenAI's interpreter has no item for it."""
    shown, error = [], ""

    def on_output(message):
        nonlocal error
        kind, content = message["msg_type"], message["content"]
        if kind == "stream" and content["text"] != "":
            shown.append(content["name"])
        if kind in ("display_data", "execute_result"):
            shown.append(kind)
        if kind == "error":
            error = f", raises {content['ename']}"

    try:
        client.execute_interactive(
            code, allow_stdin=False, output_hook=on_output, timeout=SECONDS_TO_RUN
        )
    except (TimeoutError, RuntimeError):
        error = ", ends the kernel"
    while True:
        try:
            on_output(client.get_iopub_msg(timeout=SECONDS_FOR_LATE_OUTPUT))
        except Exception:  # queue.Empty, or the channel was closed with the kernel
            break
    kinds = " ".join(dict.fromkeys(shown))
    return f"shows {kinds or 'nothing'}{error}"


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent
    paths = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(folder.glob("*.txt"))
    for path in paths:
        label_file(path)
        print(path.name)
