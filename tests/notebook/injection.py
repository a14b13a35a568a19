"""Fault injection: complete right notebooks in many hands and frameworks, and faults put into each.

    python -m tests.notebook.injection            what becomes of every fault, as Markdown
    python -m tests.notebook.injection --missed   and each one that was not found at its line

A file of `injected/` is a notebook (see `books`) and its faults, written by somebody who had not read the rules. After
`# %% fault WHAT IT IS`: `- ` the right text, which stands once, `+ ` what takes its place, `@ ` another line where the
fault may be told (the changed line always counts), `#2` where the changed line stands twice and the second is meant.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook import audit_notebook

from .books import write

FOLDER = Path(__file__).parent / "injected"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))
_MARK = "# %% fault "


@dataclass
class Injected:
    """One fault of one notebook: replacements, and the texts of the lines at which it may be told."""

    style: str
    what: str
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    at: list[str] = field(default_factory=list)
    occurrence: int = 1

    @property
    def name(self) -> str:
        return f"{self.style}: {self.what}"

    def text(self, right: str) -> str:
        """The notebook with the fault. Each right text must stand exactly once."""
        for old, new in zip(self.right, self.wrong, strict=True):
            assert right.count(old) == 1, f"{self.name}: {old!r} stands {right.count(old)} times"
            right = right.replace(old, new)
        return right

    def places(self, broken: str) -> set[tuple[int, int]]:
        """The cells and lines at which it may be told."""
        lines = list(placed(broken))
        first = self.wrong[0].strip("\n").splitlines()[-1 if self.wrong[0].startswith(self.right[0]) else 0]
        changed = [place for place, line in lines if first in line]
        assert self.at or len(changed) >= self.occurrence, f"{self.name}: the changed line is not there"
        found = set(changed[self.occurrence - 1 : self.occurrence])  # none where what was printed is changed
        for text in self.at:
            there = {place for place, line in lines if text in line}
            assert there, f"{self.name}: no line holds {text!r}"
            found |= there
        return found


def placed(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Each line of a notebook's text with its cell and its line in it; of a script's, cell 0."""
    cell, line, is_output = 0, 0, False
    for row in text.splitlines():
        if row.startswith("# %%"):
            is_output = row[4:].strip() == "output"
            cell, line = cell + (not is_output and row[4:].strip() != "script"), 0
        elif not is_output:
            line += 1
            yield (cell, line), row


def load(name: str) -> tuple[str, list[Injected]]:
    """A right notebook and its faults."""
    right, *faults = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split(_MARK)
    return right, [_fault(name, text) for text in faults]


def _fault(style: str, text: str) -> Injected:
    what, *rows = text.splitlines()
    fault = Injected(style, what)
    before = ""
    for row in rows:
        mark, rest = row[:2], row[2:]
        if mark == "@ ":
            fault.at.append(rest)
        elif row.startswith("#"):
            fault.occurrence = int(row[1:])
        else:
            side = fault.right if mark == "- " else fault.wrong
            if mark == before:
                side[-1] += "\n" + rest
            else:
                side.append(rest)
        before = mark
    return fault


def accusations(text: str, folder: Path) -> tuple[str, list[Finding]]:
    """The audit's status of a notebook, and its errors and warnings."""
    script = text.startswith("# %% script")
    report = audit_notebook(write(text, folder, "main.py" if script else "book.ipynb"))
    return report.status, [finding for finding in report.findings if finding.severity != "note"]


def judged(fault: Injected, right: str, folder: Path) -> tuple[str, str]:
    """What became of a fault, and what was said instead.

    `found` at its line; `elsewhere`: only another line was accused; `open`: nothing was said, nor that it is right;
    `passed`: it was called right.
    """
    broken = fault.text(right)
    status, findings = accusations(broken, folder)
    places = fault.places(broken)
    told = [(f.place.cell or 0, f.place.line) for f in findings if isinstance(f.place, CodePlace)]
    said = "; ".join(f"{f.rule} at {f.place}" for f in findings) or status
    if places & set(told):
        return "found", said
    return ("elsewhere" if findings else "passed" if status == "right" else "open"), said


def main() -> None:
    """Print the table."""
    fates: dict[str, Counter[str]] = {}
    missed: list[str] = []
    accused: list[str] = []
    for name in NAMES:
        right, faults = load(name)
        with tempfile.TemporaryDirectory() as folder:
            status, findings = accusations(right, Path(folder))
        accused += [f"{name}: {finding.rule} at {finding.place}" for finding in findings]
        counted = fates.setdefault(name, Counter({"said": 0}))
        counted[f"is {status}"] = 1
        for fault in faults:
            with tempfile.TemporaryDirectory() as folder:
                fate, said = judged(fault, right, Path(folder))
            counted[fate] += 1
            if fate != "found":
                missed.append(f"{fate}: {fault.name}: {said}")
    print(table(fates))
    print(f"\n{len(accused)} accusations of the right notebooks", *accused, sep="\n  ")
    if "--missed" in sys.argv:
        print("", *sorted(missed), sep="\n")


def table(fates: dict[str, Counter[str]]) -> str:
    """What became of the faults of each notebook, as a Markdown table."""
    heads = ("found", "elsewhere", "open", "passed")
    lines = ["| notebook | the right one | faults | found | elsewhere | open | called right |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    total: Counter[str] = Counter()
    for name, counted in fates.items():
        status = next(key[3:] for key in counted if key.startswith("is "))
        cells = [counted[head] for head in heads]
        lines.append(f"| {name} | {status} | {sum(cells)} | " + " | ".join(map(str, cells)) + " |")
        total.update({head: counted[head] for head in heads})
    share = f"{total['found']} ({100 * total['found'] / sum(total.values()):.1f} %)"
    lines.append(f"| all | | {sum(total.values())} | {share} | " + " | ".join(str(total[h]) for h in heads[1:]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
