"""Workbooks of our own with an optimiser: right as they are, and a slip in any kind of column named at its cell."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from tests.backprop.recalculate import rewrite

from tinyproof.backprop.book import workbook
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.sheet import letters
from tinyproof.backprop.trace import trace
from tinyproof.backprop.xlsx import write_book
from tinyproof.check.finding import FileReport, SheetPlace
from tinyproof.check.workbook import audit_workbook

KINDS = ("momentum", "rmsprop", "adam")
SHEET = "eta 0.05"
ROWS = 12


def write(net: Net, path: Path, iterations: int = ROWS) -> Path:
    return write_book(workbook(net, [0.05, 0.01], iterations), path)


def column(net: Net, name: str) -> str:
    return letters(1 + trace(net, 1).columns.index(name))


def slipped(
    net: Net, folder: Path, names: str | tuple[str, ...], slip: Callable[[str], str], rows: range
) -> FileReport:
    """The audit of the workbook with the formulas of a column, or of several, changed in some rows of the sheet."""
    whole, broken = write(net, folder / "right.xlsx"), folder / "broken.xlsx"
    cols = [column(net, name) for name in ((names,) if isinstance(names, str) else names)]
    cells = {f"{col}{row}" for col in cols for row in rows}
    changed = []

    def change(part: str, content: bytes) -> bytes:
        if not part.endswith("sheet3.xml"):
            return content

        def one(found: re.Match[bytes]) -> bytes:
            formula = html.unescape(found[3].decode())
            if found[2].decode() not in cells or slip(formula) == formula:
                return found[0]
            changed.append(found[2].decode())
            return found[1] + html.escape(slip(formula), quote=False).encode() + found[4]

        return re.sub(rb'(<c r="([A-Z]+[0-9]+)"[^>]*><f>)([^<]*)(</f>)', one, content)

    rewrite(whole, broken, change)
    assert set(changed) == cells
    return audit_workbook(broken)


def errors(report: FileReport) -> list[tuple[str, str, str]]:
    """Sheet, column and cells of every error."""
    places = [finding.place for finding in report.findings if finding.severity == "error"]
    assert all(isinstance(place, SheetPlace) for place in places)
    return [(place.sheet, place.column, place.cells) for place in places if isinstance(place, SheetPlace)]


NETS: dict[str, Net] = {name: preset(name) for name in PRESETS} | {
    "batches": preset("xor").with_batch(2),
    "random": drawn([3, 4, 2], 11, activation="tanh", biases="unit", loss="binary cross-entropy", examples=2),
}


@pytest.mark.parametrize("kind", [*KINDS, "adam:beta1=0.8,eps=0.001"])
@pytest.mark.parametrize("name", NETS)
def test_our_own_are_right_with_every_column_checked(tmp_path: Path, name: str, kind: str) -> None:
    net = NETS[name].with_optimizer(kind)
    report = audit_workbook(write(net, tmp_path / "a.xlsx"))
    assert (report.status, report.problem, report.findings) == ("right", "", ())
    constants = set(net.parameters) - set(net.trained)  # nothing says what they should be
    count = len(trace(net, 1).columns) - len(constants)
    for sheet, rate in ((SHEET, "0.05"), ("eta 0.01", "0.01")):
        line = f'sheet "{sheet}": {count} columns checked over {ROWS} iterations, learning rate {rate}: right'
        assert any(said == line for said in report.checked), report.checked
    assert sum(": right" in line for line in report.checked) == 3  # the what-if sheet too


def test_plain_descent_has_no_states(tmp_path: Path) -> None:
    report = audit_workbook(write(preset("course"), tmp_path / "a.xlsx"))
    assert f'sheet "{SHEET}": 31 columns checked over {ROWS} iterations, learning rate 0.05: right' in report.checked


Slip = Callable[[str], str]


def swap(old: str, new: str) -> Slip:
    return lambda formula: formula.replace(old, new)


def moved(column_: str, rows: int) -> Slip:
    """The references to a column, some rows down."""
    place = re.compile(rf"(?<![A-Z$])({column_})([0-9]+)")
    return lambda formula: place.sub(lambda found: f"{found[1]}{int(found[2]) + rows}", formula)


# Kind, column, the slip in its formulas (w3 stands in H, its gradient in AA).
SLIPS: dict[str, tuple[str, str, Slip]] = {
    # =$B$3*AI9+AA9 and =H9-$B$2*AI10
    "momentum: it is lost": ("momentum", "m_w3", swap("$B$3*", "")),
    "momentum: another weight's gradient": ("momentum", "m_w3", swap("AA", "AB")),
    "momentum: this row's gradient": ("momentum", "m_w3", moved("AA", 1)),
    "momentum: the sign": ("momentum", "m_w3", swap("+AA", "-AA")),
    "momentum: old state": ("momentum", "w3", moved("AI", -1)),
    "momentum: the gradient alone": ("momentum", "w3", lambda formula: moved("AA", -1)(formula.replace("AI", "AA"))),
    "momentum: another weight's state": ("momentum", "w3", swap("AI", "AJ")),
    "momentum: uphill": ("momentum", "w3", swap("-$B$2", "+$B$2")),
    "momentum: the gradient itself": ("momentum", "dE/dw3", swap("*M", "*K")),
    # =$B$3*AI9+(1-$B$3)*AA9^2 and =H9-$B$2*AA9/(SQRT(AI10)+$D$3)
    "rmsprop: the square": ("rmsprop", "v_w3", swap("^2", "")),
    "rmsprop: alpha is lost": ("rmsprop", "v_w3", swap("$B$3*AI", "AI")),
    "rmsprop: its rest is lost": ("rmsprop", "v_w3", swap("(1-$B$3)*", "")),
    "rmsprop: the root": ("rmsprop", "w3", swap("SQRT", "")),
    "rmsprop: old state": ("rmsprop", "w3", moved("AI", -1)),
    "rmsprop: eps is lost": ("rmsprop", "w3", swap("+$D$3", "")),
    "rmsprop: eps under the root": ("rmsprop", "w3", lambda f: re.sub(r"SQRT\((\w+)\)\+\$D\$3", r"SQRT(\1+$D$3)", f)),
    # =$B$3*AJ9+(1-$B$3)*AA9, =$D$3*AR9+(1-$D$3)*AA9^2, =AG9+1
    # and =H9-$B$2*(AJ10/(1-$B$3^AG10))/(SQRT(AR10/(1-$D$3^AG10))+$F$3)
    "adam: a lost beta1": ("adam", "m_w3", swap("$B$3*AJ", "AJ")),
    "adam: its rest is lost": ("adam", "m_w3", swap("(1-$B$3)*", "")),
    "adam: the other beta": ("adam", "m_w3", swap("$B$3", "$D$3")),
    "adam: the square": ("adam", "v_w3", swap("^2", "")),
    "adam: a lost beta2": ("adam", "v_w3", swap("$D$3*AR", "AR")),
    "adam: the count": ("adam", "n", swap("+1", "+2")),
    "adam: no correction at all": ("adam", "w3", lambda f: re.sub(r"/\(1-\$.\$3\^AG\d+\)", "", f)),
    "adam: no correction of m": ("adam", "w3", lambda f: re.sub(r"/\(1-\$B\$3\^AG\d+\)", "", f)),
    "adam: no correction of v": ("adam", "w3", lambda f: re.sub(r"/\(1-\$D\$3\^AG\d+\)", "", f)),
    "adam: corrected by the step before": ("adam", "w3", moved("AG", -1)),
    "adam: old m": ("adam", "w3", moved("AJ", -1)),
    "adam: old v": ("adam", "w3", moved("AR", -1)),
    "adam: the root": ("adam", "w3", swap("SQRT", "")),
    "adam: another weight's m": ("adam", "w3", swap("AJ", "AK")),
    "adam: an activation": ("adam", "a_h1", swap("-J", "+J")),
    "adam: the gradient": ("adam", "dE/dw3", swap("*M", "*K")),
}


@pytest.mark.parametrize("rows", [range(6, 17), range(10, 11)], ids=["column", "cell"])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_named_at_its_cell(tmp_path: Path, slip: str, rows: range) -> None:
    kind, name, change = SLIPS[slip]
    net = preset("course").with_optimizer(kind)
    report = slipped(net, tmp_path, name, change, rows)
    letter = column(net, name)
    cells = f"{letter}{rows[0]}" + (f":{letter}{rows[-1]}" if len(rows) > 1 else "")
    assert report.status == "wrong"
    assert set(errors(report)) == {(SHEET, name, cells)}


def test_a_mend_says_the_optimizers_formula(tmp_path: Path) -> None:
    net = preset("course").with_optimizer("adam")
    report = slipped(net, tmp_path, "w3", SLIPS["adam: no correction at all"][2], range(10, 11))
    (finding,) = [finding for finding in report.findings if finding.severity == "error"]
    assert "=H9-$B$2*(AJ10/(1-$B$3^AG10))/(SQRT(AR10/(1-$D$3^AG10))+$F$3)" in finding.fix
    assert "adam" in finding.message
    report = slipped(net, tmp_path, "v_w3", SLIPS["adam: the square"][2], range(6, 17))
    (finding,) = [finding for finding in report.findings if finding.severity == "error"]
    assert "=$D$3*AR5+(1-$D$3)*AA5^2" in finding.fix
    assert finding.why.startswith("the factor dE/dw3[row before] is missing")
    assert "v_w3 <- beta2*v_w3 + (1-beta2)*dE/dw3^2" in finding.why


def test_typed_numbers_and_empty_cells_of_a_state_are_named(tmp_path: Path) -> None:
    net = preset("course").with_optimizer("rmsprop")
    letter = column(net, "v_w3").encode()
    whole = write(net, tmp_path / "right.xlsx")

    cell = re.compile(rb'<c r="' + letter + rb'10"( s="\d+")><f>[^<]*</f><v>[^<]*</v></c>')

    def holding(kept: bytes) -> Callable[[str, bytes], bytes]:
        found = rb'<c r="' + letter + rb'10"\1>' + kept + b"</c>"
        return lambda part, content: cell.sub(found, content) if part.endswith("sheet3.xml") else content

    for kept in (b"<v>0.001</v>", b""):
        rewrite(whole, tmp_path / "broken.xlsx", holding(kept))
        report = audit_workbook(tmp_path / "broken.xlsx")
        assert report.status == "wrong"
        assert errors(report) == [(SHEET, "v_w3", f"{letter.decode()}10")]


def test_another_method_under_these_headings_is_not_called_wrong(tmp_path: Path) -> None:
    """Averaged momentum in every column: no slip, and not ours to judge by these equations."""
    net = preset("course").with_optimizer("momentum")
    path = write(net, tmp_path / "right.xlsx")
    states = "|".join(column(net, name) for name in net.states)
    rule = re.compile(rf"(<f>\$B\$3\*(?:{states})\d+\+)(\w+</f>)".encode())
    with zipfile.ZipFile(path) as file:
        assert len(rule.findall(file.read("xl/worksheets/sheet3.xml"))) == len(net.states) * (ROWS - 1)
    rewrite(path, tmp_path / "other.xlsx", lambda part, content: rule.sub(rb"\1(1-$B$3)*\2", content))
    report = audit_workbook(tmp_path / "other.xlsx")
    assert report.checked or report.problem
    assert errors(report) == []
    assert report.status != "wrong"


@pytest.mark.parametrize("name", ["n", "m_w1", "v_w8"])
def test_a_state_of_adam_that_does_not_start_at_0(tmp_path: Path, name: str) -> None:
    """Written as a formula (`=1`) and typed; RMSprop may start at 1, as some libraries do."""
    net = preset("course").with_optimizer("adam")
    place = f"{column(net, name)}5"
    report = slipped(net, tmp_path, name, lambda _: "1", range(5, 6))
    typed = openpyxl.load_workbook(tmp_path / "right.xlsx")
    typed[SHEET][place].value = 1
    typed.save(tmp_path / "typed.xlsx")
    for one in (report, audit_workbook(tmp_path / "typed.xlsx")):
        (found,) = (finding for finding in one.findings if finding.severity == "error")
        assert isinstance(found.place, SheetPlace)
        assert (found.rule, found.place.sheet, found.place.cells) == ("wrong-update", SHEET, place)
        assert found.message == f"{name} starts at 1, not at 0"
    other = slipped(preset("course").with_optimizer("rmsprop"), tmp_path, "v_w8", lambda _: "1", range(5, 6))
    assert [finding for finding in other.findings if finding.severity == "error"] == []


def gone_on(folder: Path, changes: dict[str, float | str] | None = None) -> FileReport:
    """Our own workbook with Adam, whose first row holds the numbers of a later one; `changes`: heading -> its own."""
    net = preset("course").with_optimizer("adam")
    write(net, folder / "right.xlsx")
    book = openpyxl.load_workbook(folder / "right.xlsx")
    numbers = openpyxl.load_workbook(folder / "right.xlsx", data_only=True)[SHEET]
    for name in ("n", *(f"{state}_{w}" for state in "mv" for w in net.parameters), *net.parameters):
        place = column(net, name)
        book[SHEET][f"{place}5"].value = (changes or {}).get(name, numbers[f"{place}9"].value)
    book.save(folder / "on.xlsx")
    return audit_workbook(folder / "on.xlsx")


def test_a_table_that_goes_on_from_another_is_right(tmp_path: Path) -> None:
    report = gone_on(tmp_path)
    assert (report.status, report.findings) == ("right", ())


@pytest.mark.parametrize("changes", [{"n": 0}, {"m_w1": 0}, {"n": -1}, {"v_w1": -0.1}])
def test_a_table_that_goes_on_in_part_alone_is_not(tmp_path: Path, changes: dict[str, float | str]) -> None:
    assert gone_on(tmp_path, changes).status == "wrong"
