"""Every printed mend works: pasted and filled down as it says, the finding is gone and no other has come."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.workbook.mutants import Mutant, mutant, right
from tests.workbook.sheets import Cells, calculate
from xlsxwriter.utility import xl_col_to_name

import tinyproof.check.workbook.tried_mends as mends
from tinyproof.backprop.expr import Var
from tinyproof.check.finding import Finding
from tinyproof.check.workbook import audit_workbook
from tinyproof.check.workbook.rules import judge, repair
from tinyproof.check.workbook.rules.mistake import Mistake

KINDS = ["wrong-gradient", "wrong-forward", "wrong-loss", "wrong-update", "wrong-rate-cell", "circular", "overwritten",
         "inconsistent-rows", "typed-target", "pasted-values"]  # fmt: skip
WRITE = re.compile(r"write in ([A-Z]+)(\d+): (=.*?)( and fill down)?")


def number_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def rows_of(cells: str) -> list[int]:
    """`AA33:AA35, AA40` as rows."""
    found: list[int] = []
    for part in cells.split(", "):
        ends = [int(re.sub(r"[A-Z]", "", end)) for end in part.split(":")]
        found += range(ends[0], ends[-1] + 1)
    return found


def lowered(formula: str, rows: int) -> str:
    return re.sub(
        r"(?<![A-Z$\d])(\$?[A-Z]{1,3})(\d+)(?![\d(])", lambda match: f"{match[1]}{int(match[2]) + rows}", formula
    )


def pasted(cells: Cells, finding: Finding) -> Cells:
    """The sheet after the mend, filled down by a program that knows nothing of the audit's."""
    match = WRITE.fullmatch(finding.fix)
    assert match is not None, finding.fix
    letters, first, formula, down = match.groups()
    rows = rows_of(finding.place.cells) if down else [int(first)]  # type: ignore[union-attr]
    changed = dict(cells)
    for row in rows:
        moved = re.sub(
            r"(?<![A-Z$\d])(\$?[A-Z]{1,3})(\d+)(?![\d(])",
            lambda m, by=row - int(first): f"{m[1]}{int(m[2]) + by}",
            formula,
        )
        changed[row, number_of(letters)] = moved
    return changed


def told(broken: Mutant, folder: Path) -> list[Finding]:
    return [f for f in audit_workbook(broken.write(folder)).findings if f.severity == "error"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_a_mend_takes_its_finding_away_and_brings_no_other(kind: str, seed: int, tmp_path: Path) -> None:
    broken = mutant(kind, 4200 + seed)
    before = told(broken, tmp_path)
    places = {str(f.place) for f in before}
    for finding in before:
        assert finding.fix, finding
        after = told(replace(broken, cells=pasted(broken.cells, finding), cached=None), tmp_path)
        assert {str(f.place) for f in after} == places - {str(finding.place)}


def test_a_sheet_with_one_mistake_is_right_once_it_is_mended(tmp_path: Path) -> None:
    broken = mutant("wrong-gradient", 77)
    (finding,) = told(broken, tmp_path)
    mended = pasted(broken.cells, finding)
    sheet = broken.sheet
    assert calculate(mended) == pytest.approx(calculate(sheet.cells), nan_ok=True)
    assert audit_workbook(replace(broken, cells=mended).write(tmp_path)).status == "right"


def test_a_mend_that_does_not_work_is_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = mutant("wrong-gradient", 77)
    (before,) = told(broken, tmp_path)
    assert before.fix
    spoilt = f"{xl_col_to_name(broken.sheet.at[broken.column] - 1)}{broken.sheet.first}"
    original = mends.works

    def with_another_mend(grid: object, audit: object, mistakes: list[Mistake]) -> bool:
        other = [replace(mistake, fix=f"write in {spoilt}: =1+1 and fill down") for mistake in mistakes]
        return original(grid, audit, other)  # type: ignore[arg-type]

    monkeypatch.setattr(mends, "works", with_another_mend)
    (after,) = told(broken, tmp_path)
    assert (after.message, after.fix) == (before.message, "")


def test_a_right_sheet_has_nothing_to_mend(tmp_path: Path) -> None:
    assert told(right(3), tmp_path) == []


def test_a_file_that_nothing_mends_is_not_searched_formula_by_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most formulas of a sheet in another layout fit nothing: after so many that no small repair made right, no other
    is looked for; what was found before still stands."""
    searches: list[object] = []
    monkeypatch.setattr(judge, "find_repair", lambda expr, *_rest: searches.append(expr))
    monkeypatch.setattr(judge.Judge, "vocabulary", lambda _self: [])
    monkeypatch.setattr(judge.Judge, "factors", lambda _self: [])
    monkeypatch.setattr(judge.Judge, "complete", lambda _self, _expr: {})
    own = object.__new__(judge.Judge)
    own.values, own.grid = {}, SimpleNamespace(repairs={})  # type: ignore[assignment]
    for number in range(3 * repair.MOST_UNMENDED):
        assert own.repair(Var(f"x{number}"), np.ones(2)) is None
    assert len(searches) == repair.MOST_UNMENDED
    own.grid.repairs.update({(Var("y"), np.ones(2).tobytes(), ()): "found"})
    assert own.repair(Var("y"), np.ones(2)) == "found"
