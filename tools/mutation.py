"""Break the judging code on purpose, one small change at a time, and see whether the tests notice.

    python tools/mutation.py                    every mutation of tests/mutations.toml (minutes)
    python tools/mutation.py --missing          those of which tests/mutations.json tells nothing yet
    python tools/mutation.py --quick            those marked quick (under a minute)
    python tools/mutation.py --only NAME...     these
    python tools/mutation.py --draw 40 --seed 1 as many drawn at random from the same files, kept nowhere
    python tools/mutation.py --table            what became of them, as Markdown

A mutation is data: a file, a text in it that stands there exactly once, what takes its place, the tests that must fail.
It is applied to a copy of the tree, never to this one; what became of it is kept in tests/mutations.json. Exit code 1:
a mutation survived; 2: the list no longer fits.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.mutation_draw import draw  # noqa: E402

LIST, RESULT = ROOT / "tests" / "mutations.toml", ROOT / "tests" / "mutations.json"
SOURCE = Path("src") / "tinyproof"
COPIED = ("src", "tests", "tools", "examples", "pyproject.toml", "Makefile", "README.md", "CONTRIBUTING.md")
# A mutation that makes a loop endless is noticed too: by tests that take this much longer than without it.
SLOWER, LEAST_SECONDS = 5, 60


class Unfit(Exception):
    """The list does not fit the tree; the message says where."""


@dataclass(frozen=True)
class Mutation:
    """One small change of one file (below src/tinyproof) and the tests that must fail by it.

    `quick`: part of the sample that CI runs. `survives`: why no test can tell it from the original; it is not run.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    quick: bool = False
    survives: str = ""

    def applied(self, text: str) -> str:
        """The file's text with the change. Raises Unfit where the old text does not stand there exactly once."""
        count = text.count(self.old)
        if count != 1 or self.old == self.new:
            raise Unfit(f"{self.old!r} stands {count} times in {self.file}")
        return text.replace(self.old, self.new)


def load(path: Path = LIST) -> list[Mutation]:
    """The kept list. Raises Unfit for an entry that cannot be right."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    found = [Mutation(**{**entry, "tests": tuple(entry.get("tests", ()))}) for entry in data["mutation"]]
    found = [replace(m, tests=m.tests or tests_of(m.file, data["tests"])) for m in found]
    twice = [name for name, count in Counter(m.name for m in found).items() if count > 1]
    if twice:
        raise Unfit(f"two mutations are called {twice[0]}")
    return found


def tests_of(file: str, rooms: dict[str, list[str]]) -> tuple[str, ...]:
    """The tests that guard a file: those of the longest path that it begins with. Raises Unfit where there are none."""
    fitting = [path for path in rooms if file.startswith(path)]
    if not fitting:
        raise Unfit(f"no tests are named for {file}")
    return tuple(rooms[max(fitting, key=len)])


def check(mutations: Sequence[Mutation], root: Path = ROOT) -> None:
    """Every text stands once, every changed file is Python, every test is there. Raises Unfit, with all that is not."""
    problems = [f"{m.name}: {problem}" for m in mutations if (problem := _problem(m, root))]
    if problems:
        raise Unfit("mend these entries, or take them out:\n  " + "\n  ".join(problems))


def _problem(mutation: Mutation, root: Path) -> str:
    path = root / SOURCE / mutation.file
    if not path.is_file():
        return f"there is no {mutation.file}"
    try:
        compile(mutation.applied(path.read_text(encoding="utf-8")), str(path), "exec")
    except SyntaxError as error:
        return f"what it makes of {mutation.file} is no Python ({error.msg})"
    except Unfit as error:
        return str(error)
    missing = [test for test in mutation.tests if not (root / test.partition("::")[0]).exists()]
    return f"there is no {missing[0]}" if missing else ""


def drawn(count: int, seed: int) -> list[Mutation]:
    """Mutations at random, of all files that the list names tests for."""
    rooms: dict[str, list[str]] = tomllib.loads(LIST.read_text(encoding="utf-8"))["tests"]
    folder = ROOT / SOURCE
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    judging = {file: (folder / file).read_text(encoding="utf-8") for file in files if file.startswith(tuple(rooms))}
    return [Mutation(d.name, d.file, d.old, d.new, tests_of(d.file, rooms)) for d in draw(judging, count, seed)]


class Copy:
    """A copy of the tree in which a mutation can be applied, tested and taken back."""

    def __init__(self, folder: Path, root: Path = ROOT, compiled: bool = False) -> None:
        self.folder = folder
        left = shutil.ignore_patterns("*.egg-info", *([] if compiled else ["__pycache__"]))
        folder.mkdir(parents=True)
        for name in COPIED:
            if (root / name).is_dir():
                shutil.copytree(root / name, folder / name, ignore=left)
            elif (root / name).exists():
                shutil.copy2(root / name, folder / name)
        for name in ("records", "docs", "benchmarks"):
            if (root / name).exists():
                (folder / name).symlink_to((root / name).resolve())
        # Compiled files are believed by content, not by time: a change within the same second counts.
        hashed = py_compile.PycInvalidationMode.CHECKED_HASH
        if not compiled:
            compileall.compile_dir(folder / "src", quiet=2, invalidation_mode=hashed)

    def test(self, mutation: Mutation | None, tests: Sequence[str], seconds: float | None = None) -> str:
        """`killed`, `timeout`, `survived`, or what else went wrong, with a mutation applied (or none)."""
        path = self.folder / SOURCE / mutation.file if mutation else None
        before = path.read_text(encoding="utf-8") if path else ""
        try:
            if path and mutation:
                path.write_text(mutation.applied(before), encoding="utf-8")
            return self._pytest(tests, seconds)
        finally:
            if path:
                path.write_text(before, encoding="utf-8")

    def _pytest(self, tests: Sequence[str], seconds: float | None) -> str:
        words = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--tb=line",
            "--no-header",
            "-p",
            "no:cacheprovider",
            *tests,
        ]
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        if done.returncode in (0, 1):
            return ("survived", "killed")[done.returncode]
        return f"pytest ended with {done.returncode}: {done.stdout.strip().splitlines()[-1:]}"


def run(mutations: Sequence[Mutation], jobs: int, root: Path = ROOT) -> dict[str, str]:
    """What became of each mutation. Raises Unfit where the tests fail without any mutation."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        copies: SimpleQueue[Copy] = SimpleQueue()
        first = Copy(Path(folder) / "0", root)
        copies.put(first)
        for number in range(1, jobs):
            # What is compiled is compiled once.
            copies.put(Copy(Path(folder) / str(number), first.folder, compiled=True))

        def green(tests: tuple[str, ...]) -> float:
            """The seconds that tests take without a mutation; one that fails anyway kills nothing."""
            copy, began = copies.get(), time.perf_counter()
            try:
                fate = copy.test(None, tests)
            finally:
                copies.put(copy)
            if fate != "survived":
                raise Unfit(f"tests fail without any mutation ({fate}): {' '.join(tests)}")
            return time.perf_counter() - began

        def broken(mutation: Mutation) -> str:
            copy = copies.get()
            try:
                fate = copy.test(mutation, mutation.tests, LEAST_SECONDS + SLOWER * usual[mutation.tests])
            finally:
                copies.put(copy)
            print(f"{fate:<9} {mutation.file}: {mutation.name}", flush=True)
            return fate

        every = list(dict.fromkeys(m.tests for m in mutations))
        usual = dict(zip(every, pool.map(green, every), strict=True))
        return dict(zip([m.name for m in mutations], pool.map(broken, mutations), strict=True))


def room(file: str) -> str:
    """The room of a mutated file, as the table names it."""
    parts = file.split("/")
    return "/".join(parts[:2]) if parts[0] == "check" else parts[0]


def table(mutations: Sequence[Mutation], fates: dict[str, str]) -> str:
    """What became of the mutations of each room, as a Markdown table."""
    rows: dict[str, Counter[str]] = {}
    for mutation in mutations:
        counted = rows.setdefault(room(mutation.file), Counter())
        counted["made"] += 1
        counted["same"] += bool(mutation.survives)
        counted["run"] += mutation.name in fates and not mutation.survives
        counted["survived"] += fates.get(mutation.name) == "survived" and not mutation.survives
    total: Counter[str] = sum(rows.values(), Counter())
    lines = ["| room | mutations | cannot be told apart | run | survived |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, c in [*sorted(rows.items()), ("all", total)]:
        share = f"{c['survived']} ({100 * c['survived'] / max(1, c['run']):.1f} %)" if c is total else c["survived"]
        lines.append(f"| {name} | {c['made']} | {c['same']} | {c['run']} | {share} |")
    return "\n".join(lines)


def known() -> dict[str, str]:
    """What became of each mutation when it was last run."""
    found: dict[str, str] = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    return found


def report(fates: dict[str, str]) -> int:
    """Say how many survived, and which; the exit code."""
    survived = [name for name, fate in fates.items() if fate == "survived"]
    odd = [f"{name}: {fate}" for name, fate in fates.items() if fate not in ("survived", "killed", "timeout")]
    print(f"{len(survived)} of {len(fates)} survived" + (f": {', '.join(survived)}" if survived else ""))
    if odd:
        print("no test could judge:", *odd, sep="\n  ")
    return 2 if odd else int(bool(survived))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--draw", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--check", action="store_true", help="only see that the list fits the tree")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    asked = parser.parse_args()
    if asked.table:
        print(table(load(), known()))
        return 0
    try:
        return _work(asked)
    except Unfit as error:
        print(f"mutation: {error}", file=sys.stderr)
        return 2


def _work(asked: argparse.Namespace) -> int:
    kept = load()
    if asked.draw:
        kept = drawn(asked.draw, asked.seed)
    live = [m for m in kept if not m.survives]
    if asked.only:
        live = [m for m in live if m.name in asked.only]
        if len(live) < len(asked.only):
            raise Unfit(f"no mutation that is run is called {(set(asked.only) - {m.name for m in live}).pop()}")
    if asked.quick:
        live = [m for m in live if m.quick]
    if asked.missing:
        live = [m for m in live if m.name not in known()]
    check(kept if asked.check else live)
    if asked.check:
        print(f"{len(kept)} mutations fit")
        return 0
    fates = run(live, asked.jobs)
    if not (asked.draw or asked.quick):
        names = {m.name for m in kept}
        told = {name: fate for name, fate in {**known(), **fates}.items() if name in names}
        RESULT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return report(fates)


if __name__ == "__main__":
    sys.exit(main())
