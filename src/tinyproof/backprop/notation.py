"""How an expression is written: plain text, mathematics, Excel, JavaScript (LaTeX and MathML: `mathematics`).

One writer walks the expression and sets the brackets; each language says how its pieces look. Precedences:
0 comparison, 1 sum, 2 product, 3 sign, 4 power, 5 a single thing.

>>> from tinyproof.backprop.expr import Var
>>> slope = (Var("a_o1") - Var("t1")) * Var("a_o1") * (1 - Var("a_o1"))
>>> print(text(slope))
(a_o1-t1)*a_o1*(1-a_o1)
>>> print(excel(slope, {"a_o1": "R5", "t1": "$A5"}))
(R5-$A5)*R5*(1-R5)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from tinyproof.backprop.expr import Call, Equation, Expr, Num, Var
from tinyproof.core.errors import InputError

Written = tuple[str, int]  # the text and its precedence
COMPARE, SUM, PRODUCT, SIGN, POWER, ATOM = range(6)
NAMES_OF_COMPARISONS = {"gt": ">", "ge": ">=", "eq": "="}


def number(value: float) -> str:
    """The shortest text that reads back as the same float; whole numbers without a point.

    >>> number(0.1), number(2.0)
    ('0.1', '2')
    """
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


class Writer:
    """Plain text as one types it: `1/2*(t1-a_o1)^2`. Other languages change the pieces."""

    times, plus, minus, over, sign = "*", "+", "-", "/", "-"
    opening, closing, comma = "(", ")", ","
    functions: Mapping[str, str] = {}

    def __call__(self, expr: Expr) -> str:
        return self.write(expr)[0]

    def at(self, expr: Expr, least: int) -> str:
        """`expr`, in brackets unless it binds at least that tightly."""
        shown, precedence = self.write(expr)
        return shown if precedence >= least else self.group(shown)

    def group(self, inner: str) -> str:
        return self.opening + inner + self.closing

    def write(self, expr: Expr) -> Written:
        if isinstance(expr, Num):
            return self.number(expr.value)
        if isinstance(expr, Var):
            return self.name(expr.name), ATOM
        assert isinstance(expr, Call)
        special = getattr(self, "write_" + expr.function, None)
        if special is not None:
            written: Written = special(*expr.args)
            return written
        return self.function(expr.function, *map(self, expr.args)), ATOM

    def number(self, value: float) -> Written:
        return number(value), SIGN if value < 0 else ATOM

    def name(self, name: str) -> str:
        return name

    def function(self, name: str, *args: str) -> str:
        return self.functions.get(name, name) + self.group(self.comma.join(args))

    def write_add(self, *args: Expr) -> Written:
        return self.plus.join([self.at(args[0], SUM), *map(self.unsigned, args[1:])]), SUM

    def write_sub(self, a: Expr, b: Expr) -> Written:
        return self.at(a, SUM) + self.minus + self.unsigned(b), SUM

    def write_mul(self, *args: Expr) -> Written:
        # A quotient that is not first keeps its brackets: a*(b/c) is not rounded like a*b/c.
        return self.times.join([self.at(args[0], PRODUCT), *(self.at(arg, POWER) for arg in args[1:])]), PRODUCT

    def write_div(self, a: Expr, b: Expr) -> Written:
        return self.at(a, PRODUCT) + self.over + self.at(b, POWER), PRODUCT

    def write_neg(self, a: Expr) -> Written:
        return self.sign + self.unsigned(a), SIGN

    def unsigned(self, expr: Expr) -> str:
        """A product or less, in brackets where it begins with a sign: `a--b` means something else in JavaScript."""
        shown = self.at(expr, PRODUCT)
        return self.group(shown) if shown.startswith(self.sign) else shown

    def write_pow(self, a: Expr, b: Expr) -> Written:
        return self.base(a) + "^" + self.at(b, ATOM), POWER

    def base(self, a: Expr) -> str:
        """What is raised to a power: a gradient, whose name is a fraction, in brackets."""
        shown = self.at(a, ATOM)
        return self.group(shown) if isinstance(a, Var) and "/" in a.name and not shown.startswith("(") else shown

    def write_gt(self, a: Expr, b: Expr) -> Written:
        return self.compare(">", a, b)

    def write_ge(self, a: Expr, b: Expr) -> Written:
        return self.compare(">=", a, b)

    def write_eq(self, a: Expr, b: Expr) -> Written:
        return self.compare("=", a, b)

    def compare(self, sign: str, a: Expr, b: Expr) -> Written:
        return self.at(a, SUM) + sign + self.at(b, SUM), COMPARE

    def write_softmax(self, which: Expr, *logits: Expr) -> Written:
        assert isinstance(which, Num)
        powers = [Call("exp", (logit,)) for logit in logits]
        return self.write(powers[int(which.value) - 1] / Call("add", tuple(powers)))


GREEK = {"learning_rate": "η", "momentum": "μ", "alpha": "α", "beta1": "β1", "beta2": "β2", "eps": "ε"}


class Unicode(Writer):
    """Mathematics in a terminal: `½·(t1 − a_o1)²`, `σ(h1)`, `∂E/∂w5`."""

    times, plus, minus, comma, sign = "·", " + ", " − ", ", ", "−"
    functions: Mapping[str, str] = {"sigmoid": "σ", "sqrt": "√"}

    def name(self, name: str) -> str:
        return GREEK.get(name, partial_signs(name))

    def number(self, value: float) -> Written:
        shown, precedence = super().number(value)
        return shown.replace("-", "−"), precedence

    def write_pow(self, a: Expr, b: Expr) -> Written:
        if b == Num(2.0):
            shown = self.base(a)
            return (
                self.group(shown) if isinstance(a, Num) and "e" in shown[1:] and a.value > 0 else shown
            ) + "²", POWER
        return super().write_pow(a, b)

    def write_mul(self, *args: Expr) -> Written:
        if args[0] == Num(1.0) / Num(2.0):
            return self.times.join(["½", *(self.at(arg, POWER) for arg in args[1:])]), PRODUCT
        return super().write_mul(*args)

    def write_if(self, condition: Expr, a: Expr, b: Expr) -> Written:
        return self.group(f"{self(a)} if {self(condition)} else {self(b)}"), ATOM


def partial_signs(name: str) -> str:
    """A gradient's name with the sign of the partial derivative.

    >>> partial_signs("dE/dw5")
    '∂E/∂w5'
    """
    top, slash, bottom = name.partition("/")
    return f"∂{top[1:]}/∂{bottom[1:]}" if slash and top[:1] == "d" and bottom[:1] == "d" else name


class Excel(Writer):
    """A formula without its `=`; `cells` gives the cell (or defined name) of every quantity."""

    functions: Mapping[str, str] = {
        "exp": "EXP", "ln": "LN", "sqrt": "SQRT", "abs": "ABS", "tanh": "TANH", "max": "MAX", "min": "MIN", "if": "IF"
    }  # fmt: skip

    def __init__(self, cells: Mapping[str, str] | Callable[[str], str]) -> None:
        self.cells = cells

    def base(self, a: Expr) -> str:
        return self.at(a, ATOM)  # a cell

    def name(self, name: str) -> str:
        if callable(self.cells):
            return self.cells(name)
        if name not in self.cells:
            raise InputError("name", name, "a name that has a cell: " + ", ".join(sorted(self.cells)[:20]))
        return self.cells[name]

    def write_neg(self, a: Expr) -> Written:
        # In Excel a sign binds tighter than a power: -A1^2 is (-A1)^2, so the power needs its brackets.
        powered = any(isinstance(part, Call) and part.function == "pow" for part in (a, *_first_factors(a)))
        return "-" + (self.group(self(a)) if powered else self.unsigned(a)), SIGN

    def compare(self, sign: str, a: Expr, b: Expr) -> Written:
        return f"IF({self.at(a, SUM)}{sign}{self.at(b, SUM)},1,0)", ATOM

    def write_if(self, condition: Expr, a: Expr, b: Expr) -> Written:
        if isinstance(condition, Call) and condition.function in NAMES_OF_COMPARISONS:
            left, right = (self.at(arg, SUM) for arg in condition.args)
            test = left + NAMES_OF_COMPARISONS[condition.function] + right
        else:
            test = self.at(condition, SUM) + "<>0"
        return f"IF({test},{self(a)},{self(b)})", ATOM

    def write_sigmoid(self, a: Expr) -> Written:
        return f"1/(1+EXP({self(-a)}))", PRODUCT

    def write_softplus(self, a: Expr) -> Written:
        return f"LN(1+EXP({self(a)}))", ATOM


def _first_factors(expr: Expr) -> list[Expr]:
    """What stands at the very left of a product or quotient, from the outside in."""
    found = []
    while isinstance(expr, Call) and expr.function in ("mul", "div"):
        expr = expr.args[0]
        found.append(expr)
    return found


class JavaScript(Writer):
    """An expression of JavaScript that needs the functions of JAVASCRIPT_FUNCTIONS; `name` spells a quantity."""

    functions: Mapping[str, str] = {
        "exp": "Math.exp", "ln": "Math.log", "sqrt": "Math.sqrt", "abs": "Math.abs", "tanh": "Math.tanh",
        "max": "Math.max", "min": "Math.min",
    }  # fmt: skip

    def __init__(self, name: Callable[[str], str]) -> None:
        self.spell = name

    def name(self, name: str) -> str:
        return self.spell(name)

    def write_pow(self, a: Expr, b: Expr) -> Written:
        # Always a call: `-a ** b` is a syntax error in JavaScript.
        return f"Math.pow({self(a)},{self(b)})", ATOM

    def compare(self, sign: str, a: Expr, b: Expr) -> Written:
        return f"({self.at(a, SUM)}{'===' if sign == '=' else sign}{self.at(b, SUM)}?1:0)", ATOM

    def write_if(self, condition: Expr, a: Expr, b: Expr) -> Written:
        return f"({self(condition)}?{self(a)}:{self(b)})", ATOM

    def write_softmax(self, which: Expr, *logits: Expr) -> Written:
        return f"softmax({','.join(map(self, (which, *logits)))})", ATOM


# The same arithmetic as expr.FUNCTIONS, so that the page overflows nowhere the trace does not.
JAVASCRIPT_FUNCTIONS = """\
function sigmoid(x){const e=Math.exp(-Math.abs(x));return x>=0?1/(1+e):e/(1+e);}
function softplus(x){return Math.max(x,0)+Math.log1p(Math.exp(-Math.abs(x)));}
function softmax(k,...x){const m=Math.max(...x);let s=0;for(const y of x)s+=Math.exp(y-m);return Math.exp(x[k-1]-m)/s;}
"""


def text(expr: Expr) -> str:
    """Plain text, as one types it: `1/2*(t1-a_o1)^2`."""
    return Writer()(expr)


def unicode(expr: Expr) -> str:
    """Mathematics in a terminal: `½·(t1 − a_o1)²`."""
    return Unicode()(expr)


def excel(expr: Expr, cells: Mapping[str, str] | Callable[[str], str]) -> str:
    """An Excel formula without its `=`. Raises InputError for a name without a cell."""
    return Excel(cells)(expr)


def javascript(expr: Expr, name: Callable[[str], str] | None = None) -> str:
    """A JavaScript expression; a quantity is `v["a_h1"]` unless `name` spells it otherwise."""
    return JavaScript(name or (lambda quantity: f"v[{json.dumps(quantity)}]"))(expr)


def javascript_lines(equations: Iterable[Equation]) -> str:
    """One assignment a line, in order: `v["h1"]=v["w1"]*v["i1"]+v["w2"]*v["i2"];`."""
    return "\n".join(f"v[{json.dumps(e.name)}]={javascript(e.expr)};" for e in equations)


def equation_text(equation: Equation) -> str:
    """`h1 = w1*i1+w2*i2`."""
    return f"{equation.name} = {text(equation.expr)}"
