"""Excel text -> Expr: a worksheet formula read as mathematics (openpyxl's tokenizer underneath).

Precedence is Excel's: a unary minus binds tighter than `^` (so -2^2 is 4), `^` is left-associative, `%` is a postfix.
What is not known here (a function, an operator, an error value) is reported as not understood, never guessed.

Source: ECMA-376 part 1, 18.17 "Formulas".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from openpyxl.formula.tokenizer import Token, Tokenizer, TokenizerError

from tinyproof.backprop.expr import Call, Expr, Num, Var
from tinyproof.check.workbook.read.references import MAX_CHARACTERS, MAX_RANGE_CELLS, Ref, may_be_a_name, parse_cell
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood, Range, Value, apply, operate, single
from tinyproof.core.errors import one_line

MAX_DEPTH = 60
MAX_LEVELS = 200  # of the expression: everything that walks it recursively stays far below Python's limit
_GOOGLE = re.compile(r'IFERROR\(__xludf\.DUMMYFUNCTION\("(?P<formula>(?:[^"]|"")*)"\)\s*,.*\)', re.DOTALL)


@dataclass(frozen=True)
class Formula:
    """What a formula says: its expression over cells, and the cells by the name of their variable."""

    expr: Expr
    refs: Mapping[str, Ref] = field(default_factory=dict)


def parse(text: str, defined: Mapping[str, str] | None = None) -> Formula:
    """Read `text` (with or without the leading `=`). `defined`: defined names in lower case and what they stand for.

    Raises NotUnderstood.

    >>> parse("=E33-$G$31*X33").refs["G31"].row_fixed
    True
    """
    reader = Reader(text, defined)
    whole = single(reader.value)
    refuse_deep(whole)
    return Formula(whole, reader.refs)


def tokens_of(text: str) -> list[Token]:
    """The words of a formula, blanks left out. Raises NotUnderstood."""
    body = text[1:] if text.startswith("=") else text
    google = _GOOGLE.fullmatch(body)
    if google:  # Google Sheets keeps a function that Excel has not as a text, and beside it the number it gave
        body = google["formula"].replace('""', '"')
    if len(body) > MAX_CHARACTERS:
        raise NotUnderstood(f"the formula is longer than {MAX_CHARACTERS:,} characters")
    try:
        return [token for token in Tokenizer("=" + body).items if token.type != Token.WSPACE]
    except (TokenizerError, IndexError, ValueError) as error:
        raise NotUnderstood(f"the formula cannot be read: {one_line(str(error), 80)}") from error


def refuse_deep(expr: Expr) -> None:
    """Everything that walks an expression recursively stays far below Python's limit. Raises NotUnderstood."""
    if _levels(expr) > MAX_LEVELS:
        raise NotUnderstood(f"the formula has more than {MAX_LEVELS} steps one inside the other")


def _levels(expr: Expr) -> int:
    levels, layer = 0, [expr]
    while layer and levels <= MAX_LEVELS:
        levels += 1
        layer = [arg for node in layer if isinstance(node, Call) for arg in node.args]
    return levels


_BINARY = {"=": 1, "<>": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 5}


class Reader:
    """Precedence climbing over the words of a formula: `value`, over the cells of `refs`.

    A reader that knows more (functions of whole ranges, say) replaces what is done with the parts.
    """

    most_cells = MAX_RANGE_CELLS

    def __init__(self, text: str, defined: Mapping[str, str] | None = None) -> None:
        self.tokens, self.position, self.depth = tokens_of(text), 0, 0
        self.defined, self.refs = defined or {}, dict[str, Ref]()
        self.value = self.expression(0)
        if self.position != len(self.tokens):
            raise NotUnderstood(f"the formula cannot be read at {one_line(self.tokens[self.position].value, 40)!r}")

    # What is done with the parts ---------------------------------------------------------------------------------

    def each(self, function: Callable[[Expr], Expr], value: Value) -> Value:
        """A sign or a percentage."""
        return function(single(value))

    def operate(self, operator: str, left: Value, right: Value) -> Value:
        return operate(operator, left, right)

    def function(self, name: str, args: list[Value]) -> Value:
        return apply(name, args)

    def cell(self, ref: Ref) -> Var:
        known = self.refs.get(ref.name)
        if known is not None:  # the same cell twice: relative wherever one of them is
            fixed = known.row_fixed and ref.row_fixed, known.col_fixed and ref.col_fixed
            ref = Ref(ref.sheet, ref.row, ref.col, *fixed)
        self.refs[ref.name] = ref
        return Var(ref.name)

    def fixed(self, start: Ref, end: Ref, text: str) -> tuple[bool, bool]:
        """Which of the rows and columns of a range's cells are fixed."""
        return start.row_fixed and end.row_fixed, start.col_fixed and end.col_fixed

    def inside(self, meaning: str) -> tuple[Value, Mapping[str, Ref]]:
        """What a defined name stands for."""
        found = parse(meaning)
        return found.expr, found.refs

    # The grammar -------------------------------------------------------------------------------------------------

    def peek(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def expression(self, least: int) -> Value:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(f"the formula is nested more than {MAX_DEPTH} deep")
        left = self.operand()
        while (token := self.peek()) is not None:
            if token.type == Token.OP_POST:
                self.position += 1
                left = self.each(lambda x: x / Num(100.0), left)
                continue
            if token.type != Token.OP_IN or token.value not in _BINARY or _BINARY[token.value] <= least:
                break
            self.position += 1
            left = self.operate(token.value, left, self.expression(_BINARY[token.value]))
        self.depth -= 1
        return left

    def operand(self) -> Value:
        token = self.peek()
        if token is None:
            raise NotUnderstood("the formula ends too early")
        self.position += 1
        if token.type == Token.OP_PRE:
            inner = self.expression(5)  # tighter than ^: Excel reads -2^2 as (-2)^2
            return self.each((lambda x: -x) if token.value == "-" else (lambda x: x), inner)
        if token.type == Token.PAREN and token.subtype == Token.OPEN:
            value = self.expression(0)
            self.close(Token.PAREN)
            return value
        if token.type == Token.FUNC and token.subtype == Token.OPEN:
            name = token.value[:-1].upper().removeprefix("_XLFN.").removeprefix("_XLWS.")
            return self.function(name, self.arguments())
        if token.type == Token.OPERAND:
            return self.leaf(token)
        raise NotUnderstood(f"{one_line(token.value, 40)!r} stands where a value should be")

    def close(self, kind: str) -> None:
        token = self.peek()
        if token is None or token.type != kind or token.subtype != Token.CLOSE:
            raise NotUnderstood("a bracket is not closed")
        self.position += 1

    def arguments(self) -> list[Value]:
        args: list[Value] = []
        token = self.peek()
        while token is not None and not (token.type == Token.FUNC and token.subtype == Token.CLOSE):
            args.append(self.expression(0))
            token = self.peek()
            if token is not None and token.type == Token.SEP:
                self.position += 1
                token = self.peek()
        self.close(Token.FUNC)
        return args

    def leaf(self, token: Token) -> Value:
        if token.subtype == Token.NUMBER:
            return Num(float(token.value))
        if token.subtype == Token.LOGICAL:
            return Num(1.0 if token.value.upper() == "TRUE" else 0.0)
        if token.subtype == Token.RANGE:
            return self.reference(token.value)
        raise NotUnderstood(f"{one_line(token.value, 40)} is not a number")

    def reference(self, text: str) -> Value:
        sheet, mark, cells = text.rpartition("!")
        if mark and sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        if "[" in sheet or "[" in cells:
            raise NotUnderstood(f"{one_line(text, 60)} reads another file or a structured table")
        first, colon, last = cells.removesuffix("#").partition(":")
        start = parse_cell(first)
        if start is None:
            return self.named(text)
        if self.defined and text.lower() in self.defined and may_be_a_name(text):
            raise NotUnderstood(f"{one_line(text, 60)} is a cell, and a name that is defined")
        start = replace(start, sheet=sheet)
        if not colon:
            return self.cell(start)
        end = parse_cell(last)
        if end is None:
            raise NotUnderstood(f"{one_line(text, 60)} is not a range of cells")
        return self.range(start, end, text)

    def range(self, start: Ref, end: Ref, text: str) -> Value:
        rows = range(min(start.row, end.row), max(start.row, end.row) + 1)
        cols = range(min(start.col, end.col), max(start.col, end.col) + 1)
        if len(rows) * len(cols) > self.most_cells:
            raise NotUnderstood(f"{one_line(text, 60)} has more than {self.most_cells:,} cells")
        fixed = self.fixed(start, end, text)
        found = tuple(self.cell(Ref(start.sheet, row, col, *fixed)) for row in rows for col in cols)
        return Range(found, (len(rows), len(cols)))

    def named(self, text: str) -> Value:
        meaning = self.defined.get(text.lower())
        if meaning is None or text.lower() in meaning.lower():
            raise NotUnderstood(f"the name {one_line(text, 60)!r} is not defined")
        value, refs = self.inside(meaning)
        self.refs.update(refs)
        return value
