"""The command line: one command is one public call. Parse, call, print, exit 0, 1 or 2.

0: all well. 1: a check that was asked for (audit, prove, verify) failed or is undecided. 2: the command was wrong.
130: stopped with Ctrl-C. Heavy packages are imported inside the commands, so `--help` stays quick.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from tinyproof import __version__
from tinyproof.core.errors import OutputError, Stopped, TinyproofError, one_line
from tinyproof.core.files import reason

# The order of these files is the order of the commands in --help.
_GROUPS = ("main_job", "backprop", "checking", "cnn", "evidence", "searching", "proof_files", "experiments")

app = typer.Typer(
    name="tinyproof",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Small neural networks you can check by hand, and results you can prove.",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"tinyproof {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Small neural networks you can check by hand, and results you can prove."""


for _group in _GROUPS:
    import_module(f"tinyproof.cli.{_group}").register(app)


def main() -> None:
    """Run the command line; every mistake of the user's ends in one line on standard error, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that this terminal cannot show is replaced; it is no reason to lose the answer.
            stream.reconfigure(errors="replace")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is nobody's concern here
    try:
        app()
    except Stopped as stopped:
        _say(str(stopped) or "stopped")
        sys.exit(130)
    except SystemExit as end:
        if end.code == 130:  # what typer makes of a Ctrl-C that no command answers
            _say("stopped")
        raise
    except KeyboardInterrupt:  # outside of any command
        _say("stopped")
        sys.exit(130)
    except TinyproofError as error:
        _say(str(error))
        sys.exit(2)
    except BrokenPipeError:
        # The reader (head, less) has gone: nothing more to say, and Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            _say(str(OutputError(error.filename or "output", reason(error))))
        else:
            _say((f"{one_line(str(error.filename))}: " if error.filename else "") + reason(error))
        sys.exit(2)


def _say(line: str) -> None:
    print(f"tinyproof: {line}", file=sys.stderr)
