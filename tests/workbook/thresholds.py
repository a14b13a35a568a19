"""What moves when a threshold of the workbook audit moves: each doubled and halved, on mutants and right workbooks.

python tests/workbook/thresholds.py [NAME...]      one line a threshold (minutes)
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
OF_EACH, RIGHT_ONES, FIRST = 3, 24, 5_000
LEFT_ALONE = ("SAMPLES",)  # arrays of that length are made when the audit is loaded


@contextmanager
def moved(name: str, factor: float) -> Iterator[float]:
    """The audit with one number multiplied, wherever it is used."""
    import tinyproof.check.workbook  # noqa: F401
    from tinyproof.check.workbook import thresholds
    from tinyproof.check.workbook.understand import meaning
    from tinyproof.check.workbook.understand.remembered import forget

    old = getattr(thresholds, name)
    new = old * factor if isinstance(old, float) else max(1, math.ceil(old * factor))
    homes = [m for key, m in sys.modules.items() if key.startswith("tinyproof.check.workbook") and hasattr(m, name)]
    defaults = meaning.same.__defaults__
    for home in homes:
        setattr(home, name, new)
    if name == "SAME":
        meaning.same.__defaults__ = (new,)
    try:
        forget()
        yield new
    finally:
        forget()
        for home in homes:
            setattr(home, name, old)
        meaning.same.__defaults__ = defaults


def answers(files: list[Path]) -> list[object]:
    """What the audit says of each: status, and rule and column of every finding."""
    from tinyproof.check.workbook import audit_workbook

    found = []
    for file in files:
        report = audit_workbook(file)
        found.append((report.status, [(f.rule, f.severity, getattr(f.place, "column", "")) for f in report.findings]))
    return found


def samples(folder: Path) -> tuple[list[Path], int]:
    """Mutants of every kind, and after them right workbooks; how many are mutants."""
    from tests.workbook.mutants import BREAKERS, mutant, right

    made = [mutant(kind, seed) for kind in BREAKERS for seed in range(FIRST, FIRST + OF_EACH)]
    count = len(made)
    made += [right(seed) for seed in range(FIRST, FIRST + RIGHT_ONES)]
    files = []
    for number, each in enumerate(made):
        own = folder / str(number)
        own.mkdir()
        files.append(each.write(own))
    return files, count


def main() -> int:
    sys.path.insert(0, str(HERE.parent.parent))
    from tinyproof.check.workbook import thresholds

    names = [name for name in vars(thresholds) if name.isupper() and name not in LEFT_ALONE]
    with tempfile.TemporaryDirectory() as folder:
        files, mutants = samples(Path(folder))
        usual = answers(files)
        for name in sys.argv[1:] or names:
            for factor in (2.0, 0.5):
                with moved(name, factor) as new:
                    other = answers(files)
                changed = [n for n, (a, b) in enumerate(zip(usual, other, strict=True)) if a != b]
                broken = sum(n < mutants for n in changed)
                print(f"{name} = {new:g}: {broken} of {mutants} mutants and {len(changed) - broken} of "
                      f"{len(files) - mutants} right ones answered otherwise", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
