"""The Python of a cell as statements, however untidy the cell: magics, shell lines, Python 2, broken pieces.

Line numbers stay those of the cell: a line that is not Python is replaced, never removed.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

MAX_CELL_CHARACTERS = 200_000
_MAX_KEPT = 10_000  # characters of a cell whose statements are kept for the next reading (the trial of a mend)
_MAGIC = re.compile(
    r"^\s*(?:[!%]|\?{1,2}\w|[\w.]+\s*\?{1,2}\s*$"
    r"|(?:cd|ls|cat|mkdir|pip3?|conda|apt(?:-get)?) [\w./~-][^=(]*$"  # a notebook takes these without a sign, too
    r"|(?:pip3?|conda|mamba) (?:un)?install \S.*$)"  # versions, extras and addresses of packages among them
)
_RUN = re.compile(r"^(\s*)%\s?(run|store)\s+(.{1,300})$")  # magics that change names
_TIMED = re.compile(r"^(\s*)%\s?(?:time|prun)\s+(?![-!%])(\S.*)$")  # a statement that is run, and timed
_CAPTURE = re.compile(r"^(\s*[\w., ]+=\s*)[!%].*$")
_PRINT = re.compile(r"^(\s*)print\s+(?![(=])(\S.*)$")
_CELL_MAGIC = re.compile(r"^\s*%%(\w+)(.*)$")
_PYTHON_MAGICS = frozenset(("time", "timeit", "capture", "prun", "python", "python3", "pypy"))
_BOUND = re.compile(r"^\s*(?:def\s+|class\s+)?([A-Za-z_]\w*)\s*(?:=(?!=)|\(|:|,)", re.MULTILINE)


@dataclass(frozen=True)
class Parsed:
    """The statements of a cell; the first lines of pieces that could not be read, and the names these may bind.

    `module`: the file that the cell writes with %%writefile, in which case the statements are that module's.
    `too_long`: nothing of it was read.
    """

    statements: tuple[ast.stmt, ...]
    unread: tuple[int, ...] = ()
    unread_names: tuple[str, ...] = ()
    module: str = ""
    too_long: bool = False


def parse_cell(source: str) -> Parsed:
    """Read one cell. Never raises.

    >>> parsed = parse_cell("!pip install x\\nx = 1\\ny = = 2\\nz = 3")
    >>> [node.lineno for node in parsed.statements], parsed.unread, parsed.unread_names
    ([1, 2, 4], (3,), ('y',))
    """
    if len(source) > MAX_CELL_CHARACTERS:
        return Parsed((), (1,), too_long=True)
    return _kept(source) if len(source) <= _MAX_KEPT else parse_anew(source)


@lru_cache(maxsize=256)
def _kept(source: str) -> Parsed:
    return parse_anew(source)


def parse_anew(source: str) -> Parsed:
    """As `parse_cell`, with statements of its own, which may be changed."""
    source, module, is_python = _cell_magic(source)
    if not is_python:
        return Parsed(())
    tree = _parse(source)
    if tree is None:
        source = _without_magics(source)
        tree = _parse(source)
    if tree is not None:
        return Parsed(tuple(tree.body), module=module)
    return _pieces(source, module)


def _cell_magic(source: str) -> tuple[str, str, bool]:
    lines = source.split("\n")
    for index, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _CELL_MAGIC.match(line)
        if not found:
            break
        magic, rest = found.group(1), found.group(2).split()
        lines[index] = ""
        if magic in ("writefile", "file"):
            target = rest[-1] if rest else ""
            return "\n".join(lines), target, target.endswith(".py")
        if magic not in _PYTHON_MAGICS:
            return "", "", False
    return "\n".join(lines), "", True


def _parse(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "invalid escape sequence" is the author's, not ours
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(source: str) -> str:
    lines = []
    shell = False
    for line in source.expandtabs(8 if "\t" in source else 4).split("\n"):
        runs = _RUN.match(line)
        if runs and not shell:
            lines.append(f"{runs.group(1)}get_ipython().run_line_magic({runs.group(2)!r}, {runs.group(3).strip()!r})")
            continue
        timed = _TIMED.match(line)
        if timed and not shell and _parse(timed.group(2)) is not None:
            lines.append(timed.group(1) + timed.group(2))
            continue
        if shell or _MAGIC.match(line):
            shell = line.rstrip().endswith("\\")
            lines.append(line[: len(line) - len(line.lstrip())] + "pass" if not shell or line.strip() else "pass")
            continue
        captured = _CAPTURE.match(line)
        if captured:
            lines.append(captured.group(1) + "None")
            continue
        printed = _PRINT.match(line)
        lines.append(f"{printed.group(1)}print({printed.group(2)})" if printed else line)
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    margin = len(first) - len(first.lstrip())
    if margin:
        lines = [line[margin:] if not line[:margin].strip() else line for line in lines]
    return "\n".join(lines)


def _pieces(source: str, module: str) -> Parsed:
    """Read a broken cell piece by piece: a piece starts at a line without indentation that can start a statement."""
    statements: list[ast.stmt] = []
    unread: list[int] = []
    names: list[str] = []
    for start, text in _split(source.split("\n")):
        tree = _parse("\n" * start + text)
        if tree is not None:
            statements.extend(tree.body)
        elif text.strip():
            unread.append(start + 1)
            names.extend(_BOUND.findall(text))
    return Parsed(tuple(statements), tuple(unread), tuple(dict.fromkeys(names)), module)


def _split(lines: list[str]) -> list[tuple[int, str]]:
    pieces: list[tuple[int, list[str]]] = []
    decorated = False
    for index, line in enumerate(lines):
        starts = bool(line) and not line[0].isspace() and line[0] not in ")]}#"
        goes_on = re.match(r"(else|elif|except|finally)\b", line) is not None
        if not pieces or (starts and not goes_on and not decorated):
            pieces.append((index, [line]))
        else:
            pieces[-1][1].append(line)
        if starts:
            decorated = line.startswith("@")
    return [(start, "\n".join(text)) for start, text in pieces]
