"""The only door through which workbooks are written: a `sheet.Book` into an .xlsx file (XlsxWriter underneath).

Every formula is written with its value: without one, readers that do not recalculate show 0. Text goes through
`write_string`, never through `write`, which would take `=1+1` for a formula. Rows are written from top to bottom and
leave memory at once (to XlsxWriter's temporary files).
"""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

from tinyproof.backprop.program import Floats
from tinyproof.backprop.sheet import ABOVE, THIS, Block, Book, Cell, Chart, Formula, Scale, Sheet, address, quoted
from tinyproof.core.errors import InputError
from tinyproof.core.files import writing

_INK, _LINE, _PANEL, _GIVEN, _ASKED = "#1b1f24", "#d5dbe1", "#eef2f6", "#fff8dc", "#dff3e4"
_STYLES: dict[str, dict[str, Any]] = {
    "": {},
    "title": {"bold": True, "font_size": 14},
    "heading": {"bold": True, "bg_color": _PANEL, "bottom": 1, "bottom_color": _LINE, "align": "right"},
    "heading left": {"bold": True, "bg_color": _PANEL, "bottom": 1, "bottom_color": _LINE},
    "heading indented": {"bold": True, "bg_color": _PANEL, "bottom": 1, "bottom_color": _LINE, "indent": 1},
    "label": {"bold": True},
    "label indented": {"bold": True, "indent": 1},
    "indented": {"indent": 1},
    "mono": {"font_name": "Consolas"},
    "given": {"bg_color": _GIVEN, "border": 1, "border_color": _LINE, "font_color": "#0b3d91"},
    "whole": {"num_format": "0", "font_color": "#57606a"},
    "value": {"num_format": "0.00000000"},
    "small": {"num_format": "0.000000E+00"},
    "difference": {"num_format": "0.0E+00"},
    "verdict": {"bold": True, "indent": 1},
    "link": {"font_color": "#0b62c4", "underline": 1},
    "dot": {"num_format": ";;;", "font_size": 7},
    "paint": {"num_format": ";;;", "font_size": 7, "border": 4, "border_color": _LINE},
    "choice": {"bold": True, "font_size": 16, "bg_color": "#ffe999", "border": 2, "align": "center"},
    "answer": {"bold": True, "font_size": 40, "font_color": "#0b62c4", "align": "left", "valign": "vcenter"},
    "percent": {"num_format": "0.00%", "align": "right"},
    "quiet": {"font_color": "#57606a"},
    "asked": {"bg_color": _ASKED, "border": 1, "border_color": _LINE, "num_format": "0.00000000"},
    "asked heading": {"bold": True, "bg_color": _ASKED, "bottom": 1, "bottom_color": _LINE, "align": "right"},
    # Lines of four kinds under four colours: none, solid, dashed, double.
    "band given": {"bg_color": _GIVEN, "italic": True},
    "band update": {"bg_color": "#e6dcf5", "italic": True, "bottom": 6},
    "band forward": {"bg_color": "#cfe3fb", "italic": True, "bottom": 2},
    "band backward": {"bg_color": "#fbd9bd", "italic": True, "bottom": 3},
    "conclusion": {"bold": True},
}
_A4 = 9
_PRINTED, _ONE_PAGE = 53, 12  # per cent of a long table, on upright pages; so many columns are on one
_WIDE, _WIDE_PRINTED = 36, 49  # columns of one with an optimiser's states; then 200 rows go over two pages, not three
_COLUMN_PIXELS, _ROW_PIXELS = 64, 20  # of a cell whose size nobody set
_UNDATED = datetime(2000, 1, 1)
_COLOURS = [
    "#0b62c4",
    "#c4261d",
    "#1a7f37",
    "#8a5a00",
    "#7b3fb5",
    "#00838f",
    "#d1640a",
    "#57606a",
    "#ad1457",
    "#5d7a00",
]


def write_book(book: Book, path: Path | str) -> Path:
    """Write the workbook whole or not at all. Raises OutputError where the file cannot be written."""
    # In memory first: XlsxWriter leaves its half-written archive open on a full disk, which then complains at exit.
    with writing(path) as beside:
        beside.write_bytes(book_bytes(book))
    return Path(path)


def book_bytes(book: Book) -> bytes:
    """The workbook as the bytes of its file."""
    import xlsxwriter

    names = [sheet.name.lower() for sheet in book.sheets]
    if len(set(names)) != len(names):
        raise InputError("sheet", next(n for n in names if names.count(n) > 1), "a name for each sheet of its own")
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"constant_memory": True, "strings_to_formulas": False})
    _fill(workbook, book)
    workbook.close()
    return content.getvalue()


def _fill(workbook: Any, book: Book) -> None:
    told = {"title": book.title, "comments": "Live formulas with cached values, made by tinyproof."}
    workbook.set_properties(told if book.dated else {**told, "created": _UNDATED})
    workbook.set_calc_mode("auto")
    formats = {name: workbook.add_format(options) for name, options in _STYLES.items()}
    bad = workbook.add_format({"bg_color": "#fdecea", "font_color": "#c4261d", "bold": True})
    for sheet in book.sheets:
        worksheet = workbook.add_worksheet(sheet.name, _quick_worksheet())
        _dress(worksheet, sheet)
        _write_rows(worksheet, sheet, formats)
        for area in sheet.red:
            rule = {"type": "cell", "criteria": "not equal to", "value": '"ok"', "format": bad}
            worksheet.conditional_format(*area, rule)
        _colour(worksheet, sheet)
        for chart in sheet.charts:
            worksheet.insert_chart(chart.row, chart.column, _chart(workbook, chart))
        if sheet.block is not None:
            workbook.define_name(f"{quoted(sheet.name)}!_xlnm.Print_Area", "=" + _print_area(sheet, sheet.block))
        if sheet.hidden:
            worksheet.hide()
        for name, row, column in sheet.names:
            workbook.define_name(f"{quoted(sheet.name)}!{name}", "=" + address(row, column, sheet.name))
    for name, where, row, column in book.names:
        workbook.define_name(name, "=" + address(row, column, where))


def _colour(worksheet: Any, sheet: Sheet) -> None:
    """Colours and bars by numbers, and the cells to choose in."""
    for scale in sheet.scales:
        worksheet.conditional_format(*scale.area, _rule(scale))
    for area in sheet.bars:
        ends = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": 1}
        worksheet.conditional_format(*area, {"type": "data_bar", "bar_color": "#9cc3ef", "bar_solid": True, **ends})
    for choice in sheet.choices:
        allowed = {"validate": "integer", "criteria": "between", "minimum": choice.low, "maximum": choice.high}
        worksheet.data_validation(choice.row, choice.column, choice.row, choice.column,
                                  {**allowed, "error_title": "Not to choose from", "error_message": choice.words,
                                   "input_message": choice.words})  # fmt: skip


def _rule(scale: Scale) -> dict[str, Any]:
    names = {2: ("min", "max"), 3: ("min", "mid", "max")}[len(scale.colours)]
    rule: dict[str, Any] = {"type": f"{len(names)}_color_scale"}
    for name, colour, value in zip(names, scale.colours, (scale.low, *[0] * (len(names) - 2), scale.high), strict=True):
        rule |= {f"{name}_color": colour, f"{name}_type": name if value is None else "num"}
        rule |= {} if value is None else {f"{name}_value": value}
    return rule


def _quick_worksheet() -> Any:
    """XlsxWriter's worksheet without its search of every formula for functions newer than Excel 2010: it takes two
    thirds of the time, and our notation writes none (a test holds it to that)."""
    from xlsxwriter.worksheet import Worksheet

    class QuickWorksheet(Worksheet):
        def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
            return formula.removeprefix("=")

    return QuickWorksheet


def _dress(worksheet: Any, sheet: Sheet) -> None:
    """Everything about a sheet but its cells; must come before them, as rows leave memory once written."""
    worksheet.hide_gridlines(2 if sheet.block is None else 1)
    worksheet.set_paper(_A4)
    wide = sheet.block is not None and len(sheet.block.columns) > _WIDE
    worksheet.set_margins(0.3, 0.3, *(2 * [0.3 if wide else 0.5]))
    if sheet.block is None:
        worksheet.set_landscape()
        worksheet.fit_to_pages(1, 0)
    else:
        worksheet.set_print_scale(_WIDE_PRINTED if wide else _PRINTED)
        if len(sheet.block.columns) > _ONE_PAGE:
            worksheet.repeat_columns(0)
    for first, last, width in sheet.widths:
        worksheet.set_column(first, last, width)
    for first, last, points in sheet.heights:
        for row in range(first, last + 1):
            worksheet.set_row(row, points)
    if sheet.freeze:
        worksheet.freeze_panes(*sheet.freeze)
        worksheet.repeat_rows(sheet.freeze[0] - 1 - sheet.banded, sheet.freeze[0] - 1)
    if sheet.colour:
        worksheet.set_tab_color(sheet.colour)
    for picture in sheet.pictures:
        options = {"image_data": io.BytesIO(picture.png), "x_scale": picture.scale, "y_scale": picture.scale}
        options |= {"description": picture.alt, "object_position": 3}
        worksheet.insert_image(picture.row, picture.column, "picture.png", options)


def _print_area(sheet: Sheet, block: Block) -> str:
    """The table, and its charts as an area of their own: a page each. Charts stand to the right of a table."""
    end = block.left + len(block.columns) - 1
    end = max([end, *(cell.column + 6 for cell in sheet.cells if cell.style == "conclusion")])
    rows = max(block.top + block.rows - 1, *(cell.row for cell in sheet.cells))
    areas = [(0, 0, rows, end)]
    beside = [chart for chart in sheet.charts if chart.column > end]
    if beside:
        right = max(chart.column - -chart.width // _COLUMN_PIXELS for chart in beside) - 1
        areas.append((0, end + 1, max(chart.row + chart.height // _ROW_PIXELS for chart in beside) + 1, right))
    return ",".join(f"{address(top, left, sheet.name)}:{address(bottom, right)}" for top, left, bottom, right in areas)


def _write_rows(worksheet: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    loose: dict[int, list[Cell]] = {}
    for cell in sheet.cells:
        loose.setdefault(cell.row, []).append(cell)
    block = sheet.block
    last = max([*loose, block.top + block.rows - 1 if block else 0])
    for row in range(last + 1):
        for cell in loose.get(row, ()):
            _write_cell(worksheet, cell, formats[cell.style])
        if block and row == block.top:
            _write_block(worksheet, block, formats, loose)


def _write_cell(worksheet: Any, cell: Cell, style: Any) -> None:
    row, column, value = cell.row, cell.column, cell.value
    if cell.link:
        worksheet.write_url(row, column, "internal:" + cell.link, style, string=str(value))
    elif isinstance(value, Formula):
        worksheet.write_formula(row, column, "=" + value.text, style, value.value)
    elif value == "":
        worksheet.write_blank(row, column, None, style)
    elif isinstance(value, str):
        # XlsxWriter would copy <r>..</r> into the file as it is, as ready-made rich text.
        worksheet.write_string(row, column, " " + value if value.startswith("<r>") else value, style)
    else:
        worksheet.write_number(row, column, value, style)
    if cell.note:
        worksheet.write_comment(row, column, cell.note, {"x_scale": 2.2, "y_scale": 1 + len(cell.note) / 220})


def _write_block(worksheet: Any, block: Block, formats: dict[str, Any], loose: dict[int, list[Cell]]) -> None:
    """Cells beside the block (same rows) are written by the caller for its first row only, so there must be none."""
    assert not any(block.top < row < block.top + block.rows for row in loose)
    write = worksheet.write_formula
    blank = {
        block.left + k: column.empty_from for k, column in enumerate(block.columns) if column.empty_from is not None
    }
    columns = [
        (block.left + k, ["=" + text for text in column.rest], formats[column.style], _shown(column.values))
        for k, column in enumerate(block.columns)
    ]
    for k, column in enumerate(block.columns):
        if blank.get(block.left + k) != 0:
            first = _rows("=" + column.first, block.top)
            write(block.top, block.left + k, first, formats[column.style], columns[k][3][0])
    for offset in range(block.rows):
        row = block.top + offset
        this, above = str(row + 1), str(row)
        for position, begin in blank.items():
            if offset >= begin:
                worksheet.write_blank(row, position, None, formats["asked"])
        if any(len(values) == offset or blank.get(place) == offset for place, _, _, values in columns):
            columns = [one for one in columns if len(one[3]) > offset and blank.get(one[0]) != offset]  # some end here
        for position, texts, style, values in columns if offset else ():
            text = texts[offset % len(texts)].replace(THIS, this).replace(ABOVE, above)
            write(row, position, text, style, values[offset])


def _shown(values: Floats) -> list[float | str]:
    """The numbers that the cells of a column show; an error where there is none."""
    return ["#DIV/0!" if value != value else value for value in values.tolist()]


def _rows(text: str, row: int) -> str:
    return text.replace(THIS, str(row + 1)).replace(ABOVE, str(row))


def _chart(workbook: Any, chart: Chart) -> Any:
    result = workbook.add_chart({"type": "scatter", "subtype": "straight"})
    for number, series in enumerate(chart.series):
        colour = _COLOURS[number % len(_COLOURS)]
        dash = "solid" if number < len(_COLOURS) else "dash"
        result.add_series(
            {
                "name": series.name,
                "categories": [series.sheet, series.first, series.x, series.last, series.x],
                "values": [series.sheet, series.first, series.y, series.last, series.y],
                "line": {"width": 1.75, "color": colour, "dash_type": dash},
                "marker": {"type": "none"},
            }
        )
    grid = {"visible": True, "line": {"color": _LINE, "width": 0.5}}
    font = {"name_font": {"bold": False, "color": _INK}}
    last = max(series.last - series.first + 1 for series in chart.series)
    named = {"name": chart.x_title} if chart.x_title else {}
    result.set_x_axis({**named, "min": 0, "max": _round_up(last), "num_format": "0", **font})
    numbers = "0.0E+00" if chart.log else "General"
    result.set_y_axis({"name": chart.y_title, "major_gridlines": grid, "num_format": numbers, **font}
                      | ({"log_base": 10, "crossing": "min"} if chart.log else {}))  # fmt: skip
    title = {"name": chart.title, "name_font": {"size": 12, "bold": True}, "overlay": False}
    result.set_title(title if chart.title else {"none": True})
    result.set_legend({"none": True} if len(chart.series) == 1 else {"position": "right"})
    result.set_size({"width": chart.width, "height": chart.height})
    result.show_na_as_empty_cell()
    return result


def _round_up(count: int) -> int:
    """The end of an axis for that many iterations: 100 for 100, 150 for 137."""
    step = max(1, int(10.0 ** (len(str(count)) - 1)) // 2)
    return -(-count // step) * step
