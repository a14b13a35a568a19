"""Table: computed once, then rendered as terminal text, Markdown, HTML or CSV."""

from __future__ import annotations

import csv
import html
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tinyproof.core.errors import InputError

Cell = str | int | float | bool | None
Align = Literal["left", "right"]
_TERMINAL = 80  # columns of a terminal that nobody has widened
_SIGNED = re.compile(r"-|[+-](?:[0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?(?: ?%)?")


@dataclass(frozen=True)
class Column:
    """A column: its heading, its alignment, and the format (as in `format(value, spec)`) of its numbers."""

    name: str
    align: Align = "left"
    spec: str = ""

    def show(self, value: Cell) -> str:
        """The cell as a person reads it: `None` is empty, floats follow `spec`."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int | float) and self.spec:
            return format(value, self.spec)
        return str(value)


@dataclass(frozen=True, repr=False)
class Table:
    """Rows under columns. Every row has one cell for each column (InputError otherwise).

    Prints itself: as text in a terminal, as HTML in a notebook.

    >>> Table("layers", (Column("layer"), Column("parameters", "right", ",")), (("conv1", 288), ("fc", 1290)))
    layer  parameters
    -----  ----------
    conv1         288
    fc          1,290
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Sequence[Cell], ...]
    footer: tuple[Sequence[Cell], ...] = ()

    def __post_init__(self) -> None:
        for number, row in enumerate((*self.rows, *self.footer), 1):
            if len(row) != len(self.columns):
                raise InputError("row", f"row {number} with {len(row)} cells", f"{len(self.columns)} cells", self.title)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _shown(self, rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
        return [[column.show(value) for column, value in zip(self.columns, row, strict=True)] for row in rows]

    def text(self) -> str:
        """Monospaced text with a rule under the heading; wide (East Asian, combining) characters are measured.

        Where that is wider than a terminal of 80 columns, headings of several words stand in several lines.
        """
        from rich.cells import cell_len

        shown = self._shown([*self.rows, *self.footer])
        lined = [[" ".join(cell.splitlines()) for cell in row] for row in shown]
        body, foot = lined[: len(self.rows)], lined[len(self.rows) :]
        heads = [[column.name] for column in self.columns]

        cells = [max((cell_len(line[i]) for line in [*body, *foot]), default=0) for i in range(len(heads))]
        wide = [max(width, cell_len(head[0])) for width, head in zip(cells, heads, strict=True)]
        if sum(wide) + 2 * (len(heads) - 1) > _TERMINAL:
            heads = [_in_lines(column.name, width) for column, width in zip(self.columns, cells, strict=True)]
            wide = [max(width, *map(cell_len, head)) for width, head in zip(cells, heads, strict=True)]

        def line(cells: Sequence[str]) -> str:
            padded = []
            for cell, width, column in zip(cells, wide, self.columns, strict=True):
                gap = " " * (width - cell_len(cell))
                padded.append(gap + cell if column.align == "right" else cell + gap)
            return "  ".join(padded).rstrip()

        high = max(map(len, heads))
        rule = line(["-" * width for width in wide])
        named = [line(words) for words in zip(*([""] * (high - len(head)) + head for head in heads), strict=True)]
        lines = [*named, rule, *map(line, body)]
        if foot:
            lines += [rule, *map(line, foot)]
        return "\n".join(lines)

    def markdown(self) -> str:
        """A GitHub-flavoured Markdown table; `|` and line breaks inside cells are escaped."""

        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

        rule = "| " + " | ".join("---:" if column.align == "right" else "---" for column in self.columns) + " |"
        body = self._shown([*self.rows, *self.footer])
        return "\n".join([line([column.name for column in self.columns]), rule, *map(line, body)])

    def html(self) -> str:
        """A `<table>` with everything escaped; numbers get the class `number`."""

        def cells(row: Sequence[str], tag: str) -> str:
            out = []
            for cell, column in zip(row, self.columns, strict=True):
                kind = ' class="number"' if column.align == "right" else ""
                out.append(f"<{tag}{kind}>{html.escape(cell)}</{tag}>")
            return "<tr>" + "".join(out) + "</tr>"

        head = cells([column.name for column in self.columns], "th")
        body = "".join(cells(row, "td") for row in self._shown(self.rows))
        foot = "".join(cells(row, "td") for row in self._shown(self.footer))
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        end = f"<tfoot>{foot}</tfoot>" if foot else ""
        return f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody>{end}</table>"

    def csv(self) -> str:
        """RFC 4180 text: full-precision numbers, and no cell that a spreadsheet would run as a formula."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([harmless(column.name) for column in self.columns])
        for row in (*self.rows, *self.footer):
            writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
        return out.getvalue()

    def records(self) -> list[dict[str, Any]]:
        """One dict a row, ready for JSON or `pandas.DataFrame`."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: a quote stands before `= + - @`, tab and carriage return.

    A number with a sign is none, nor is `-` alone, as Moodle writes what is not graded. Source: OWASP, "CSV injection".

    >>> harmless("=1+1"), harmless("-2+3"), harmless("-2.5"), harmless("-")
    ("'=1+1", "'-2+3", '-2.5', '-')
    """
    formula = text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _SIGNED.fullmatch(text)
    return "'" + text if formula else text


def _in_lines(heading: str, width: int) -> list[str]:
    """A heading in lines of `width` characters, or of its longest word."""
    words = heading.split()
    return textwrap.wrap(heading, max([width, 1, *map(len, words)])) or [""]
