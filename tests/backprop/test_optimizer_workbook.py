"""Workbooks with an optimiser: LibreOffice computes every cell as we do, and a changed setting moves every sheet."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tinyproof.api.derive import derive
from tinyproof.backprop.book import workbook
from tinyproof.backprop.net import Net
from tinyproof.backprop.presets import PRESETS, preset
from tinyproof.backprop.trace import trace, traces
from tinyproof.backprop.xlsx import write_book

from .recalculate import differences, recalculated, rewrite, zeroed_and_recalculated

KINDS = ("momentum", "rmsprop", "adam")
RATES = (0.05, 0.01)


def write(net: Net, path: Path, iterations: int = 100) -> Path:
    return write_book(workbook(net, RATES, iterations), path)


def lost_beta(name: str, content: bytes) -> bytes:
    """m_w3 of one row without its beta1."""
    right = b"<f>$B$3*AJ9+(1-$B$3)*AA9</f>"
    if not name.endswith("sheet3.xml"):
        return content
    assert content.count(right) == 1
    return content.replace(right, b"<f>AJ9+(1-$B$3)*AA9</f>")


@pytest.mark.oracle("LibreOffice")
@pytest.mark.parametrize("kind", KINDS)
def test_libreoffice_computes_every_cell_as_we_do(tmp_path: Path, libreoffice: str, kind: str) -> None:
    """From zeroed caches."""
    nets = {name: preset(name).with_optimizer(kind) for name in PRESETS}
    nets["batches"] = preset("xor").with_optimizer(kind).with_batch(2)
    files = [write(net, tmp_path / f"{name}.xlsx", 40) for name, net in nets.items()]
    for ours, theirs in zip(files, zeroed_and_recalculated(libreoffice, files, tmp_path), strict=True):
        count, wrong = differences(ours, theirs)
        assert count > 3 * 40 * 39, ours.name
        assert not wrong, (ours.name, wrong[:5])


@pytest.mark.oracle("LibreOffice")
def test_a_lost_beta_is_seen_in_its_cell_and_on_the_check_sheet(tmp_path: Path, libreoffice: str) -> None:
    whole, broken = write(preset("course").with_optimizer("adam"), tmp_path / "a.xlsx", 20), tmp_path / "broken.xlsx"
    rewrite(whole, broken, lost_beta)
    (fresh,) = zeroed_and_recalculated(libreoffice, [broken], tmp_path)
    _, wrong = differences(whole, fresh)
    assert any(text.startswith("sheet3.xml!AJ10 =") for text in wrong)
    assert any(text.endswith("'differs', ours 'ok'") for text in wrong)
    assert not any(text.startswith("sheet4.xml") for text in wrong)  # the next rate's sheet


@pytest.mark.oracle("LibreOffice")
@pytest.mark.parametrize("kind", KINDS)
def test_a_setting_that_is_changed_moves_what_it_should(tmp_path: Path, libreoffice: str, kind: str) -> None:
    """Among the givens it moves every rate's sheet; on one sheet that one alone; on the what-if sheet nothing else."""
    net = preset("course").with_rate(0.05).with_optimizer(kind)
    setting = next(iter(net.optimizer.values()))
    changed = net.with_optimizer(f"{kind}:{setting}=0.7")
    book = openpyxl.load_workbook(write(net, tmp_path / "a.xlsx", 20))
    places = {row[0].value: row[1] for row in book["overview"].iter_rows(max_col=2)}
    places[setting].value = 0.7
    assert book["eta 0.01"]["A3"].value == setting
    book["eta 0.01"]["B3"].value = 0.6
    what_if = {row[0].value: row[1] for row in book["what-if"].iter_rows(max_col=2)}
    what_if[setting].value = 0.5
    book.save(tmp_path / "changed.xlsx")
    (tmp_path / "out").mkdir()
    (fresh,) = recalculated(libreoffice, [tmp_path / "changed.xlsx"], tmp_path / "out")
    values = openpyxl.load_workbook(fresh, data_only=True)

    def shown(sheet: str, header: int, name: str) -> float:
        heads = {cell.value: cell.column for cell in values[sheet][header]}
        found = values[sheet].cell(header + 20, heads[name]).value
        assert isinstance(found, float)
        return found

    own, alone = changed, changed.with_optimizer(f"{kind}:{setting}=0.6").with_rate(0.01)
    tried = changed.with_optimizer(f"{kind}:{setting}=0.5")
    for name in ("w3", "E_total", net.states[-1]):
        for sheet, header, expected in (("eta 0.05", 4, own), ("eta 0.01", 4, alone)):
            right = trace(expected, 20).column(name)[-1]
            assert shown(sheet, header, name) == pytest.approx(right, rel=1e-11, abs=1e-18)
        top = next(row[0].row for row in book["what-if"].iter_rows(max_col=1) if row[0].value == "iteration")
        assert shown("what-if", top, name) == pytest.approx(trace(tried, 20).column(name)[-1], rel=1e-11, abs=1e-18)
    assert values["check"]["G4"].value == "differs"


def test_headings_formulas_and_numbers_are_the_traces(tmp_path: Path) -> None:
    net = preset("course").with_optimizer("adam")
    path = write(net, tmp_path / "a.xlsx", 30)
    values, formulas = openpyxl.load_workbook(path, data_only=True), openpyxl.load_workbook(path)
    for found in traces(net, RATES, 30):
        sheet = values[f"eta {found.rate:g}"]
        heads = [cell for cell in sheet[4][1:] if cell.value]
        assert tuple(cell.value.replace("∂", "d") for cell in heads) == found.columns
        assert all(cell.comment for cell in formulas[sheet.title][4][1 : 1 + len(heads)])
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(5, 34, 2, 1 + len(heads))]
        assert rows == found.values.tolist()
        assert [cell.value for cell in sheet[3][:6]] == ["beta1", 0.9, "beta2", 0.999, "eps", 1e-8]
    book = formulas["eta 0.05"]
    assert book["H10"].value == "=H9-$B$2*(AJ10/(1-$B$3^AG10))/(SQRT(AR10/(1-$D$3^AG10))+$F$3)"
    assert "m_w3 = " not in str(book["H4"].comment.text)
    assert "with the states of this row" in str(book["H4"].comment.text)
    assert book["AJ5"].value == "=0"
    assert {"beta1", "beta2", "eps"} <= set(formulas.defined_names)


@pytest.mark.parametrize("kind", KINDS)
def test_the_derivation_sheet_takes_the_next_step(tmp_path: Path, kind: str) -> None:
    net = preset("course").with_rate(0.05).with_optimizer(kind)
    sheet = openpyxl.load_workbook(write(net, tmp_path / "a.xlsx", 10), data_only=True)["derivation"]
    rows = {(row[0].value, str(row[1].value)[:1]): row[3].value for row in sheet.iter_rows(max_col=4)}
    after = trace(net, 2).row(2)
    for name in (*net.states, *net.trained):
        assert rows[name, "←"] == pytest.approx(after[name], rel=1e-13)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not here")
@pytest.mark.parametrize("kind", KINDS)
def test_latex_compiles(tmp_path: Path, kind: str) -> None:
    found = derive(replace(preset("course"), title="µ & α, 100 %"), optimizer=kind)
    (tmp_path / "a.tex").write_text(found.text("latex"), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
