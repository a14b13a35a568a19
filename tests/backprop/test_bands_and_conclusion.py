"""The workbook as something handed in: bands over the table, sentences under the comparison, pages that are few."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tinyproof.backprop.bands import BANDS, MEANS, band_of
from tinyproof.backprop.book import workbook
from tinyproof.backprop.equations import columns
from tinyproof.backprop.optimizer import KINDS
from tinyproof.backprop.presets import PRESETS, find_net, preset
from tinyproof.backprop.sweep import sweep
from tinyproof.backprop.toml import from_toml
from tinyproof.backprop.xlsx import write_book

from .recalculate import zeroed_and_recalculated


@pytest.mark.parametrize("name", PRESETS)
def test_every_column_is_in_its_band(name: str) -> None:
    net = preset(name)
    for column, band in zip(columns(net), band_of(net, columns(net)), strict=True):
        assert (band == "backward") == column.startswith("dE/")
        assert (band == "update") == (column in net.trained)
        assert (band == "given") == (bool(re.match(r"[ti]\d", column)) or column in {*net.parameters} - {*net.trained})


def test_bands_have_a_colour_a_line_and_their_name_every_few_columns(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_book(workbook(preset("course"), [0.5], 8), tmp_path / "a.xlsx"))
    bands, rate = band_of(preset("course"), columns(preset("course"))), book["eta 0.5"]
    for sheet, row in ((rate, 3), (book["what-if"], 25)):
        cells = [sheet.cell(row, 2 + k) for k in range(len(bands))]
        assert {cell.value for cell in cells} - {None} == set(BANDS)
        assert all(any(one.value for one in cells[k : k + 4]) for k in range(len(cells) - 3))
        looks = {(band, c.fill.fgColor.rgb, c.border.bottom.style) for band, c in zip(bands, cells, strict=True)}
        assert len(looks) == len({colour for _, colour, _ in looks}) == len({line for _, _, line in looks}) == 4
    assert {cell.value for cell in rate[2]} >= set(MEANS.values())


def test_the_comparison_ends_in_sentences_that_are_counted_from_its_table(tmp_path: Path) -> None:
    book = workbook(preset("course"), [0.5, 1.0, 500.0, 2000.0], 60)
    path = write_book(book, tmp_path / "a.xlsx")
    said = [openpyxl.load_workbook(path, data_only=True)["compare"].cell(row, 4).value for row in (1, 2, 3)]
    sheet = openpyxl.load_workbook(path)["compare"]
    assert all(sheet.cell(row, 4).value.startswith("=") for row in (1, 2, 3))
    found = re.fullmatch(r"It is below what 0.5 ends with after (\d+): (\d+\.\d) times as fast\.", said[1])
    assert said[0] == "Learning rate 500 has the lowest loss after 60 iterations."
    assert said[2] == f"{GROWS} 2000."
    shown = openpyxl.load_workbook(path, data_only=True)["compare"]
    column, end = [shown.cell(row, 4).value for row in range(5, 65)], shown.cell(64, 2).value
    assert found
    assert int(found[1]) == sum(loss > end for loss in column)
    assert float(found[2]) == round(60 / int(found[1]), 1)


GROWS = "The smallest rate at which the loss ends higher than it starts, or overflows:"
IN_TURN = """
name = "turns"
taken = "one after the other"
examples = [{inputs = [0, 1], targets = [0.6]}, {inputs = [1, 1], targets = [0]}, {inputs = [1, 0], targets = [1]}]
[[layers]]
weights = [[0.1, 0.2], [0.3, 0.4]]
bias = [0.1, 0.2]
[[layers]]
weights = [[0.5, -0.6]]
"""


@pytest.mark.oracle("libreoffice")
def test_examples_in_turn_are_compared_by_whole_rounds(tmp_path: Path, libreoffice: str) -> None:
    """Workbook, spreadsheet and sweep name one best rate. The first example is nearly right from the start: held
    against it, any other one would be a rise of the loss."""
    net, rates = from_toml(IN_TURN), [0.1, 0.5, 2.0, 5.0, 20.0, 1e6]
    found = sweep(net, rates, 99)
    assert [found.outcome(k) for k in range(5)] == ["", "", "", "best", ""]
    path = write_book(workbook(net, rates, 99), tmp_path / "a.xlsx")
    for one in (path, *zeroed_and_recalculated(libreoffice, [path], tmp_path)):
        sheet = openpyxl.load_workbook(one, data_only=True)["compare"]
        assert sheet["B2"].value == found.best == 5.0
        assert sheet["B3"].value == pytest.approx(min(found.final[:5]), rel=1e-12)
        assert sheet["D1"].value == "Learning rate 5 has the lowest mean loss of the last 3 rows after 99 iterations."
        assert sheet["D2"].value == f"{GROWS} 1000000."
    assert [column.name for column in found.table().columns][1:3] == ["mean of 1 to 3", "mean of the last 3"]


def test_rates_that_all_come_down_and_one_rate_alone(tmp_path: Path) -> None:
    path = write_book(workbook(preset("course"), [0.5, 0.1], 8), tmp_path / "a.xlsx")
    shown = openpyxl.load_workbook(path, data_only=True)["compare"]
    assert shown["D3"].value == "At no rate does the loss end higher than it starts."
    alone = openpyxl.load_workbook(write_book(workbook(preset("course"), [0.5], 8), tmp_path / "b.xlsx"))["compare"]
    assert alone["D1"].value is None


def test_names_are_those_of_the_tables_and_the_loss_is_on_the_first_screen(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_book(workbook(preset("course"), [0.5], 8), tmp_path / "a.xlsx"))
    headings = {cell.value for cell in book["eta 0.5"][4]}
    for sheet, rows in (("overview", range(6, 18)), ("what-if", range(6, 18))):
        assert {book[sheet].cell(row, 1).value for row in rows} <= headings
    (chart,) = book["overview"]._charts
    assert (chart.anchor._from.row, chart.anchor._from.col) == (3, 4)
    assert book.sheetnames[-1] == "check"


@pytest.mark.parametrize("which", ["course", "random:1-1:3"])
def test_the_loss_is_above_every_rates_table_and_stays_there(tmp_path: Path, which: str) -> None:
    """In the first row, in whose height it fits, beside the title, in the rows that stay; no wider than the table."""
    book = openpyxl.load_workbook(write_book(workbook(find_net(which), [0.5, 2.0], 8), tmp_path / "a.xlsx"))
    for name in ("eta 0.5", "eta 2"):
        sheet = book[name]
        (above,) = (chart for chart in sheet._charts if chart.anchor._from.row == 0)
        (column,) = (cell.column_letter for cell in sheet[4] if cell.value == "E_total")
        (series,) = above.series
        assert series.yVal.numRef.f == f"'{name}'!${column}$5:${column}$12"
        assert above.anchor.to.row == 0
        assert 5 == above.anchor._from.col < above.anchor.to.col < sheet.max_column
        assert sheet.freeze_panes == "B5"


FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>{cache}</cachedir></fontconfig>"""


@pytest.mark.oracle("libreoffice")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fonts", ["all", "DejaVu alone"])
def test_two_hundred_rows_print_on_twelve_pages_at_most(
    tmp_path: Path, libreoffice: str, fonts: str, kind: str
) -> None:
    """Also where there is no font as wide as Calibri, and a wider one takes its place; with any optimiser."""
    whole = workbook(preset("course").with_optimizer(kind), [0.5], 200)
    bare = {"block": None, "cells": (), "charts": (), "pictures": (), "banded": False}
    sheets = tuple(one if one.name == "eta 0.5" else replace(one, **bare) for one in whole.sheets)
    path = write_book(replace(whole, sheets=sheets), tmp_path / "a.xlsx")
    (tmp_path / "fonts.conf").write_text(FONTS.format(cache=tmp_path / "cache"), encoding="utf-8")
    given = {} if fonts == "all" else {"FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    subprocess.run(
        [libreoffice, f"-env:UserInstallation=file://{tmp_path}/p", "--headless", "--convert-to", "pdf", str(path)],
        cwd=tmp_path, env={**os.environ, **given}, capture_output=True, check=True,
    )  # fmt: skip
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", (tmp_path / "a.pdf").read_bytes()))
    assert 7 <= pages <= 12
