"""Excel text as mathematics: precedence and functions as Excel has them; what is not known is said, not guessed."""

from __future__ import annotations

import math

import pytest

from tinyproof.backprop.expr import Var, evaluate
from tinyproof.check.workbook.graph.formulas import parse_matrix
from tinyproof.check.workbook.graph.lookups import OwnPlace
from tinyproof.check.workbook.read.formula import parse
from tinyproof.check.workbook.read.worksheet_functions import NotUnderstood

CELLS = {"A1": 3.0, "A2": 4.0, "B1": 5.0, "B2": 6.0, "Sheet 2!C3": 7.0}

# What Excel and LibreOffice show for these formulas with A1=3, A2=4, B1=5, B2=6, 'Sheet 2'!C3=7.
KNOWN = {
    "=-2^2": 4.0,
    "=-A1^2": 9.0,
    "=1-2^2": -3.0,
    "=2^3^2": 64.0,
    "=2^-1": 0.5,
    "=--3": 3.0,
    "=+A1*2": 6.0,
    "=10%^2": 0.01,
    "=50%+1": 1.5,
    "=2-3-4": -5.0,
    "=8/4/2": 1.0,
    "=1/(1+EXP(-0))": 0.5,
    "=POWER(A1,2)+SQRT(A2)": 11.0,
    "=SUM(A1:B2)": 18.0,
    "=SUM(A1:A2,B1,1)": 13.0,
    "=SUMPRODUCT(A1:A2,B1:B2)": 39.0,
    "=SUMPRODUCT(A1:A2*B1:B2)": 39.0,
    "=SUMSQ(A1:A2)": 25.0,
    "=SUMXMY2(A1:A2,B1:B2)": 8.0,
    "=AVERAGE(A1:A2)": 3.5,
    "=PRODUCT(A1:A2)": 12.0,
    "=MAX(A1:A2,0)-MIN(A1,A2)": 1.0,
    "=IF(A1>A2,1,IF(A1<=3,2,3))": 2.0,
    "=IF(A1<>A2,10)": 10.0,
    "=LN(EXP(2))+LOG(100)+LOG10(10)+LOG(8,2)": 8.0,
    "=TANH(0.5)": math.tanh(0.5),
    "=ABS(-A1)+SIGN(-A2)": 2.0,
    "='Sheet 2'!C3*2": 14.0,
    "=$A$1+A$2+$B1": 12.0,
    "=_xlfn.SECH(0)": 1.0,
    "=AND(A1>0,A2>0)+OR(A1<0,A2<0)": 1.0,
    "= (A1 + A2) * B1": 35.0,
    "=eta*2": 6.0,
}

NOT_KNOWN = {
    "=FOO(1)": "the function FOO",
    '=A1&"x"': "not a number",
    "=(1+2": "bracket",
    "=#REF!+1": "#REF!",
    "=[1]Sheet!A1": "another file",
    "=A:A": "not defined",
    "=A1:A3*2": "a range",
    "=ROUND(A1,2)": "ROUND",
    "=1 2": "cannot be read",
    "=": "ends too early",
    "=" + "(" * 200 + "1" + ")" * 200: "nested",
    "=" + "1+" * 4000 + "1": None,
    "=" + "-(" * 90 + "1" + ")" * 90: "nested",
    "=" + "A1+" * 9000 + "1": "longer than",
    "=SUM(A1:XFD1048576)": "more than",
    "=IF(1,2,3,4)": "4 arguments",
}


@pytest.mark.parametrize("text", KNOWN)
def test_formula_has_the_value_that_excel_shows(text: str) -> None:
    formula = parse(text, {"eta": "Sheet1!$A$1"})
    values = {**CELLS, "Sheet1!A1": 3.0}
    assert evaluate(formula.expr, values) == pytest.approx(KNOWN[text], rel=1e-14)


@pytest.mark.parametrize("text", NOT_KNOWN, ids=lambda text: text[:25])
def test_what_is_not_known_is_said_and_never_guessed(text: str) -> None:
    words = NOT_KNOWN[text]
    if words is None:
        assert evaluate(parse(text).expr, {}) == 4001.0
        return
    with pytest.raises(NotUnderstood) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_dollars_are_kept_and_a_mixed_use_counts_as_loose() -> None:
    refs = parse("=E33-$G$31*X33+G31").refs
    assert not refs["G31"].row_fixed
    assert parse("=E33-$G$31*X33").refs["G31"].row_fixed
    assert parse("=B$29").refs["B29"].row_fixed
    assert not parse("=$G19").refs["G19"].row_fixed


# ------------------------------------------------------------------ places that a formula computes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("=INDEX(B:B,ROW()-2)", "=B5"),
        ("=INDEX($B:$B,ROW(B9),1)", "=B9"),
        ("=INDEX(A1:C9,COLUMN(),MOD(ROW(),4))", "=C4"),
        ("=INDEX(D:D,14+INT((ROW()-14)/8)*8)", "=D6"),
        ("=INDEX(D:D,QUOTIENT(ROW(),4)+ROUNDUP(ROW()/2,0))", "=D5"),
        ("=OFFSET(A1,ROW()-4,TRUNC(-1.5)+2)", "=B4"),
        ("=INDEX('S 2'!B:B,ROW())", "='S 2'!B7"),
    ],
)
def test_a_place_that_hangs_on_the_row_is_read_for_each_cell(text: str, says: str) -> None:
    with pytest.raises(OwnPlace):
        parse_matrix(text)
    found, plain = parse_matrix(text, at=(7, 4)), parse_matrix(says)
    ((cell,),), ((other,),) = found.rows, plain.rows
    assert isinstance(cell, Var)
    assert isinstance(other, Var)
    assert found.refs[cell.name].name == plain.refs[other.name].name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("=SUM(B:B)*ROW()", "SUM reads a whole column"),
        ("=B:B+1", "a whole column stands where one number should be"),
        ("=INDEX(B:B,0)", "INDEX looks outside its range"),
        ("=INDEX(B:B,ROW()^99)", "INDEX looks up a place that is calculated"),
        ("=INDEX(B:B,A1)", "INDEX looks up a place that is calculated"),
        ("=INDEX(B:B,MOD(ROW(),0))", "INDEX looks up a place that is calculated|MOD is not known"),
        ("=ROW(B1:B2)+0", "ROW does not say of which cell"),
    ],
)
def test_a_place_that_cannot_be_told_is_not_read(text: str, problem: str) -> None:
    with pytest.raises(NotUnderstood, match=problem):
        parse_matrix(text, at=(7, 4))
