"""Exercises: what was filled in is told right or wrong column by column; the network that is kept is not trusted."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from tests.backprop.recalculate import differences, zeroed_and_recalculated

import tinyproof
from tinyproof.api.exercise import exercise, seed_of
from tinyproof.backprop.equations import Style, forward, gradients
from tinyproof.backprop.exercise_book import (
    COVER,
    FORMAT,
    KEPT,
    PARTS,
    TOP,
    Asked,
    Exercise,
    digest_of,
    on_the_way,
    redrawn,
)
from tinyproof.backprop.layer import Example
from tinyproof.backprop.notation import equation_text
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.toml import to_toml
from tinyproof.backprop.trace import trace
from tinyproof.backprop.xlsx import write_book
from tinyproof.check.finding import FileReport, SheetPlace
from tinyproof.check.workbook import audit_workbook
from tinyproof.core.errors import InputError, OutputError

ROWS = 8


def handed_in(
    path: Path,
    one: Exercise,
    columns: Collection[str] | None = None,
    change: Callable[[openpyxl.Workbook], None] = lambda book: None,
) -> Path:
    """The exercise with these columns filled in rightly (all, where none are named), and then changed."""
    write_book(one.book("Ada"), path)
    book = openpyxl.load_workbook(path)
    for name, first in one.empty_from.items():
        for row in range(first, one.rows) if columns is None or name in columns else ():
            book[one.sheet].cell(TOP + row + 1, one.column(name) + 1).value = "=" + one.formula(name, row)
    change(book)
    book.save(path)
    return path


def accused(report: FileReport) -> set[str]:
    places = [one.place for one in report.findings if one.severity == "error"]
    return {place.column for place in places if isinstance(place, SheetPlace)}


def of(name: str, asked: Asked = "all", style: Style = "course") -> Exercise:
    return Exercise(preset(name), asked, ROWS, style)


def test_what_blank_cells_make_of_the_rest_is_as_libreoffice_computes_it(libreoffice: str, tmp_path: Path) -> None:
    files = []
    for name in PRESETS:
        for asked in PARTS:
            style: Style = "chain" if asked == "forward" else "course"
            files.append(write_book(of(name, asked, style).book(), tmp_path / f"{name}-{asked}.xlsx"))
    counts = []
    for ours, theirs in zip(files, zeroed_and_recalculated(libreoffice, files, tmp_path), strict=True):
        count, wrong = differences(ours, theirs)
        assert not wrong, (ours.name, wrong[:3])
        counts.append(count)
    assert min(counts) > 4 * ROWS


@pytest.mark.parametrize("asked", PARTS)
@pytest.mark.parametrize("name", PRESETS)
def test_filled_in_rightly_it_is_right(name: str, asked: Asked, tmp_path: Path) -> None:
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", of(name, asked)))
    assert report.status == "right", report
    assert report.checked[0].startswith(
        f"exercise ({asked}) by Ada, {ROWS} rows, {len(of(name, asked).empty_from)} columns"
    )
    assert "right: " in report.checked[0]
    assert "wrong" not in report.checked[0]


@pytest.mark.parametrize("style", ["course", "chain"])
@pytest.mark.parametrize("name", PRESETS)
def test_what_is_still_empty_is_said_and_nothing_is_accused(name: str, style: Style, tmp_path: Path) -> None:
    one = of(name, "all", style)
    filled = [*one.empty_from][::2]
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, filled))
    assert report.status == "undecided"
    assert not report.findings
    assert report.problem == (
        f"{len(one.empty_from) - len(filled)} of {len(one.empty_from)} columns that were asked for are not filled in"
    )
    assert f"right: {', '.join(filled[:40])}" in report.checked[0]


def test_a_column_that_was_begun_is_told_with_its_empty_cells(tmp_path: Path) -> None:
    one = of("course", "gradients")

    def half(book: openpyxl.Workbook) -> None:
        for row in range(3, ROWS):
            book[one.sheet].cell(TOP + row + 1, one.column("dE/dw5") + 1).value = None

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, {"dE/dw5", "dE/dw1"}, half))
    assert report.status == "undecided"
    assert report.problem == "7 of 8 columns that were asked for are not filled in"
    assert "right: dE/dw1; begun, right so far: dE/dw5; not filled in: dE/dw2" in report.checked[0]


# Each a slip that people make, in a column of the course's network: what is there, what was written.
SLIPS = {
    "the other unit's activation": ("gradients", "dE/dw5", "K", "M"),
    "the other weight on the way back": ("gradients", "dE/dw1", "N", "O"),
    "the other input": ("gradients", "dE/dw3", "D", "E"),
    "a weight of the other unit": ("forward", "h2", "H", "F"),
    "an input where the hidden unit belongs": ("forward", "o1", "K", "J"),
    "the target of the other output": ("gradients", "dE/dw8", "C", "E"),
    "the other gradient": ("update", "w4", "AB", "AA"),
}


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "among the others"])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_in_its_column_whether_the_others_are_filled_in_or_not(
    slip: str, alone: bool, tmp_path: Path
) -> None:
    asked, name, right, wrong = SLIPS[slip]
    one = of("course", asked)  # type: ignore[arg-type]

    def slipped(book: openpyxl.Workbook) -> None:
        for row in range(one.empty_from[name], ROWS):
            cell = book[one.sheet].cell(TOP + row + 1, one.column(name) + 1)
            before = cell.value
            cell.value = cell.value.replace(f"{right}{TOP + row + 1}", f"{wrong}{TOP + row + 1}").replace(
                f"{right}{TOP + row}", f"{wrong}{TOP + row}"
            )
            assert cell.value != before

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, {name} if alone else None, slipped))
    assert report.status == "wrong"
    assert accused(report) == {name}
    assert f"wrong: {name}" in report.checked[0]
    others = [column for column in one.empty_from if column != name]
    if alone:
        assert f"not filled in: {', '.join(others)}" in report.checked[0]
    else:
        assert f"right: {', '.join(others)}" in report.checked[0]


def written(book: openpyxl.Workbook, one: Exercise, name: str, formula: Callable[[int], str | float | None]) -> None:
    """Something else in a column: of each row's number, from the first that was asked for."""
    for row in range(one.empty_from.get(name, 0), one.rows):
        book[one.sheet].cell(TOP + row + 1, one.column(name) + 1).value = formula(TOP + row + 1)


@pytest.mark.parametrize(
    ("net", "asked", "name"),
    [
        ("xor", "forward", "h2[3]"),
        ("xor", "forward", "o1[2]"),
        ("xor", "gradients", "dE/db2"),
        ("relu", "forward", "E_total"),
        ("relu", "forward", "a_o2"),
        ("softmax", "forward", "o2[2]"),
        ("softmax", "forward", "a_o1[3]"),
        ("softmax", "gradients", "dE/dw3"),
        ("deep", "update", "w9"),
    ],
)
@pytest.mark.parametrize("slip", ["-(", "2*("])
def test_a_factor_that_does_not_belong_is_named_in_every_network(
    net: str, asked: Asked, name: str, slip: str, tmp_path: Path
) -> None:
    one = of(net, asked)
    report = audit_workbook(
        handed_in(
            tmp_path / "a.xlsx",
            one,
            None,
            lambda book: written(book, one, name, lambda row: f"={slip}{one.formula(name, row - TOP - 1)})"),
        )
    )
    assert accused(report) == {name}
    assert report.status == "wrong"


# Right, and written in other ways than ours: of the row's number.
OTHERWISE = {
    "with the steps of a hidden unit beside the table": (
        "dE/dw1", lambda r: f"=AZ{r}*D{r}", {52: lambda r: f"=BA{r}*K{r}*(1-K{r})",
                                             53: lambda r: f"=(S{r}-B{r})*S{r}*(1-S{r})*N{r}+BB{r}*P{r}",
                                             54: lambda r: f"=U{r}*(1-U{r})*(U{r}-C{r})"},
    ),
    "from the inputs on": (
        "dE/dw5", lambda r: f"=-(B{r}-1/(1+EXP(-R{r})))*EXP(-R{r})/(1+EXP(-R{r}))^2/(1+EXP(-J{r}))", {},
    ),
    "with a square written out": ("dE/dw6", lambda r: f"=(S{r}-B{r})*(S{r}-S{r}^2)*M{r}", {}),
    "by way of another gradient": ("dE/dw6", lambda r: f"=AC{r}/K{r}*M{r}", {}),
    "with names": (
        "dE/dw3", lambda r: f"=((S{r}-t_1)*S{r}*(1-S{r})*O{r}+(U{r}-t_2)*U{r}*(1-U{r})*Q{r})*M{r}*(1-M{r})*i_1", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", OTHERWISE)
def test_a_right_formula_is_right_however_it_is_written(way: str, tmp_path: Path) -> None:
    one = of("course", "gradients")
    name, formula, beside = OTHERWISE[way]

    def other(book: openpyxl.Workbook) -> None:
        written(book, one, name, formula)
        for column, text in beside.items():
            for row in range(TOP + 1, TOP + ROWS + 1):
                book[one.sheet].cell(row, column).value = text(row)

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, other))
    assert report.status == "right", report


def test_two_columns_that_read_each_other_are_a_circle(tmp_path: Path) -> None:
    one = of("course", "gradients")

    def circle(book: openpyxl.Workbook) -> None:
        written(book, one, "dE/dw5", lambda row: f"=AD{row}/M{row}*K{row}")
        written(book, one, "dE/dw6", lambda row: f"=AC{row}/K{row}*M{row}")
        written(book, one, "dE/dw1", lambda row: f"=Y{row}")

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, circle))
    found = {(f.rule, f.place.column) for f in report.findings if isinstance(f.place, SheetPlace)}
    assert found == {("circular", "dE/dw5"), ("circular", "dE/dw6"), ("circular", "dE/dw1")}


def test_a_given_typed_into_a_formula_is_told_and_is_no_error(tmp_path: Path) -> None:
    one = of("course", "gradients")
    report = audit_workbook(
        handed_in(
            tmp_path / "a.xlsx",
            one,
            None,
            lambda book: written(book, one, "dE/dw5", lambda row: f"=(S{row}-0.5)*S{row}*(1-S{row})*K{row}"),
        )
    )
    assert report.status == "right"
    assert [(f.rule, f.severity) for f in report.findings] == [("typed-target", "warning")]


def test_a_given_formula_that_was_broken_is_named(tmp_path: Path) -> None:
    one = of("course", "gradients")
    report = audit_workbook(
        handed_in(
            tmp_path / "a.xlsx",
            one,
            None,
            lambda book: (
                written(book, one, "a_h2", lambda row: f"=1/(1+EXP(L{row}))"),
                written(book, one, "t1", lambda row: 0.7),
            ),
        )
    )
    assert accused(report) == {"a_h2", "t1"}
    assert f"right: {', '.join(one.empty_from)}" in report.checked[0]


def test_a_formula_that_is_not_read_is_not_decided(tmp_path: Path) -> None:
    one = of("course", "gradients")
    report = audit_workbook(
        handed_in(
            tmp_path / "a.xlsx",
            one,
            None,
            lambda book: written(book, one, "dE/dw5", lambda row: f'=WEBSERVICE("x"&K{row})'),
        )
    )
    assert report.status == "undecided"
    assert "not read: dE/dw5" in report.checked[0]
    assert "AC5 cannot be read" in report.problem


def test_numbers_in_place_of_formulas_that_are_wrong_are_named(tmp_path: Path) -> None:
    one = of("course", "gradients")

    def typed(book: openpyxl.Workbook) -> None:
        for row in range(ROWS):
            book[one.sheet].cell(TOP + row + 1, one.column("dE/dw6") + 1).value = 0.25

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, typed))
    assert report.status == "wrong"
    assert "dE/dw6" in accused(report)


def test_givens_that_were_changed_are_named_with_what_was_given(tmp_path: Path) -> None:
    one = of("course", "update")

    def changed(book: openpyxl.Workbook) -> None:
        book[COVER]["B13"].value = 0.9
        book[one.sheet]["B2"].value = 2

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, changed))
    found = [(f.rule, f.place.column, f.says, f.should_say) for f in report.findings if isinstance(f.place, SheetPlace)]
    assert ("changed-given", "w_1", "0.9", "0.15") in found
    assert ("changed-given", "learning_rate", "2", "0.5") in found
    assert report.status == "wrong"


HIDDEN = {
    "fewer iterations": ("A4", "2"),
    "another part": ("A3", "forward"),
    "no network": ("A7", "name = ["),
    "somebody else's": ("A6", "Eve"),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_a_hidden_sheet_that_was_changed_is_said_and_the_sheet_judged_as_any_other(case: str, tmp_path: Path) -> None:
    place, text = HIDDEN[case]

    def forged(book: openpyxl.Workbook) -> None:
        book[KEPT][place].value = text

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", of("course", "gradients"), None, forged))
    assert report.status == "right"
    assert "hidden sheet was changed" in report.checked[-1]
    empty = audit_workbook(handed_in(tmp_path / "a.xlsx", of("course", "gradients"), {"dE/dw1"}, forged))
    assert (empty.status, empty.findings) == ("undecided", ())
    assert "hidden sheet was changed" in empty.problem


@pytest.mark.parametrize(
    "toml", ["x = " + "[" * 5000, "", "learning_rate = 1e999", "[[layers]]\nweights = [[" + "1," * 400 + "]]"]
)
def test_whatever_a_hidden_sheet_says_is_told_in_a_line(toml: str, tmp_path: Path) -> None:
    refused = told_of(["gradients", "8", "course", "", *toml.splitlines()], tmp_path)
    assert refused.status == "undecided"
    assert "hidden sheet" in refused.problem
    assert "\n" not in refused.problem


@pytest.mark.parametrize("iterations", ["many", "-3", "8.5", "9" * 5000, ""])
def test_a_number_of_iterations_that_is_none_is_told_in_a_line(iterations: str, tmp_path: Path) -> None:
    lines = ["gradients", iterations, "course", "", *to_toml(preset("course")).splitlines()]
    refused = told_of(lines, tmp_path)
    assert refused.status == "undecided"
    assert "hidden sheet" in refused.problem


def told_of(lines: list[str], tmp_path: Path) -> FileReport:
    """What is said of an exercise whose hidden sheet was written anew, with its digest."""

    def hostile(book: openpyxl.Workbook) -> None:
        book[KEPT].delete_rows(1, 500)
        for k, line in enumerate([FORMAT, digest_of(lines), *lines], 1):
            book[KEPT].cell(k, 1).value = line

    return audit_workbook(handed_in(tmp_path / "a.xlsx", of("course", "gradients"), {"dE/dw1"}, hostile))


def test_somebody_s_own_sheet_that_is_called_an_exercise_is_judged_like_any_other(tmp_path: Path) -> None:
    path = tinyproof.workbook("course", tmp_path / "a.xlsx", rates=[0.5], iterations=8).path
    book = openpyxl.load_workbook(path)
    book["overview"]["A1"].value = "Exercise: back-propagation"
    for row in range(5, 13):
        book["eta 0.5"].cell(row, 29).value = f"=(S{row}-B{row})*S{row}*(1-S{row})*M{row}"
    book.save(path)
    report = audit_workbook(path)
    assert report.status == "wrong"
    assert "dE/dw5" in accused(report)


def test_numbers_without_end_beside_the_table_are_no_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    one = of("course", "gradients")
    report = audit_workbook(
        handed_in(tmp_path / "a.xlsx", one, None, lambda book: written(book, one, "dE/dw5", lambda r: f"=LN(-K{r})/0"))
    )
    assert accused(report) == {"dE/dw5"}
    assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]


def test_without_its_hidden_sheet_it_is_said_to_be_an_exercise(tmp_path: Path) -> None:
    one = of("course", "gradients")
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, lambda book: book.remove(book[KEPT])))
    assert report.status == "right"
    assert "without its hidden sheet" in report.checked[-1]


def test_a_table_that_was_moved_is_judged_as_any_other(tmp_path: Path) -> None:
    one = of("course", "gradients")
    report = audit_workbook(
        handed_in(tmp_path / "a.xlsx", one, {"dE/dw1"}, lambda book: book[one.sheet].insert_cols(1)),
    )
    assert (report.status, report.findings) == ("undecided", ())
    assert "does not stand where it stood" in report.problem


def test_sheets_may_have_other_names_and_the_givens_stand_elsewhere_on_the_cover(tmp_path: Path) -> None:
    """As a program does it: formulas and defined names follow."""
    one = of("course", "gradients")

    def renamed(book: openpyxl.Workbook) -> None:
        book[COVER].title, book[one.sheet].title = "front", "my table"
        book["front"].insert_rows(3)
        for name, defined in book.defined_names.items():
            row = int(defined.attr_text.rpartition("$")[2])
            book.defined_names[name].attr_text = f"front!$B${row + 1}"

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, {"dE/dw1"}, renamed))
    assert (report.status, report.findings) == ("undecided", ())
    assert "by Ada" in report.checked[0]
    assert "right: dE/dw1; not filled in: dE/dw2" in report.checked[0]


# What was written in a column, the answer, and a word of what is said.
WRITTEN = {
    "the target of the other output, which is the same number": (
        "gradients", "dE/dw5", lambda r: f"=(S{r}-C{r})*S{r}*(1-S{r})*K{r}", "wrong", "dE/dw5"),
    "a target where the learning rate belongs": (
        "update", "w5", lambda r: f"=N{r - 1}-B{r - 1}*AC{r - 1}", "wrong", "w5"),
    "rounded": ("gradients", "dE/dw5", lambda r: f"=ROUND((S{r}-B{r})*S{r}*(1-S{r})*K{r},1)", "undecided", "rounded"),
    "right but for the numbers that are there": (
        "gradients", "dE/dw5", lambda r: f"=IF(i_1=0.05,7,(S{r}-B{r})*S{r}*(1-S{r})*K{r})", "wrong", "does not give"),
    "a text": ("gradients", "dE/dw5", lambda r: "0,0129", "wrong", "a text"),
    "typed numbers that are right": ("forward", "o1", lambda r: None, "wrong", "typed numbers"),
    "twice a small number": ("gradients", "dE/dw1", lambda r: f"=2*(0*B{r}+0.000001)", "wrong", "dE/dw1"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_what_only_looks_right_is_not_called_right(case: str, tmp_path: Path) -> None:
    asked, name, formula, status, words = WRITTEN[case]
    one = of("course", asked)  # type: ignore[arg-type]

    def other(book: openpyxl.Workbook) -> None:
        for row in range(one.empty_from[name], ROWS):
            number = TOP + row + 1
            said = formula(number)
            typed = float(one.trace.column(name)[row]) if said is None else said
            book[one.sheet].cell(number, one.column(name) + 1).value = typed

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, other))
    assert report.status == status
    assert accused(report) == ({name} if status == "wrong" else set())
    assert words in " ".join([report.problem, *(one.message for one in report.findings)])


def test_no_right_formula_is_told_of_what_was_asked_for(tmp_path: Path) -> None:
    one = of("course", "all")

    def ones(book: openpyxl.Workbook) -> None:
        for name, first in one.empty_from.items():
            for row in range(first, ROWS):
                book[one.sheet].cell(TOP + row + 1, one.column(name) + 1).value = "=1"

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, ones))
    assert accused(report) == set(one.empty_from)
    told = report.to_json()
    for name in one.empty_from:
        assert one.formula(name, 1) not in json.dumps(told)
    assert not any(finding["should_say"] or finding["fix"] for finding in told["findings"])


def test_the_first_row_of_the_weights_is_given_and_judged(tmp_path: Path) -> None:
    one = of("course", "update")

    def changed(book: openpyxl.Workbook) -> None:
        book[one.sheet]["F5"].value = "=w_2"
        book[one.sheet]["G5"].value = 0.9

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, changed))
    found = {(f.rule, f.place.column, f.fix) for f in report.findings if isinstance(f.place, SheetPlace)}
    assert found == {("changed-given", "w1", "write in F5: =w_1"), ("changed-given", "w2", "write in G5: =w_2")}


def test_a_helper_sheet_is_computed_too(tmp_path: Path) -> None:
    one = of("course", "gradients")

    def helped(book: openpyxl.Workbook) -> None:
        scratch = book.create_sheet("scratch")
        for row in range(TOP + 1, TOP + ROWS + 1):
            scratch.cell(row, 1).value = f"=('{one.sheet}'!S{row}-t_1)*'{one.sheet}'!S{row}*(1-'{one.sheet}'!S{row})"
        written(book, one, "dE/dw5", lambda row: f"=scratch!A{row}*K{row}")

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, helped))
    assert report.status == "right", report


def test_in_a_circle_only_what_closes_it_is_wrong(tmp_path: Path) -> None:
    one = of("course", "all")
    report = audit_workbook(
        handed_in(
            tmp_path / "a.xlsx", one, None, lambda book: written(book, one, "h1", lambda r: f"=F{r}*D{r}+G{r}*K{r}")
        )
    )
    assert accused(report) == {"h1"}


def test_numbers_of_seventeen_digits_are_given_and_come_back_as_given(tmp_path: Path) -> None:
    net = replace(preset("course").with_rate(0.1234567890123456789), examples=(Example((1 / 7, 1 / 3), (0.1, 2 / 3)),))
    report = audit_workbook(handed_in(tmp_path / "a.xlsx", Exercise(net, "gradients", ROWS)))
    assert report.status == "right", report.findings


def test_for_whom_it_was_made_is_said_where_another_hands_it_in(tmp_path: Path) -> None:
    one = of("course", "gradients")

    def other(book: openpyxl.Workbook) -> None:
        book[COVER]["B5"].value = "Eve"

    report = audit_workbook(handed_in(tmp_path / "a.xlsx", one, None, other))
    assert "made for Ada, handed in by Eve" in report.checked[0]


def test_two_that_are_not_begun_are_no_copies_of_each_other(tmp_path: Path) -> None:
    one = of("course", "gradients")
    assert audit_workbook(handed_in(tmp_path / "a.xlsx", one, ())).fingerprint == ""
    first = audit_workbook(handed_in(tmp_path / "a.xlsx", one))
    other = audit_workbook(handed_in(tmp_path / "b.xlsx", replace(one, net=redrawn(one.net, 3))))
    assert first.fingerprint
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize("style", ["course", "chain"])
def test_no_answer_stands_in_the_file(style: Style, tmp_path: Path) -> None:
    one = of("course", "all", style)
    path = write_book(one.book(), tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        held = " ".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist() if "xml" in name)
    asked = [
        equation for equation in (*forward(one.net), *gradients(one.net, style)) if equation.name in one.empty_from
    ]
    assert len(asked) > 15
    for equation in asked:
        written = equation_text(equation).partition(" = ")[2]
        assert len(written) < 4 or written not in held, equation.name  # E1+E2 is more than a word of a hint
        assert f"<f>{one.formula(equation.name, 0)}</f>" not in held


def test_hints_name_what_lies_between() -> None:
    assert on_the_way(preset("course"), "w5") == ["o1", "a_o1", "E1", "E_total"]


def test_drawn_weights_follow_the_seed_and_leave_no_gradient_at_nothing() -> None:
    first, again, other = (redrawn(preset("relu"), seed) for seed in (4, 4, 5))
    assert first == again
    assert first.parameters != other.parameters
    assert first.examples == preset("relu").examples
    start = trace(first, 1)
    assert all(start.column(f"dE/d{name}")[0] != 0 for name in first.trained)
    with pytest.raises(InputError, match="seed"):
        redrawn(preset("relu"), -1)


def test_everybody_on_a_list_gets_other_numbers_and_the_same_ones_again(tmp_path: Path) -> None:
    names = tmp_path / "names.csv"
    names.write_text("First name;Last name;Username\nEva;One;e1\nEva;Two;e2\n", encoding="utf-8")
    made = exercise("course", tmp_path / "out", asked="update", iterations=3, roster=names)
    assert [path.name for path in made.paths] == ["Eva-One.xlsx", "Eva-Two.xlsx"]
    assert made.students == ("Eva One", "Eva Two")
    first, second = (openpyxl.load_workbook(path)[COVER] for path in made.paths)
    assert first["B5"].value == "Eva One"
    assert first["B13"].value != second["B13"].value
    before = [path.read_bytes() for path in made.paths]
    kept = [openpyxl.load_workbook(path)[KEPT]["A2"].value for path in made.paths]
    exercise("course", tmp_path / "out", asked="update", iterations=3, roster=names)
    assert kept == [openpyxl.load_workbook(path)[KEPT]["A2"].value for path in made.paths]
    assert before == [path.read_bytes() for path in made.paths]
    assert seed_of(1, "Eva One") != seed_of(0, "Eva One")


def test_work_is_never_overwritten(tmp_path: Path) -> None:
    path = handed_in(tmp_path / "a.xlsx", of("course", "gradients"), {"dE/dw1"})
    before = path.read_bytes()
    with pytest.raises(OutputError, match="worked in the exercise"):
        exercise("course", path, student="Ada")
    with pytest.raises(OutputError, match="the exercise of Ada"):
        exercise("course", path, student="Eve")
    beside = exercise("course", tmp_path / "c.xlsx", student="Ada").path
    exercise("course", beside, student="Ada", seed=2)  # as it was written
    book = openpyxl.load_workbook(beside)
    book.create_sheet("my notes")
    book.save(beside)
    with pytest.raises(OutputError, match="worked in the exercise"):
        exercise("course", beside, student="Ada")
    other = tmp_path / "b.xlsx"
    openpyxl.Workbook().save(other)
    with pytest.raises(OutputError, match="no exercise"):
        exercise("course", other)
    assert path.read_bytes() == before


REFUSED = {
    "a list with doubles": ({"roster": "name\nAda\nAda\n"}, "stands twice"),
    "names of one file": ({"roster": "name\nA/B\nA-B\n"}, "two files of one name"),
    "an empty list": ({"roster": "name\n"}, "0 rows"),
    "a student and a list": ({"roster": "name\nAda\n", "student": "Eve"}, "either a student or a roster"),
    "no such part": ({"asked": "backward"}, "forward, gradients, update, all"),
    "one row of weights": ({"asked": "update", "iterations": 1}, "from 2 to 2,000"),
    "a network that nobody fills in": ({"net": "random:20-30-2:1"}, "at most 300"),
    "a text": ({"out": "a.txt"}, "ends in .xlsx"),
    "a name of many lines": ({"student": "A\nB"}, "one line"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_line(case: str, tmp_path: Path) -> None:
    options, words = REFUSED[case]
    options = json.loads(json.dumps(options))
    if "roster" in options:
        (tmp_path / "names.csv").write_text(options["roster"], encoding="utf-8")
        options |= {"roster": tmp_path / "names.csv", "out": tmp_path / "out"}
    options["out"] = tmp_path / options.get("out", "a.xlsx")
    with pytest.raises(InputError, match=words) as refused:
        exercise(options.pop("net", "course"), **options)
    assert "\n" not in str(refused.value)
    assert not any(tmp_path.rglob("*.xlsx"))
