"""Measure the house: files, lines, functions, circles of imports, rooms, repeated names, long calls.

    python tools/house.py               the tree as it stands, with what breaks a rule of it
    python tools/house.py COMMIT        that commit beside the tree as it stands, as a Markdown table

Nothing is imported: the source is parsed. `tests/house` holds the house to the limits below.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "tinyproof"
MOST_ARGUMENTS = 7
LARGEST_SHARE = 0.25
# What makes a program start slowly: an import of one of these, or of what brings one, may stand inside a function.
HEAVY = frozenset(
    ("torch", "matplotlib", "scipy", "numpy", "pandas", "sklearn", "safetensors", "pooch", "PIL", "openpyxl",
     "xlsxwriter", "defusedxml", "jinja2", "markupsafe", "rich", "platformdirs", "onnx", "onnxruntime", "optuna",
     "distributed", "dask")
)  # fmt: skip
# Modules of the standard library that only one kind of system has.
SYSTEMS = frozenset({"resource"})
# File names that occur more than once because they mean the same in each place (CONTRIBUTING says what).
SAME_MEANING = frozenset({"__init__.py", "sweep.py", "trace.py", "thresholds.py", "verdict.py"})


@dataclass(frozen=True)
class Arrow:
    """One import of one of our modules or of somebody else's package."""

    target: str
    line: int
    in_function: bool


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, path within the package, lines and syntax tree."""

    name: str
    path: str
    lines: int
    tree: ast.Module

    @property
    def room(self) -> str:
        """The room it stands in; `check` is a corridor with rooms of its own.

        >>> Module("tinyproof.check.workbook.rules.judge", "check/workbook/rules/judge.py", 1, ast.Module([], [])).room
        'check/workbook'
        """
        parts = self.path.split("/")[:-1]
        return "/".join(parts[: 2 if parts[:1] == ["check"] else 1]) or "(top)"


@dataclass(frozen=True, eq=False)
class House:
    """All modules of the package below a `src` folder."""

    modules: Mapping[str, Module]

    @cached_property
    def arrows(self) -> dict[str, tuple[Arrow, ...]]:
        """Every import of every module."""
        return {name: tuple(_arrows(module, self.modules)) for name, module in self.modules.items()}

    def ours(self, name: str, at_start: bool = False) -> set[str]:
        """The modules of the package that a module imports; `at_start`: when it is itself imported."""
        return {a.target for a in self.arrows[name] if a.target in self.modules and not (at_start and a.in_function)}

    @cached_property
    def circles(self) -> list[tuple[str, ...]]:
        """Sets of modules that reach each other, imports inside functions counted; the largest first."""
        reached = {name: _reach(name, self.ours) for name in self.modules}
        found = {
            tuple(sorted(other for other in reached[name] if name in reached[other])): None
            for name in self.modules
            if name in reached[name]
        }
        return sorted(found, key=len, reverse=True)

    def brought(self, target: str) -> set[str]:
        """The heavy packages that importing a module brings."""
        if target not in self.modules:
            return {target.partition(".")[0]} & HEAVY
        every = {target, *_reach(target, self._loads)}
        return {a.target.partition(".")[0] for name in every for a in self.arrows[name] if not a.in_function} & HEAVY

    def _loads(self, name: str) -> set[str]:
        """What importing a module loads at once: the packages that it lies in, and what it imports."""
        parts = name.split(".")
        above = {".".join(parts[:count]) for count in range(1, len(parts))}
        return {*self.ours(name, at_start=True), *(above & self.modules.keys())}

    @cached_property
    def late(self) -> list[str]:
        """Imports inside functions that are no door: each as `path:line imports target`.

        A door keeps something heavy out of the module it stands in; or it is the command line's, which loads the rooms
        of a command when the command is called.
        """
        found = []
        for name, module in self.modules.items():
            here = self.brought(name)
            for arrow in self.arrows[name]:
                if not arrow.in_function or arrow.target in SYSTEMS or self.brought(arrow.target) - here:
                    continue
                called = arrow.target in self.modules and self.modules[arrow.target].room not in ("core", "cli")
                if module.room != "cli" or not called:
                    found.append(f"{module.path}:{arrow.line} imports {arrow.target}")
        return found

    @cached_property
    def functions(self) -> list[tuple[int, str]]:
        """Lines and place of every function."""
        return [
            ((node.end_lineno or node.lineno) - node.lineno + 1, f"{module.path}:{node.lineno} {node.name}")
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]

    @cached_property
    def rooms(self) -> Counter[str]:
        """Lines of each room."""
        counted: Counter[str] = Counter()
        for module in self.modules.values():
            counted[module.room] += module.lines
        return counted

    @cached_property
    def repeated(self) -> dict[str, list[str]]:
        """File names that occur more than once and are not known to mean the same."""
        places: dict[str, list[str]] = {}
        for module in self.modules.values():
            places.setdefault(module.path.rpartition("/")[2], []).append(module.path)
        return {name: paths for name, paths in places.items() if len(paths) > 1 and name not in SAME_MEANING}

    @cached_property
    def long_calls(self) -> list[str]:
        """Calls with more positional arguments than anybody can read, layer lists aside."""
        return [
            f"{module.path}:{node.lineno} {ast.unparse(node.func)}({len(node.args)})"
            for module in self.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and len(node.args) > MOST_ARGUMENTS and not _layer_list(node)
        ]

    @property
    def lines(self) -> int:
        return sum(module.lines for module in self.modules.values())

    def figures(self) -> dict[str, str]:
        """The rows of the table."""
        sizes = [size for size, _ in self.functions]
        longest = max(self.functions)
        room, most = self.rooms.most_common(1)[0]
        biggest = max(self.modules.values(), key=lambda module: module.lines)
        circles = [len(circle) for circle in self.circles]
        return {
            "files of Python": f"{len(self.modules):,}",
            "lines": f"{self.lines:,}",
            "longest file": f"{biggest.lines} ({biggest.path})",
            "functions": f"{len(sizes):,}",
            "median function, lines": f"{statistics.median(sizes):g}",
            "longest function, lines": f"{longest[0]} ({longest[1].split()[-1]})",
            "functions over 40 lines": str(sum(size > 40 for size in sizes)),
            "circles of imports, those inside functions counted": str(len(circles)),
            "files in circles": f"{sum(circles)}" + (f" (the largest: {max(circles)})" if circles else ""),
            "imports inside functions": str(sum(a.in_function for arrows in self.arrows.values() for a in arrows)),
            "… that are no door of something heavy": str(len(self.late)),
            "largest room": f"{room}, {100 * most / self.lines:.1f} % of the lines",
            "rooms": str(len(self.rooms)),
            "file names that occur more than once": str(len(self.repeated)),
            f"calls with more than {MOST_ARGUMENTS} positional arguments": str(len(self.long_calls)),
        }


def read(source: Path) -> House:
    """The house below a `src` folder."""
    package = source / PACKAGE
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        modules[name] = Module(name, path.relative_to(package).as_posix(), len(text.splitlines()), tree)
    return House(modules)


def _reach(name: str, step: Callable[[str], set[str]]) -> set[str]:
    """Every module that can be reached from one, itself only by a circle."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for other in step(waiting.pop()) - found:
            found.add(other)
            waiting.append(other)
    return found


def _arrows(module: Module, ours: Mapping[str, Module]) -> Iterator[Arrow]:
    for node, inside in _imports(module.tree, False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Arrow(alias.name, node.lineno, inside)
            continue
        base = node.module or ""
        if node.level:
            package = module.name if module.path.endswith("__init__.py") else module.name.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield Arrow(inner if inner in ours else base, node.lineno, inside)


def _imports(node: ast.AST, inside: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, inside
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, deeper)


def _layer_list(node: ast.Call) -> bool:
    """A list of layers written as arguments is data, not a call that somebody must read by position."""
    return all(isinstance(argument, ast.Call | ast.Starred) for argument in node.args)


def at_commit(commit: str) -> House:
    """The house of a commit of this repository."""
    archive = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True)
    if archive.returncode:
        raise SystemExit(f"commit {commit!r} is not in this repository: {archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        return read(Path(folder) / "src")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commit", nargs="?", help="the commit to stand beside the tree of today")
    asked = parser.parse_args()
    now = read(ROOT / "src")
    if asked.commit:
        before = at_commit(asked.commit).figures()
        print(f"| | before (`{asked.commit}`) | now |\n| --- | ---: | ---: |")
        print(*(f"| {row} | {before[row]} | {value} |" for row, value in now.figures().items()), sep="\n")
        return 0
    print(*(f"{row}: {value}" for row, value in now.figures().items()), sep="\n")
    print("\nlines of each room:", *(f"  {room}: {lines:,}" for room, lines in now.rooms.most_common()), sep="\n")
    for what, broken in (
        ("circles", [", ".join(circle) for circle in now.circles]),
        ("imports inside functions that are no door", now.late),
        ("repeated file names", [f"{name}: {', '.join(paths)}" for name, paths in now.repeated.items()]),
        ("long calls", now.long_calls),
    ):
        if broken:
            print(f"\n{what}:", *(f"  {line}" for line in broken), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
