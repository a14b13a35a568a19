"""Excel formulas read into Python code: `c(...)` for a cell, `r(...)` for a range, `f[...]` for a function."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<text>"[^"]*")
    |(?P<cell>(?:'[^']+'!|[^\W\d]\w*!)?\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)(?![\w(])
    |(?P<word>[A-Za-z_]\w*)(?![\w(!])
    |(?P<name>[A-Z][A-Z0-9.]*)\s*\(
    |(?P<sign><>|<=|>=|[-+*/^(),=<>]))""",
    re.VERBOSE,
)
BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "+": 2, "-": 2, "*": 3, "/": 3, "^": 4}
CELL = re.compile(r"(?:(?P<sheet>'[^']+'|\w+)!)?\$?([A-Z]+)\$?(\d+)(?::\$?([A-Z]+)\$?(\d+))?$")


class _Parser:
    """Turns a formula into Python source: `c(...)` for a cell, `r(...)` for a range, `f[...]` for functions."""

    def __init__(self, formula: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place = 1
        while place < len(formula.rstrip()):
            match = TOKEN.match(formula, place)
            if not match:
                raise ValueError(f"cannot read {formula!r} at {place}")
            self.tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            place = match.end()
        self.tokens.append(("end", ""))
        self.place = 0

    def take(self) -> tuple[str, str]:
        self.place += 1
        return self.tokens[self.place - 1]

    def expect(self, sign: str) -> None:
        if self.take()[1] != sign:
            raise ValueError(f"{sign} expected in {self.tokens}")

    def expression(self, lowest: int = 0) -> str:
        left = self.operand()
        while True:
            sign = self.tokens[self.place][1]
            strength = BINARY.get(sign, -1) if self.tokens[self.place][0] == "sign" else -1
            if strength <= lowest:
                return left
            self.take()
            right = self.expression(strength)
            if strength == 1:
                left = f"f['{sign}']({left},{right})"
            else:
                left = f"f['^']({left},{right})" if sign == "^" else f"({left}{sign}{right})"

    def operand(self) -> str:
        kind, text = self.take()
        if kind == "sign" and text in "+-":
            inside = self.operand()
            return f"(-{inside})" if text == "-" else inside
        if kind == "sign" and text == "(":
            inside = self.expression()
            self.expect(")")
            return inside
        if kind == "number":
            return repr(float(text))
        if kind == "text":
            return repr(text[1:-1])
        if kind == "cell":
            return _cell_source(text)
        if kind == "word":
            return f"n({text!r})"
        if kind == "name":
            return self.call(text)
        raise ValueError(f"{text!r} not expected in {self.tokens}")

    def call(self, name: str) -> str:
        parts = []
        while self.tokens[self.place][1] != ")":
            parts.append(self.expression())
            if self.tokens[self.place][1] == ",":
                self.take()
        self.expect(")")
        return f"f['{name}']({','.join(parts)})"


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _cell_source(text: str) -> str:
    match = CELL.match(text)
    if not match:
        raise ValueError(text)
    sheet = (match["sheet"] or "").strip("'")
    first = f"{sheet!r},{int(match[3]) - 1},{_column(match[2])}"
    return f"r({first},{int(match[5]) - 1},{_column(match[4])})" if match[4] else f"c({first})"


@cache
def compiled(formula: str) -> Any:
    """The code of a formula."""
    parser = _Parser(formula)
    source = parser.expression()
    if parser.take()[0] != "end":
        raise ValueError(f"cannot read {formula!r} to its end")
    return compile(source, formula, "eval")
