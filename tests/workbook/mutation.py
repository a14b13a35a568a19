"""Measure the workbook audit on mutants: how many of each kind are found, in the right column, with the right kind.

python tests/workbook/mutation.py            a quick sample
python tests/workbook/mutation.py --full     40 of a kind and 600 right workbooks (minutes); writes results.json
python tests/workbook/mutation.py --table    the table of the last full run, as Markdown
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
FRESH = 70_000  # seeds that were not looked at while the audit was written


@dataclass
class Rates:
    """What a run counted."""

    found: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    smallest: dict[str, float] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    right: int = 0
    accused: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def measure(of_each: int, right_ones: int, first_seed: int = 0) -> Rates:
    """Audit `of_each` mutants of every kind and `right_ones` right workbooks."""
    from tests.workbook.mutants import BREAKERS, difference, mutant, right

    from tinyproof.check.workbook import audit_workbook

    rates = Rates()
    with tempfile.TemporaryDirectory() as folder:
        for kind in BREAKERS:
            rates.found[kind], rates.made[kind] = 0, of_each
            for seed in range(first_seed, first_seed + of_each):
                broken = mutant(kind, seed)
                findings = audit_workbook(broken.write(Path(folder))).findings
                if any(f.rule == kind and getattr(f.place, "column", "") == broken.column for f in findings):
                    rates.found[kind] += 1
                else:
                    told = ", ".join(f"{f.rule} {getattr(f.place, 'column', '')}" for f in findings) or "nothing"
                    rates.missed.append(f"{kind} seed {seed} ({broken.words}, {broken.column}): told {told}")
                if not broken.looks_only:
                    rates.smallest[kind] = min(rates.smallest.get(kind, float("inf")), difference(broken))
        for seed in range(first_seed, first_seed + right_ones):
            report = audit_workbook(right(seed).write(Path(folder)))
            rates.right += 1
            if any(f.severity == "error" for f in report.findings):
                rates.accused.append(f"right seed {seed}: {report.findings[0].message}")
            elif report.status != "right":
                rates.undecided.append(f"right seed {seed}: {report.problem}")
    return rates


def table(stored: dict[str, object]) -> str:
    """The results as a Markdown table."""
    made, found = stored["made"], stored["found"]
    assert isinstance(made, dict)
    assert isinstance(found, dict)
    lines = ["| kind | mutants | found, right column and kind |", "| --- | ---: | ---: |"]
    lines += [f"| `{kind}` | {made[kind]} | {found[kind]} ({100 * found[kind] / made[kind]:.1f} %) |" for kind in made]
    total, hits = sum(made.values()), sum(found.values())
    lines.append(f"| all | {total} | {hits} ({100 * hits / total:.2f} %) |")
    lines.append("")
    lines.append(
        f"Of {stored['right']} right workbooks {len(list(stored['accused']))} were accused and "  # type: ignore[call-overload]
        f"{len(list(stored['undecided']))} could not be decided."  # type: ignore[call-overload]
    )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print(table(json.loads(RESULTS.read_text(encoding="utf-8"))))
        return 0
    sys.path.insert(0, str(HERE.parent.parent))
    rates = measure(40, 600, FRESH) if options.full else measure(5, 40)
    print(table(vars(rates)))
    print(*rates.missed, *rates.accused, *rates.undecided, sep="\n")
    if options.full:
        kept = {key: vars(rates)[key] for key in ("made", "found", "right", "accused", "undecided", "missed")}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    good = sum(rates.found.values()) >= 0.99 * sum(rates.made.values())
    return int(not good or bool(rates.accused))


if __name__ == "__main__":
    sys.exit(main())
