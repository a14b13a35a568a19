"""Excel formulas computed by Python floats, or by torch for their derivatives. LibreOffice is its oracle."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tests.workbook.layouts.excel_parser import compiled
from tests.workbook.layouts.terms import Address


class Fault(Exception):
    """What Excel shows as an error value."""


class Block:
    """The values of a range; blank and text cells count as nothing in sums and as 0 in products."""

    __array_ufunc__ = None  # numpy leaves sums and products to this class

    def __init__(self, array: Any, filled: list[bool]) -> None:
        self.array, self.filled = array, filled

    def numbers(self) -> list[Any]:
        return [v for v, there in zip(self.array.reshape(-1), self.filled, strict=True) if there]


def _array(value: Any) -> Any:
    return value.array if isinstance(value, Block) else value


for _name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "rtruediv"):
    setattr(Block, f"__{_name}__", lambda self, other, n=f"__{_name}__": getattr(self.array, n)(_array(other)))
Block.__neg__ = lambda self: -self.array  # type: ignore[attr-defined]


def _flat(parts: tuple[Any, ...]) -> list[Any]:
    found: list[Any] = []
    for part in parts:
        if isinstance(part, Block):
            found += part.numbers()
        elif getattr(part, "ndim", 0):
            found += list(part.reshape(-1))
        else:
            found.append(part)
    return found


def _sum(*parts: Any) -> Any:
    whole: Any = 0.0
    for value in _flat(parts):
        whole = whole + value
    return whole


def _middle(values: list[Any]) -> Any:
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _power(base: Any, exponent: Any) -> Any:
    base, exponent = _array(base), _array(exponent)
    if isinstance(base, float) and isinstance(exponent, float):
        return math.pow(base, exponent)
    return base**exponent


def functions(exp: Callable[[Any], Any], log: Any, tanh: Any, root: Any, where: Any, matrix: Any) -> dict[str, Any]:
    """The functions of a sheet over one kind of number."""

    def chosen(condition: Any, yes: Any, no: Any = 0.0) -> Any:
        if getattr(condition, "ndim", 0):
            return where(condition, _array(yes), _array(no))
        return yes if bool(condition) else no

    def sumproduct(*parts: Any) -> Any:
        whole: Any = 1.0
        shapes = {tuple(_array(part).shape) for part in parts}
        if len(shapes) > 1:
            raise Fault("#VALUE!")
        for part in parts:
            whole = whole * _array(part)
        return whole.sum()

    def compare(sign: str) -> Callable[[Any, Any], Any]:
        methods = {"=": "__eq__", "<>": "__ne__", "<": "__lt__", ">": "__gt__", "<=": "__le__", ">=": "__ge__"}
        return lambda a, b: getattr(_array(a), methods[sign])(_array(b))

    return {
        "EXP": lambda v: exp(_array(v)),
        "LN": lambda v: log(_array(v)),
        "TANH": lambda v: tanh(_array(v)),
        "SQRT": lambda v: root(_array(v)),
        "ROUND": lambda v, places: math.copysign(math.floor(abs(v) * 10**places + 0.5) / 10**places, v),
        "INDEX": lambda block, place: block.array.reshape(-1)[int(place) - 1],
        "ABS": lambda v: abs(_array(v)),
        "SIGN": lambda v: float(_array(v) > 0) - float(_array(v) < 0),
        "POWER": _power,
        "^": _power,
        "IF": chosen,
        "SUM": _sum,
        "AVERAGE": lambda *parts: _sum(*parts) / len(_flat(parts)),
        "COUNT": lambda *parts: float(len(_flat(parts))),
        "MAX": lambda *parts: max(_flat(parts)),
        "MIN": lambda *parts: min(_flat(parts)),
        "MEDIAN": lambda *parts: _middle(sorted(_flat(parts))),
        "SUMSQ": lambda *parts: _sum(*[v * v for v in _flat(parts)]),
        "SUMPRODUCT": sumproduct,
        "MMULT": lambda a, b: matrix(_array(a), _array(b)),
        "TRANSPOSE": lambda a: _array(a).T if getattr(_array(a), "ndim", 0) else a,
    } | {sign: compare(sign) for sign in ("=", "<>", "<", ">", "<=", ">=")}


def _any(scalar: Callable[[float], float], many: Any) -> Callable[[Any], Any]:
    return lambda v: many(v) if isinstance(v, np.ndarray) else scalar(v)


FLOATS = functions(
    _any(math.exp, np.exp),
    _any(math.log, np.log),
    _any(math.tanh, np.tanh),
    _any(math.sqrt, np.sqrt),
    np.where,
    np.matmul,
)
Cells = Mapping[Address, float | str]
Arrays = Mapping[tuple[Address, Address], str]


class Sheets:
    """The values of a workbook's cells, computed when asked for; an error is NaN. `given`: values not to compute."""

    def __init__(
        self,
        titles: tuple[str, ...],
        cells: Cells,
        arrays: Arrays,
        given: dict[Address, Any] | None = None,
        maths: dict[str, Any] | None = None,
        stack: Callable[[list[Any], tuple[int, int]], Any] | None = None,
        names: Mapping[str, Address] | None = None,
    ) -> None:
        self.names = names or {}
        self.sheets = {title: index for index, title in enumerate(titles)}
        self.cells, self.maths = cells, maths or FLOATS
        self.known: dict[Address, Any] = dict(given or {})
        self.busy: set[Address] = set()
        self.stack = stack or (lambda values, shape: np.array(values, dtype=float).reshape(shape))
        self.member: dict[Address, tuple[Address, Address]] = {}
        self.arrays = arrays
        for first, last in arrays:
            for row in range(first.row, last.row + 1):
                for column in range(first.column, last.column + 1):
                    self.member[Address(first.sheet, row, column)] = (first, last)

    def value(self, address: Address) -> Any:
        """A number, NaN for an error, None for a blank cell, a text."""
        if address in self.known:
            return self.known[address]
        if address in self.member:
            self._array(*self.member[address])
            return self.known[address]
        held = self.cells.get(address)
        if isinstance(held, str) and held.startswith("="):
            if address in self.busy:
                raise Fault("circular")
            self.busy.add(address)
            found = self._computed(held, address.sheet)
            found = math.nan if getattr(found, "ndim", 0) else found  # a range where one number belongs
            self.busy.discard(address)
        else:
            found = held
        self.known[address] = found
        return found

    def _computed(self, formula: str, home: int) -> Any:
        def sheet(title: str) -> int:
            return self.sheets[title] if title else home

        def cell(title: str, row: int, column: int) -> Any:
            value = self.value(Address(sheet(title), row, column))
            if isinstance(value, str):
                raise Fault("#VALUE!")
            return 0.0 if value is None else value

        def block(title: str, row: int, column: int, last_row: int, last_column: int) -> Block:
            shape = (last_row - row + 1, last_column - column + 1)
            spots = [
                Address(sheet(title), r, c) for r in range(row, last_row + 1) for c in range(column, last_column + 1)
            ]
            values = [self.value(spot) for spot in spots]
            filled = [value is not None and not isinstance(value, str) for value in values]
            return Block(self.stack([v if ok else 0.0 for v, ok in zip(values, filled, strict=True)], shape), filled)

        try:
            known = {"c": cell, "r": block, "f": self.maths, "n": lambda name: self.value(self.names[name])}
            found = eval(compiled(formula), known)
        except (Fault, ZeroDivisionError, OverflowError, ValueError):
            return math.nan
        if isinstance(found, Block):
            found = found.array
        return float(found) if isinstance(found, bool | int | np.floating) else found

    def _array(self, first: Address, last: Address) -> None:
        if first in self.busy:
            raise Fault("circular")
        self.busy.add(first)
        found = self._computed(self.arrays[first, last], first.sheet)
        self.busy.discard(first)
        shape = getattr(found, "shape", ())
        for row in range(first.row, last.row + 1):
            for column in range(first.column, last.column + 1):
                r, c = row - first.row, column - first.column
                value = found
                if len(shape) == 2:
                    fits = (r < shape[0] or shape[0] == 1) and (c < shape[1] or shape[1] == 1)
                    value = found[r if shape[0] > 1 else 0, c if shape[1] > 1 else 0] if fits else math.nan
                if isinstance(value, np.floating):
                    value = float(value)
                self.known[Address(first.sheet, row, column)] = value

    def all(self) -> dict[Address, Any]:
        """Every cell with a formula."""
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
        spots = [at for at, held in self.cells.items() if isinstance(held, str) and held.startswith("=")]
        return {at: self.value(at) for at in [*spots, *self.member]}
