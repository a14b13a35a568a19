"""Cells of Python run one after the other in a process of their own, as a notebook runs them; what each printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyproof.core.errors import TinyproofError, one_line

# It knows nothing of this package: what runs here runs anywhere. The folder comes first on the path, as in a notebook.
# Where whoever asked for it is gone, it ends.
_RUNNER = """
import contextlib, io, json, os, sys, threading, time, traceback

def watch(parent=os.getppid()):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

threading.Thread(target=watch, daemon=True).start()
names = {"__name__": "__main__"}
for line in sys.stdin:
    printed = io.StringIO()
    problem = ""
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            exec(compile(json.loads(line), "<cell>", "exec"), names)
        except BaseException as error:
            problem = "".join(traceback.format_exception_only(error)).strip()
    sys.__stdout__.write(json.dumps([printed.getvalue(), problem]) + "\\n")
    sys.__stdout__.flush()
"""


class CellFailed(TinyproofError):
    """A cell ended in an error; the message is its last line."""


def run(cells: Sequence[str], folder: Path, done: Callable[[int], None] = lambda number: None) -> list[str]:
    """What each cell printed, run in `folder`; `done(number from 1)` after each. Raises CellFailed at the first that
    fails. Stopped with Ctrl-C, it leaves no process behind.
    """
    command = [sys.executable, "-u", "-c", _RUNNER]
    printed = []
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for number, cell in enumerate(cells, 1):
                process.stdin.write(json.dumps(cell) + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
                text, problem = json.loads(answer) if answer else ("", "the process ended")
                if problem:
                    raise CellFailed(f"cell {number} failed: {one_line(problem.splitlines()[-1], 200)}")
                printed.append(text)
                done(number)
        finally:
            process.kill()
    return printed
