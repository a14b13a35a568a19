"""Masks that compare one column of a table with a value: the cuts that they make."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from tinyproof.check.code.interpreter import columns
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.relations import COLUMN
from tinyproof.check.code.interpreter.rows import Cut, Rows
from tinyproof.check.code.interpreter.values import Const, Unknown, Value, constant

_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


_KEPT = frozenset(("drop", "drop_duplicates", "dropna", "reset_index", "set_index", "sort_index", "sort_values"))


def set_anew(machine: Machine, table: Rows, name: object) -> None:
    """A column of a table is written to; one whose name is not known is any, as is all that a single column is."""
    by_name = isinstance(name, str) and table.side == "both" and not columns.is_one(table) and name != "columns"
    machine.written[name if by_name else None] += 1


def perhaps_set_anew(machine: Machine, table: Rows, method: str, kwargs: Mapping[str, Value]) -> None:
    """The same by a method that writes where the rows lie: `update`, `replace(..., inplace=True)`."""
    in_place = constant(kwargs.get("inplace", Const(False))) is not False and method not in _KEPT
    if in_place or method == "update":
        set_anew(machine, table, None)


def cut_by(machine: Machine, column: Rows, op: ast.cmpop, value: Value, first: bool) -> Cut | None:
    """The cut of `column < value` (`first`) or `value < column`; None where no column by its name is compared.

    A value that is not known is known by itself, the one that a name stands for here and in the next line; what is
    equal to it here and there may be of two turns of a loop, and only the opposite is told.
    """
    sign = _SIGNS.get(type(op))
    named = columns.is_one(column) and columns.UNKNOWN not in column.columns
    if sign is None or not named or not isinstance(value, Const | Unknown):
        return None
    machine.keep.append(value)
    known = isinstance(value, Const) and isinstance(value.value, str | int | float)
    against = (
        ("is", value.value) if known and isinstance(value, Const) else ("value", (id(value), *machine.sides), object())
    )
    sign = sign if first else _TURNED.get(sign, sign)
    as_written = tuple(machine.written[name] for name in (column.columns[-1][1], None))
    return Cut("filter", (COLUMN, (column.columns, column.paths, column.steps, as_written), against), sign)
