"""How the audit does on workbooks that learn, by layout and by kind of mistake.

python -m tests.workbook.layouts                                      a quick look at every layout
python -m tests.workbook.layouts --layout rows,sheets --per-kind 25   some layouts, 25 mutants of each kind
python -m tests.workbook.layouts --right 50 --per-kind 0              only right ones: none may be accused
python -m tests.workbook.layouts --seeds 5000:9000 --kind drift       seeds not looked at before, one kind
python -m tests.workbook.layouts --list                               the layouts and the kinds
python -m tests.workbook.layouts --keep rows 17 drift --out FILE      write one workbook (`right` for the right one)

A workbook is a layout and a seed; a mutant also a kind. What is right or wrong in it says torch, never the audit.
Counted: of right ones called right / undecided / accused; of mutants located (an error names a cell that was
changed), found elsewhere, undecided, called right; of located ones also how many come with a mend. `--verbose` tells
each one that went otherwise. Exit 1 if a right one is accused.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.workbook.layouts.catalogue import LAYOUTS, make
from tests.workbook.layouts.measure import RIGHT, Count, measured
from tests.workbook.layouts.mistakes import MISTAKES, broken

MUTANT = ("located", "elsewhere", "undecided", "called right")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", default=",".join(LAYOUTS))
    parser.add_argument("--kind", default=",".join(MISTAKES))
    parser.add_argument("--seeds", default="0:100000")
    parser.add_argument("--per-kind", type=int, default=2)
    parser.add_argument("--right", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, choices=(1, 2))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", nargs=3, metavar=("LAYOUT", "SEED", "KIND"))
    parser.add_argument("--out", type=Path, default=Path("workbook.xlsx"))
    return parser.parse_args()


def keep(layout: str, seed: int, kind: str, out: Path) -> int:
    """Write one workbook and say what is true of it."""
    made = make(layout, seed)
    print(f"{layout} {seed}: {made.spec}")
    if kind == "right":
        made.book.write(out)
        return 0
    mutant = broken(made, kind, seed)
    if mutant is None:
        print(f"no place for {kind}")
        return 1
    mutant.made.book.write(out)
    for at in sorted(mutant.changed):
        print(mutant.made.book.titles[at.sheet], at, made.book.cells.get(at), "->", mutant.made.book.cells.get(at))
    print(mutant.scope, mutant.words, "wrong by torch:", *mutant.proof[:8])
    return 0


def line(name: str, counts: list[Count]) -> str:
    """A line of the table: of right ones, then of mutants."""
    right, mutants = Counter[str](), Counter[str]()
    for count in counts:
        (right if count.kind == RIGHT else mutants).update(count.outcomes)
    made = sum(mutants.values())
    share = f"{100 * mutants['located'] / made:.1f} %" if made else "-"
    cells = [right["right"], right["undecided"], right["accused"], made, *(mutants[o] for o in MUTANT), share]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def mends(counts: list[Count]) -> str:
    """How many of those that were located come with a formula to write."""
    found, written = sum(count.outcomes["located"] for count in counts), sum(count.mended for count in counts)
    share = f" ({100 * written / found:.1f} %)" if found else ""
    return f"Of the {found} located ones {written} say what to write in the wrong cell{share}."


def table(counts: list[Count]) -> str:
    """Markdown: a line a layout, a line a kind."""
    head = "| {} | right ones called right | undecided | accused | mutants | " + " | ".join((*MUTANT, "share")) + " |"
    rule = "| --- |" + " ---: |" * 9
    layouts = list(dict.fromkeys(count.layout for count in counts))
    kinds = [kind for kind in dict.fromkeys(count.kind for count in counts) if kind != RIGHT]
    lines = [head.format("layout"), rule]
    lines += [line(layout, [c for c in counts if c.layout == layout]) for layout in layouts]
    lines += [line("all", counts), "", head.format("kind"), rule]
    lines += [line(kind, [c for c in counts if c.kind == kind]) for kind in kinds]
    lines += ["", mends(counts)]
    return "\n".join(lines)


def main() -> int:
    options = parsed()
    if options.list:
        print("layouts:", *LAYOUTS, "\nkinds:", *MISTAKES)
        return 0
    if options.keep:
        return keep(options.keep[0], int(options.keep[1]), options.keep[2], options.out)
    first, last = map(int, options.seeds.split(":"))
    seeds = range(first, last)
    tasks = []
    for layout in options.layout.split(","):
        if options.right:
            tasks.append((layout, RIGHT, seeds, options.right))
        if options.per_kind:
            tasks += [(layout, kind, seeds, options.per_kind) for kind in options.kind.split(",")]
    counts = []
    for count in measured(tasks, options.jobs):
        counts.append(count)
        if options.verbose:
            print("".join(f"{told}\n" for told in count.told), end="", flush=True)
    print(table(counts))
    return int(any(count.outcomes["accused"] for count in counts))


if __name__ == "__main__":
    sys.exit(main())
