"""Mathematics as typeset: LaTeX, and MathML that browsers show without a network.

>>> from tinyproof.backprop.expr import Var
>>> print(latex(Var("dE/dw5") * (1 - Var("a_h1"))))
\\frac{\\partial E}{\\partial w_{5}} \\left(1-a_{h1}\\right)
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from tinyproof.backprop.expr import Call, Expr, Num
from tinyproof.backprop.notation import ATOM, GREEK, POWER, PRODUCT, SIGN, SUM, Writer, Written, number

_GREEK = {
    "learning_rate": r"\eta", "momentum": r"\mu", "alpha": r"\alpha", "beta1": r"\beta_{1}", "beta2": r"\beta_{2}",
    "eps": r"\varepsilon",
}  # fmt: skip
_NAME = re.compile(r"(?P<base>[A-Za-z]+?)(?:_(?P<word>[A-Za-z]\w*)|(?P<digits>\d[\d_]*))?(?:\[(?P<example>\d+)\])?")


def name_parts(name: str) -> tuple[str, str, str]:
    """A quantity's letter, its index and its example: `a_h1[2]` is ('a', 'h1', '2'), `h2_1` is ('h', '2,1', '').

    >>> name_parts("E_total")
    ('E', 'total', '')
    """
    found = _NAME.fullmatch(name)
    if not found:
        return name, "", ""
    index = (found["word"] or found["digits"] or "").replace("_", ",")
    return found["base"], index, found["example"] or ""


def gradient_parts(name: str) -> tuple[str, str] | None:
    """`dE/dw5` is ('E', 'w5'); None for what is no gradient."""
    top, slash, bottom = name.partition("/")
    return (top[1:], bottom[1:]) if slash and top[:1] == "d" and bottom[:1] == "d" else None


class LaTeX(Writer):
    """LaTeX for mathematics mode; needs no package."""

    times, opening, closing, comma = " ", r"\left(", r"\right)", ", "
    functions: Mapping[str, str] = {
        "exp": r"\exp", "ln": r"\ln", "sigmoid": r"\sigma", "tanh": r"\tanh", "max": r"\max", "min": r"\min",
        "softplus": r"\operatorname{softplus}",
    }  # fmt: skip

    def name(self, name: str) -> str:
        gradient = gradient_parts(name)
        if gradient:
            return rf"\frac{{\partial {self.name(gradient[0])}}}{{\partial {self.name(gradient[1])}}}"
        if name in _GREEK:
            return _GREEK[name]
        base, index, example = name_parts(name)
        shown = base if len(base) == 1 else rf"\mathrm{{{base}}}"
        if index:
            shown += f"_{{{index}}}" if not index.isalpha() else rf"_{{\mathrm{{{index}}}}}"
        return shown + (f"^{{({example})}}" if example else "")

    def number(self, value: float) -> Written:
        digits, _, power = number(value).partition("e")
        shown = digits + (rf" \times 10^{{{int(power)}}}" if power else "")
        return shown, SIGN if value < 0 else PRODUCT if power else ATOM

    def write_mul(self, *args: Expr) -> Written:
        shown = [self.at(args[0], PRODUCT), *(self.at(arg, POWER) for arg in args[1:])]
        joined = shown[0]
        for before, after, arg in zip(args, shown[1:], args[1:], strict=False):
            between = r" \cdot " if isinstance(arg, Num) or isinstance(before, Num) else self.times
            joined += between + after
        return joined, PRODUCT

    def write_div(self, a: Expr, b: Expr) -> Written:
        return rf"\frac{{{self(a)}}}{{{self(b)}}}", POWER

    def write_pow(self, a: Expr, b: Expr) -> Written:
        base = self.base(a)
        return (f"{{{base}}}" if "^" in base else base) + f"^{{{self(b)}}}", POWER  # two superscripts are an error

    def write_sqrt(self, a: Expr) -> Written:
        return rf"\sqrt{{{self(a)}}}", ATOM

    def write_abs(self, a: Expr) -> Written:
        return rf"\left|{self(a)}\right|", ATOM

    def write_if(self, condition: Expr, a: Expr, b: Expr) -> Written:
        cases = rf"{self(a)} & {self(condition)} \\ {self(b)} & \text{{otherwise}}"
        return rf"\begin{{cases}} {cases} \end{{cases}}", ATOM

    def compare(self, sign: str, a: Expr, b: Expr) -> Written:
        return self.at(a, SUM) + {">=": r" \ge "}.get(sign, f" {sign} ") + self.at(b, SUM), 0


BREAK = "\x00"  # where a line may be broken


def _mo(sign: str) -> str:
    return f"<mo>{html.escape(sign)}</mo>"


class MathML(Writer):
    """Presentation MathML (MathML Core): the inside of a `<math>` element."""

    times, plus, minus, sign = _mo("·"), _mo("+"), _mo("−"), _mo("−")
    opening, closing, comma = "<mrow>" + _mo("("), _mo(")") + "</mrow>", _mo(",")
    functions: Mapping[str, str] = {
        key: f"<mi>{shown}</mi>"
        for key, shown in {
            "exp": "exp", "ln": "ln", "sigmoid": "σ", "tanh": "tanh", "max": "max", "min": "min", "softplus": "softplus"
        }.items()
    }  # fmt: skip

    def group(self, inner: str) -> str:
        if "<mfrac>" in inner:
            return super().group(inner)
        still = '<mo stretchy="false">'  # or a browser draws brackets round h_1 twice as high as the line
        return f"<mrow>{still}(</mo>{inner}{still})</mo></mrow>"

    def number(self, value: float) -> Written:
        digits, _, power = number(abs(value)).partition("e")
        shown = f"<mn>{digits}</mn>"
        if power:
            sign = _mo("−") if int(power) < 0 else ""
            shown += f"{_mo('×')}<msup><mn>10</mn><mrow>{sign}<mn>{abs(int(power))}</mn></mrow></msup>"
        return (_mo("−") if value < 0 else "") + shown, SIGN if value < 0 else PRODUCT if power else ATOM

    def name(self, name: str) -> str:
        gradient = gradient_parts(name)
        if gradient:
            top, bottom = (f"<mrow><mo>∂</mo>{self.name(part)}</mrow>" for part in gradient)
            return f"<mfrac>{top}{bottom}</mfrac>"
        if name in GREEK:
            letter, index = GREEK[name][0], GREEK[name][1:]
            return f"<msub><mi>{letter}</mi><mn>{index}</mn></msub>" if index else f"<mi>{letter}</mi>"
        base, index, example = (html.escape(part) for part in name_parts(name))
        sub, sup = f"<mi>{index}</mi>", f"<mrow><mo>(</mo><mn>{example}</mn><mo>)</mo></mrow>"
        if index and example:
            return f"<msubsup><mi>{base}</mi>{sub}{sup}</msubsup>"
        if example:
            return f"<msup><mi>{base}</mi>{sup}</msup>"
        return f"<msub><mi>{base}</mi>{sub}</msub>" if index else f"<mi>{base}</mi>"

    def write_div(self, a: Expr, b: Expr) -> Written:
        return f"<mfrac><mrow>{self(a)}</mrow><mrow>{self(b)}</mrow></mfrac>", ATOM

    def write_pow(self, a: Expr, b: Expr) -> Written:
        return f"<msup><mrow>{self.base(a)}</mrow><mrow>{self(b)}</mrow></msup>", POWER

    def write_sqrt(self, a: Expr) -> Written:
        return f"<msqrt>{self(a)}</msqrt>", ATOM

    def write_abs(self, a: Expr) -> Written:
        return f"{_mo('|')}{self(a)}{_mo('|')}", ATOM

    def write_if(self, condition: Expr, a: Expr, b: Expr) -> Written:
        row = "<mtr><mtd>{}</mtd><mtd>{}</mtd></mtr>"
        table = row.format(self(a), "<mtext>if&#160;</mtext>" + self(condition)) + row.format(
            self(b), "<mtext>otherwise</mtext>"
        )
        return f"<mrow>{_mo('{')}<mtable>{table}</mtable></mrow>", ATOM

    def compare(self, sign: str, a: Expr, b: Expr) -> Written:
        return self.at(a, SUM) + _mo({">=": "≥"}.get(sign, sign)) + self.at(b, SUM), 0


class BreakableMathML(MathML):
    """MathML in pieces that a line may be broken between: after a sum's or a product's sign, not inside of a fraction,
    a power or a function. `pieces` gives them; brackets then stay as low as a line."""

    times, plus, minus = (_mo(sign) + BREAK for sign in "·+−")

    def pieces(self, expr: Expr) -> list[str]:
        """Each the inside of a `<math>` element; one after the other they are the expression."""
        return self(expr).split(BREAK)

    def group(self, inner: str) -> str:
        if "<mfrac>" in inner:
            return super().group(_whole(inner))
        still = '<mo stretchy="false">'
        return f"{still}(</mo>{inner}{still})</mo>"

    def function(self, name: str, *args: str) -> str:
        return _whole(super().function(name, *args))

    def write(self, expr: Expr) -> Written:
        shown, precedence = super().write(expr)
        kept = isinstance(expr, Call) and expr.function in ("add", "sub", "mul", "neg")
        return shown if kept else _whole(shown), precedence


def _whole(shown: str) -> str:
    return shown.replace(BREAK, "")


def latex(expr: Expr) -> str:
    """LaTeX, for mathematics mode."""
    return LaTeX()(expr)


def mathml(expr: Expr) -> str:
    """A whole `<math>` element."""
    return f"<math><mrow>{MathML()(expr)}</mrow></math>"
