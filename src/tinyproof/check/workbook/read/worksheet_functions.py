"""What the operators and functions of a worksheet do, on expressions; ranges are lists of cells inside a function.

Not known here is not understood: ROUND, text, look-ups and the like are reported, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyproof.backprop.expr import Call, Expr, Num, call, total
from tinyproof.core.errors import TinyproofError, one_line


class NotUnderstood(TinyproofError):
    """The formula uses something this reader does not know; the message says what."""


@dataclass(frozen=True)
class Range:
    """Cells of a range in reading order; an argument of SUM, SUMPRODUCT and their like, never a value by itself."""

    cells: tuple[Expr, ...]
    shape: tuple[int, int]


Value = Expr | Range


def single(value: Value) -> Expr:
    """The one expression that a value is. Raises NotUnderstood for a range of several cells."""
    if isinstance(value, Range):
        if len(value.cells) == 1:
            return value.cells[0]
        raise NotUnderstood("a range stands where one number should be")
    return value


def operate(operator: str, left: Value, right: Value) -> Value:
    """A binary operator of the worksheet. Raises NotUnderstood."""
    if isinstance(left, Range) or isinstance(right, Range):
        return _elementwise(operator, left, right)
    if operator == "&":
        raise NotUnderstood("text is joined with &")
    if operator in ("<", "<=", "<>"):
        if operator == "<>":
            return 1 - call("eq", left, right)
        return call("gt" if operator == "<" else "ge", right, left)
    if operator in "+*":  # the operators of Expr: a chain of a thousand terms is one call, not a thousand deep
        return left + right if operator == "+" else left * right
    function = {"-": "sub", "/": "div", "^": "pow", "=": "eq", ">": "gt", ">=": "ge"}[operator]
    return call(function, left, right)


def _elementwise(operator: str, left: Value, right: Value) -> Range:
    """`A1:A3*B1:B3`, as it stands inside SUM or SUMPRODUCT."""
    shape = left.shape if isinstance(left, Range) else right.shape if isinstance(right, Range) else (1, 1)
    count = shape[0] * shape[1]
    if any(isinstance(side, Range) and side.shape != shape for side in (left, right)):
        raise NotUnderstood("two ranges of different shape are combined")
    a = left.cells if isinstance(left, Range) else (left,) * count
    b = right.cells if isinstance(right, Range) else (right,) * count
    return Range(tuple(single(operate(operator, x, y)) for x, y in zip(a, b, strict=True)), shape)


def _flat(args: Sequence[Value]) -> list[Expr]:
    return [cell for arg in args for cell in (arg.cells if isinstance(arg, Range) else (arg,))]


def apply(name: str, args: Sequence[Value]) -> Expr:
    """A function of the worksheet, its name in upper case. Raises NotUnderstood."""
    if name in _MANY:
        cells = _flat(args)
        if not cells:
            raise NotUnderstood(f"{name} has no argument")
        return _MANY[name](cells)
    if name in ("SUMPRODUCT", "SUMXMY2"):
        return _products(name, args)
    if name not in _FIXED:
        raise NotUnderstood(f"the function {one_line(name, 40)} is not known")
    counts, build = _FIXED[name]
    if len(args) not in counts:
        raise NotUnderstood(f"{name} has {len(args)} arguments")
    return build(*(single(arg) for arg in args))


def _products(name: str, args: Sequence[Value]) -> Expr:
    ranges = [arg if isinstance(arg, Range) else Range((arg,), (1, 1)) for arg in args]
    if not ranges or len({r.shape for r in ranges}) != 1 or (name == "SUMXMY2" and len(ranges) != 2):
        raise NotUnderstood(f"{name} has ranges of different shape")
    columns = zip(*(r.cells for r in ranges), strict=True)
    if name == "SUMXMY2":
        return total((a - b) ** Num(2.0) for a, b in columns)
    return total(_product(column) for column in columns)


def _product(cells: Sequence[Expr]) -> Expr:
    result = cells[0]
    for cell in cells[1:]:
        result = result * cell
    return result


def _log(x: Expr, base: Expr | None = None) -> Expr:
    return call("ln", x) / call("ln", base if base is not None else Num(10.0))


def _if(condition: Expr, then: Expr, otherwise: Expr | None = None) -> Expr:
    return call("if", condition, then, otherwise if otherwise is not None else Num(0.0))


def _truth(x: Expr) -> Expr:
    return call("if", x, Num(1.0), Num(0.0))


_MANY: dict[str, Callable[[list[Expr]], Expr]] = {
    "SUM": lambda cells: total(cells),
    "PRODUCT": _product,
    "AVERAGE": lambda cells: total(cells) / Num(float(len(cells))),
    "SUMSQ": lambda cells: total(cell ** Num(2.0) for cell in cells),
    "MAX": lambda cells: Call("max", tuple(cells)),
    "MIN": lambda cells: Call("min", tuple(cells)),
    "AND": lambda cells: _product([_truth(cell) for cell in cells]),
    "OR": lambda cells: _truth(total(_truth(cell) for cell in cells)),
}

_FIXED: dict[str, tuple[tuple[int, ...], Callable[..., Expr]]] = {
    "EXP": ((1,), lambda x: call("exp", x)),
    "LN": ((1,), lambda x: call("ln", x)),
    "LOG": ((1, 2), _log),
    "LOG10": ((1,), _log),
    "POWER": ((2,), lambda x, y: x**y),
    "SQRT": ((1,), lambda x: call("sqrt", x)),
    "ABS": ((1,), lambda x: call("abs", x)),
    "TANH": ((1,), lambda x: call("tanh", x)),
    "SINH": ((1,), lambda x: (call("exp", x) - call("exp", -x)) / Num(2.0)),
    "COSH": ((1,), lambda x: (call("exp", x) + call("exp", -x)) / Num(2.0)),
    "SECH": ((1,), lambda x: Num(2.0) / (call("exp", x) + call("exp", -x))),
    "SIGN": ((1,), lambda x: call("gt", x, 0.0) - call("gt", 0.0, x)),
    "PI": ((0,), lambda: Num(3.141592653589793)),
    "IF": ((2, 3), _if),
    "NOT": ((1,), lambda x: call("eq", x, 0.0)),
    "N": ((1,), lambda x: x),
    "ARRAYFORMULA": ((1,), lambda x: x),  # of one cell; a range of several is no single number
    "IFERROR": ((2,), lambda x, _otherwise: x),
    "TRUE": ((0,), lambda: Num(1.0)),
    "FALSE": ((0,), lambda: Num(0.0)),
}
