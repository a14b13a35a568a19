"""The workbook: recalculated by LibreOffice, read back by openpyxl, its promises about names, notes and charts."""

from __future__ import annotations

import errno
import itertools
import os
import random
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import openpyxl
import pytest
from openpyxl.utils import column_index_from_string

from tinyproof.backprop.book import workbook
from tinyproof.backprop.expr import Expr, Num, Var, call, evaluate, walk
from tinyproof.backprop.net import Example, Layer, Net
from tinyproof.backprop.notation import excel
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.random_net import drawn
from tinyproof.backprop.sheet import Book, Cell, Formula, Sheet, address
from tinyproof.backprop.table_sheet import sheet_rows, stop_note
from tinyproof.backprop.trace import traces
from tinyproof.backprop.xlsx import write_book
from tinyproof.core.errors import InputError, OutputError

from .recalculate import differences, formula_cells, recalculated, rewrite, zeroed_and_recalculated

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RATES = (0.1, 0.2, 0.5, 0.8, 1.0, 2.0)
SEVERAL = [
    drawn([2, 3, 2], 1, activation=activation, output=output, loss=loss, biases=biases, examples=n, taken=taken)
    for (activation, (output, loss), biases, (n, taken)) in zip(
        ["sigmoid", "tanh", "relu", "leaky relu", "softplus", "identity"],
        itertools.cycle(
            [
                ("sigmoid", "half squared error"),
                ("softmax", "categorical cross-entropy"),
                ("sigmoid", "binary cross-entropy"),
                ("tanh", "mean squared error"),
                ("softmax", "half squared error"),
            ]
        ),
        itertools.cycle(["none", "layer", "unit"]),
        itertools.cycle([(1, "summed"), (3, "summed"), (2, "averaged"), (3, "one after the other")]),
        strict=False,
    )
]


def write(
    net: Net, path: Path, rates: tuple[float, ...] = (0.1, 0.5), iterations: int = 9, style: str = "course"
) -> Path:
    return write_book(workbook(net, rates, iterations, style), path)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("books")
    found = {"course": write(preset("course"), folder / "course.xlsx", RATES, 100)}
    for name, style in itertools.product(PRESETS, ("course", "chain")):
        found[f"{name}-{style}"] = write(preset(name), folder / f"{name}-{style}.xlsx", style=style)
    for k, net in enumerate(SEVERAL):
        found[f"random-{k}"] = write(net, folder / f"random-{k}.xlsx", style=("course", "chain")[k % 2])
    found["overflow"] = write(preset("relu"), folder / "overflow.xlsx", (0.05, 5.0, 0.1), 400)
    found["expressions"] = random_formulas(folder / "expressions.xlsx")
    return found


def random_formulas(path: Path) -> Path:
    """Three hundred random expressions in x, y, z: signs, powers and brackets as Excel reads them."""
    dice, cells = random.Random(1), []
    values = {"x": 0.7, "y": -1.3, "z": 2.9}
    places = {name: address(0, k) for k, name in enumerate(values)}

    def expression(depth: int) -> Expr:
        if depth == 0 or dice.random() < 0.15:
            return dice.choice([Var("x"), Var("y"), Var("z"), Num(2.0), Num(-0.5), Num(3.0)])
        a, b = expression(depth - 1), expression(depth - 1)
        kind = dice.choice(["add", "sub", "mul", "div", "neg", "pow", "max", "if", "sigmoid", "tanh", "softplus", "gt"])
        if kind in ("neg", "sigmoid", "tanh", "softplus"):
            return call(kind, a)
        if kind == "pow":
            return a ** dice.choice([2, 3])
        return call("if", call("gt", a, b), a, b * 2) if kind == "if" else call(kind, a, b)

    while len(cells) < 300:
        expr = expression(4)
        value = evaluate(expr, values)
        whole = all(np.isfinite(evaluate(part, values)) for part in walk(expr))  # Excel stops at any #DIV/0! inside
        if whole and abs(value) < 1e6 and len(excel(expr, places)) < 2_000:
            cells.append(Cell(1 + len(cells), 0, Formula(excel(expr, places), value)))
    givens = [Cell(0, k, value) for k, value in enumerate(values.values())]
    return write_book(Book("random", (Sheet("random", (*givens, *cells)),)), path)


def break_one_formula(name: str, content: bytes) -> bytes:
    """dE/dw3 of one row with a_h1 where a_h2 belongs: the mistake of the published sheets."""
    if not name.endswith("sheet3.xml"):
        return content
    right, wrong = b"*M10*(1-M10)*D10", b"*K10*(1-K10)*D10"
    assert content.count(right) == 1
    return content.replace(right, wrong)


@pytest.mark.oracle("LibreOffice")
def test_libreoffice_computes_every_cell_as_we_do(books: dict[str, Path], tmp_path: Path, libreoffice: str) -> None:
    """From zeroed caches with recalculation forced; a broken copy in the same call shows that a difference is seen."""
    broken = tmp_path / "broken.xlsx"
    rewrite(books["course"], broken, break_one_formula)
    files = [*books.values(), broken]
    fresh = zeroed_and_recalculated(libreoffice, files, tmp_path)
    for name, ours, theirs in zip(books, books.values(), fresh, strict=False):
        count, wrong = differences(ours, theirs)
        assert count >= 300, name
        assert not wrong, (name, wrong[:5])
    _, wrong = differences(books["course"], fresh[-1])
    assert any(text.startswith("sheet3.xml!AA10 =") for text in wrong)
    assert any(text.startswith("sheet11.xml!G4 =") and text.endswith("'differs', ours 'ok'") for text in wrong)
    assert not any(text.startswith("sheet4.xml") for text in wrong)  # the next rate's sheet


@pytest.mark.oracle("LibreOffice")
def test_the_check_sheet_turns_and_the_what_if_sheet_moves(tmp_path: Path, libreoffice: str) -> None:
    """A given changed on the overview moves every rate's sheet and the check; the what-if sheet has its own givens."""
    path = write(preset("course"), tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    book["overview"]["B10"] = 0.16  # w_1
    assert book["overview"]["A10"].value == "w1"
    book["what-if"]["B11"] = 0.9  # w_3
    assert book["what-if"]["A12"].value == "w3"
    book["what-if"]["B12"] = 0.9
    book.save(tmp_path / "changed.xlsx")
    (fresh,) = recalculated(libreoffice, [tmp_path / "changed.xlsx"], _made(tmp_path / "out"))
    values = openpyxl.load_workbook(fresh, data_only=True)
    assert values["eta 0.1"]["F5"].value == 0.16
    assert values["check"]["G4"].value == "differs"
    other = replace(preset("course"), layers=(replace(preset("course").layers[0], weights=((0.15, 0.9), (0.9, 0.3))),
                                              preset("course").layers[1]))  # fmt: skip
    expected = traces(other, [0.5], 9)[0]
    heads = {cell.value: cell.column for cell in values["what-if"][26]}
    row = [values["what-if"].cell(35, heads[name]).value for name in ("w3", "E_total")]
    assert row == pytest.approx([expected.column("w3")[-1], expected.column("E_total")[-1]], rel=1e-12)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_read_back_the_cells_are_those_of_the_trace(books: dict[str, Path]) -> None:
    """Headings, numbers and formulas, through a reader that is not ours."""
    values = openpyxl.load_workbook(books["course"], data_only=True)
    formulas = openpyxl.load_workbook(books["course"])
    for found in traces(preset("course"), RATES, 100):
        sheet = values[f"eta {found.rate:g}"]
        names = [cell.value.replace("∂", "d") for cell in sheet[4][1:32]]
        assert tuple(names) == found.columns
        rows = [[cell.value for cell in row[1:32]] for row in sheet.iter_rows(min_row=5, max_row=104)]
        assert rows == found.values.tolist()
        assert sheet["B2"].value == found.rate
        cells = [cell for row in formulas[sheet.title].iter_rows(min_row=5, max_row=104, max_col=32) for cell in row]
        assert {cell.data_type for cell in cells} == {"f"}
    assert formulas["eta 0.5"]["F6"].value == "=F5-$B$2*Y5"
    assert formulas["eta 0.5"]["AC7"].value == "=(S7-B7)*S7*(1-S7)*K7"


def test_a_rate_prints_its_table_with_headings_on_every_page_and_its_charts_on_one(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_book(workbook(preset("course"), [0.5], 200), tmp_path / "a.xlsx"))
    sheet = book["eta 0.5"]
    table, beside = sheet.print_area.split(",")
    assert table.replace("$", "").endswith("A1:AF204")
    first, last = beside.replace("$", "").rpartition("!")[2].split(":")
    assert first == "AG1"
    assert (sheet.print_title_rows, sheet.print_title_cols) == ("$3:$4", "$A:$A")
    above, *others = sorted(sheet._charts, key=lambda chart: chart.anchor._from.row)
    assert above.anchor.to.row == 0, "the loss on the first screen: on the table's first page"
    for chart in others:  # each whole in the second area: no page cuts it
        at = chart.anchor
        assert at._from.col + 1 > column_index_from_string("AF")
        assert at.to.col + 1 <= column_index_from_string(last.rstrip("0123456789"))
        assert at.to.row + 1 <= int(last.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    assert (sheet.page_setup.orientation, sheet.page_setup.scale, sheet.page_setup.paperSize) == ("portrait", 53, 9)
    assert book["compare"].print_title_cols is None


def test_the_parts_of_the_file_fit_together(books: dict[str, Path]) -> None:
    """Well-formed XML, every relationship's target there, cells in order, one value a formula: nothing to repair."""
    for path in books.values():
        with zipfile.ZipFile(path) as file:
            names = set(file.namelist())
            trees = {name: ET.fromstring(file.read(name)) for name in names if name.endswith((".xml", ".rels", ".vml"))}
        types = trees["[Content_Types].xml"]
        listed = {node.get("PartName", "")[1:] for node in types} - {""}
        assert listed <= names
        assert {name for name in names if name.startswith("xl/worksheets/sheet")} <= listed
        for name, tree in trees.items():
            if name.endswith(".rels"):
                base = PurePosixPath(name).parent.parent
                for node in tree:
                    if node.get("TargetMode") != "External":
                        target = os.path.normpath(base / node.get("Target", "").lstrip("/"))
                        assert target in names or target.removeprefix("xl/") in names, (name, target)
            if name.startswith("xl/worksheets/sheet"):
                assert_sheet_in_order(tree)


def assert_sheet_in_order(tree: ET.Element) -> None:
    rows = [int(row.get("r", "0")) for row in tree.iter(f"{MAIN}row")]
    assert rows == sorted(set(rows))
    for row in tree.iter(f"{MAIN}row"):
        cells = [(len(letters), letters) for letters in (c.get("r", "").rstrip("0123456789") for c in row)]
        assert cells == sorted(set(cells))
        for cell in row:
            formula, value = cell.find(f"{MAIN}f"), cell.find(f"{MAIN}v")
            if formula is not None:
                assert value is not None
                assert value.text
                assert (cell.get("t") == "str") == (not re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?", value.text)), value.text
                assert not (formula.text or "").startswith("=")


def test_names_notes_charts_and_panes(books: dict[str, Path]) -> None:
    book = openpyxl.load_workbook(books["course"])
    assert book.sheetnames[0] == "overview"
    assert book.sheetnames[-3:] == ["compare", "what-if", "check"]
    assert {"w_1", "w_8", "t_1", "i_2"} <= set(book.defined_names)
    for rate in RATES:
        sheet = book[f"eta {rate:g}"]
        assert sheet.defined_names["learning_rate"].attr_text == f"'eta {rate:g}'!$B$2"
        assert sheet.freeze_panes == "B5"
        assert len(sheet._charts) == 3
        assert all(cell.comment and cell.comment.text for cell in sheet[4][1:32])
    assert "learning_rate*dE/dw5" in book["eta 0.5"]["N4"].comment.text
    assert len(book["compare"]._charts) == 2
    assert len(book["compare"]._charts[0].series) == len(RATES)
    assert "w_1" in book["what-if"].defined_names


def test_text_that_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    net = replace(preset("course"), title="=1+1", name="@evil")
    book = openpyxl.load_workbook(write(net, tmp_path / "a.xlsx"))
    assert book["overview"]["A1"].value == "=1+1"
    assert book["overview"]["A1"].data_type in ("s", "inlineStr")
    markup = replace(preset("course"), title="<r><t>x</t></r><evil>&\x07")
    book = openpyxl.load_workbook(write(markup, tmp_path / "b.xlsx"))
    assert book["overview"]["A1"].value.startswith(" <r><t>x</t></r><evil>&") or "evil" in book["overview"]["A1"].value


def test_no_formula_needs_a_function_newer_than_excel_2010(books: dict[str, Path]) -> None:
    """The writer skips XlsxWriter's search for them."""
    known = {"EXP", "LN", "TANH", "SQRT", "ABS", "MAX", "MIN", "IF", "INDEX", "MATCH", "COUNTIF"}
    known |= {"SUMPRODUCT", "ISNUMBER", "ROUND", "AVERAGE"}
    for path in books.values():
        for formula, _ in formula_cells(path).values():
            assert set(re.findall(r"([A-Z][A-Z0-9.]*)\(", formula)) <= known


def test_a_rate_that_overflows_keeps_its_rows_and_says_where(tmp_path: Path) -> None:
    net = replace(preset("relu"), learning_rate=5.0)
    path = write(net, tmp_path / "a.xlsx", (0.05, 5.0), 400)
    sheet = openpyxl.load_workbook(path, data_only=True)["eta 5"]
    (found,) = traces(net, [5.0], 400)
    assert found.diverged is not None
    assert len(found) == found.diverged - 1
    assert sheet.cell(len(found) + 5, 1).value == f"Diverges: at iteration {found.diverged} a number overflows."
    assert sheet.cell(len(found) + 4, 1).value == len(found)


def test_a_table_ends_where_a_spreadsheet_cannot_compute(tmp_path: Path, libreoffice: str) -> None:
    """1/(1+EXP(-x)) is an error beyond 709, where float64 still knows the answer."""
    layer = Layer(((1.0,),), "sigmoid")
    steep = Net("steep", (Layer(((-700.0,),), "identity"), layer), (Example((1.0,), (1.0,)),), "mean squared error")
    fine = write_book(workbook(steep, [0.5], 3), tmp_path / "fine.xlsx")
    with pytest.raises(InputError, match=r"network: 'steep' has an exponent over 709 in the first iteration"):
        workbook(replace(steep, layers=(Layer(((-720.0,),), "identity"), layer)), [0.5], 3)
    folder = tmp_path / "fresh"
    (theirs,) = zeroed_and_recalculated(libreoffice, [fine], folder)
    assert not differences(fine, theirs)[1]
    found = traces(preset("course"), [0.5], 4)[0]
    values = found.values.copy()
    values[2, found.columns.index("o1")] = -710.0
    assert sheet_rows(replace(found, values=values)) == 2
    note = stop_note(replace(found, values=values), 2)
    assert note == "Stops here: at iteration 3 an exponent passes 709, which no spreadsheet can compute."


def test_the_check_sheet_has_its_red_rule_and_a_large_network_no_derivation(
    books: dict[str, Path], tmp_path: Path
) -> None:
    rules = openpyxl.load_workbook(books["course"])["check"].conditional_formatting
    assert sorted(str(rule.sqref) for rule in rules) == ["G4", "G6:G749"]
    assert all(rule.rules[0].operator == "notEqual" and rule.rules[0].formula == ['"ok"'] for rule in rules)
    large = write_book(workbook(drawn([30, 20, 4], 1), [0.5], 2, "chain"), tmp_path / "large.xlsx")
    assert "derivation" not in openpyxl.load_workbook(large).sheetnames
    assert "derivation" in openpyxl.load_workbook(books["course"]).sheetnames


def test_a_file_that_is_open_elsewhere_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    with pytest.raises(OutputError, match=r"a.xlsx: cannot be written: it is open in another program; nothing half"):
        write(preset("course"), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("net", "rates", "iterations", "message"),
    [
        (
            preset("course"),
            (0.5,),
            1_048_576,
            "iterations: '1,048,582 rows' is not allowed; allowed: at most 1,048,576",
        ),
        (
            drawn([1, 3300, 1], 1),
            (0.5,),
            5,
            "network: '19,826 columns' is not allowed; allowed: at most 16,384, the columns of a",
        ),
        (drawn([900, 1, 1], 1), (0.5,), 5, "formula of h1: '"),
        (preset("course"), (), 5, "rates: '0 rates' is not allowed"),
        (preset("course"), (0.5, 0.5), 5, "rates: '0.5, 0.5' is not allowed; allowed: each rate once"),
        (preset("course"), (float("nan"),), 5, "learning rate: nan is not allowed; allowed: a finite number above 0"),
        (preset("course"), (0.5,), 0, "iterations: 0 is not allowed"),
    ],
)
def test_what_no_sheet_can_hold(net: Net, rates: tuple[float, ...], iterations: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        workbook(net, rates, iterations)
    assert str(caught.value).startswith(message)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.xlsx").mkdir()
    with pytest.raises(OutputError, match="a folder of that name is in the way"):
        write(preset("course"), tmp_path / "taken.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.xlsx"]


def test_our_own_audit_finds_every_table_right_and_the_broken_one_wrong(books: dict[str, Path], tmp_path: Path) -> None:
    """Read back as mathematics: the other half of the program, which shares only expressions with this one."""
    import tinyproof

    names = [f"{name}-{('course', 'chain')[k % 2]}" for k, name in enumerate(PRESETS)]
    report = tinyproof.audit(*(books[name] for name in names))
    assert {file.file: file.status for file in report.files} == {str(books[name]): "right" for name in names}
    rewrite(books["course"], tmp_path / "broken.xlsx", break_one_formula)
    (broken,) = tinyproof.audit(tmp_path / "broken.xlsx").files
    assert broken.status == "wrong"
    assert {finding.place.column for finding in broken.findings if finding.severity == "error"} == {"dE/dw3"}
