"""Right workbooks over many layouts, made without any code of the audit: formulas as text, values by Python itself.

A `Sheet` is a dictionary of cells. `calculate` gives their numbers: it rewrites each formula into a Python expression
and evaluates that, so neither the audit's reader nor its arithmetic is involved.
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

Cells = dict[tuple[int, int], "str | float"]  # (row, column) from 1


def name(row: int, col: int) -> str:
    return f"{xl_col_to_name(col - 1)}{row}"


@dataclass
class Plan:
    """One layout: the network, how it is written and where it stands."""

    inputs: int = 2
    hidden: int = 2
    outputs: int = 2
    bias: str = "none"  # none, trained, outside
    act_h: str = "sigmoid"
    act_o: str = "sigmoid"
    loss: str = "half"
    order: str = "course"
    heads: str = "a"
    helpers: bool = False
    row: int = 5
    col: int = 1
    rows: int = 8
    rate: float = 0.5
    label: str = "η ="
    spaced: bool = False
    style: int = 0
    givens_outside: bool = False
    sheet: str = "Sheet1"


@dataclass
class Sheet:
    """A training table: its cells, the column of every quantity, and where the rate stands."""

    plan: Plan
    cells: Cells = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    first: int = 0
    rate: tuple[int, int] = (0, 0)
    labels: Cells = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)
    into: dict[str, tuple[str, str]] = field(default_factory=dict)  # weight -> (unit, source)

    @property
    def last(self) -> int:
        return self.first + self.plan.rows - 1

    @property
    def rate_cell(self) -> str:
        row, col = self.rate
        return f"${xl_col_to_name(col - 1)}${row}"

    def ref(self, quantity: str, row: int) -> str:
        return name(row, self.at[quantity])


def random_plan(rng: random.Random, rows: tuple[int, int] = (6, 12)) -> Plan:
    """A layout: half of them the course's network, as out there; the others vary everything."""
    plan = Plan(
        order=rng.choice(["course", "inputs first", "weights first", "grouped", "gradients first"]),
        heads=rng.choice("abcdefg"),
        helpers=rng.random() < 0.25,
        row=rng.randint(3, 40),
        col=rng.choice([1, 1, 2, 4]),
        rows=rng.randint(*rows),
        rate=rng.choice([0.1, 0.2, 0.5, 0.8, 1.0, 2.0]),
        label=rng.choice(["η =", "Learning Rate", "L.R", "eta", "n =", "ɳ", "lr="]),
        spaced=rng.random() < 0.3,
        style=rng.randint(0, 3),
        givens_outside=rng.random() < 0.15,
    )
    if rng.random() < 0.5:
        plan.inputs, plan.hidden, plan.outputs = rng.choice(
            [(2, 3, 2), (3, 2, 2), (2, 2, 1), (3, 3, 1), (2, 2, 3), (1, 2, 1)]
        )
        plan.bias = rng.choice(["none", "trained", "outside"])
        plan.act_h = rng.choice(["sigmoid", "tanh", "relu", "leaky"])
        plan.act_o = rng.choice(["sigmoid", "sigmoid", "tanh", "identity"])
        plan.loss = (
            rng.choice(["half", "squared", "half", "entropy"])
            if plan.act_o == "sigmoid"
            else rng.choice(["half", "squared"])
        )
    return plan


def make(plan: Plan, rng: random.Random) -> Sheet:
    """The right sheet for a plan."""
    sheet = Sheet(plan)
    _columns(sheet)
    _heads(sheet)
    sheet.first = plan.row + 1
    label = (plan.row - 2, plan.col + rng.randint(0, 4))
    sheet.rate = (label[0], label[1] + 1)
    sheet.cells[label] = plan.label
    sheet.cells[sheet.rate] = plan.rate
    for position in range(plan.rows):
        _row(sheet, sheet.first + position, position == 0, rng)
    return sheet


def _columns(sheet: Sheet) -> None:
    p = sheet.plan
    ins, outs = range(1, p.inputs + 1), range(1, p.outputs + 1)
    number = 0
    for k in range(1, p.hidden + 1):
        for j in ins:
            number += 1
            sheet.into[f"w{number}"] = f"h{k}", f"i{j}"
    first_layer = number
    for k in outs:
        for j in range(1, p.hidden + 1):
            number += 1
            sheet.into[f"w{number}"] = f"o{k}", f"a_h{j}"
    weights = list(sheet.into)
    biases = [f"b{k}" for k in range(1, p.hidden + p.outputs + 1)] if p.bias == "trained" else []
    sheet.weights = weights + biases
    given = [[f"t{k}" for k in outs], [f"i{j}" for j in ins]]
    hidden = [q for k in range(1, p.hidden + 1) for q in (f"h{k}", f"a_h{k}")]
    output = [q for k in outs for q in (f"o{k}", f"a_o{k}")]
    losses = [*(f"E{k}" for k in outs), "E_total"]
    slopes = [f"dE/d{w}" for w in sheet.weights]
    helpers = [f"dE/do{k}" for k in outs] + [f"dE/dh{k}" for k in range(1, p.hidden + 1)] if p.helpers else []
    w1, w2 = weights[:first_layer], weights[first_layer:]
    b1, b2 = biases[: p.hidden], biases[p.hidden :]
    orders = {
        "course": [*given[0], *given[1], *w1, *b1, *hidden, *w2, *b2, *output, *losses, *slopes, *helpers],
        "inputs first": [*given[1], *given[0], *w1, *b1, *w2, *b2, *hidden, *output, *losses, *helpers, *slopes],
        "weights first": [*w1, *w2, *b1, *b2, *given[1], *given[0], *hidden, *output, *losses, *slopes, *helpers],
        "grouped": [
            *given[0], *given[1], *w1, *b1, *sorted(hidden, key=lambda q: q.startswith("a")), *w2, *b2,
            *sorted(output, key=lambda q: q.startswith("a")), *losses, *helpers, *slopes,
        ],
        "gradients first": [*given[1], *given[0], *slopes, *helpers, *w1, *b1, *w2, *b2, *hidden, *output, *losses],
    }  # fmt: skip
    for offset, quantity in enumerate(orders[p.order]):
        sheet.at[quantity] = p.col + offset


def head(style: str, q: str) -> str:
    """A heading as people write it."""
    if q.startswith("dE/d"):
        of = q[4:]
        if of[0] in "oh":
            return {"a": f"∂E/∂{of}", "b": f"dE/d{of}", "c": f"δE_total/δ{of}"}.get(style, f"∂E/∂{of}")
        return {
            "a": f"∂E/∂{of}", "b": f"𝟃E/𝟃{of}", "c": f"δE_total/δ{of}", "d": f"E∂{of}", "e": f"Ed{of}",
            "f": f"dE_total / d{of}",
            "g": f"∂E_T/∂{of}".upper().replace("∂E_T", "∂E_T"),
        }[style]  # fmt: skip
    if q.startswith("a_"):
        return {"a": q, "b": q.replace("a_", "out_"), "c": q.replace("a_", "act_"), "g": q.upper()}.get(style, q)
    if q == "E_total":
        return {
            "a": "E_tot",
            "b": "E_total",
            "c": "Etotal",
            "d": "E_T",
            "e": "E Total",
            "f": "E_Total",
            "g": "E_TOTAL",
        }[style]
    return q.upper() if style == "g" else q


def _heads(sheet: Sheet) -> None:
    for quantity, col in sheet.at.items():
        sheet.cells[sheet.plan.row, col] = head(sheet.plan.heads, quantity)


def _row(sheet: Sheet, row: int, first: bool, rng: random.Random) -> None:
    p, cells = sheet.plan, sheet.cells

    def put(quantity: str, text: str | float) -> None:
        if isinstance(text, str) and p.spaced:
            text = re.sub(r"([*+])", r" \1 ", text)
        cells[row, sheet.at[quantity]] = "=" + text if isinstance(text, str) else text

    starts = [0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55, 0.35, 0.6, 0.65, 0.1, 0.7, 0.12, 0.33, 0.41, 0.52, 0.61, 0.28]
    given = {"i1": 0.05, "i2": 0.1, "i3": 0.6, "t1": 0.01, "t2": 0.99, "t3": 0.5}
    if p.style == 3:
        given |= {"t1": 0.5, "t2": 0.5}
    for quantity, number in given.items():
        if quantity in sheet.at:
            if p.givens_outside:
                where = (1, 30 + list(given).index(quantity))
                cells[where] = number
                put(quantity, f"${xl_col_to_name(where[1] - 1)}$1")
            else:
                put(quantity, number)
    for position, weight in enumerate(sheet.weights):
        if first:
            put(weight, starts[position % len(starts)])
        else:
            put(weight, update(sheet, weight, row))
    for quantity in sheet.at:
        if re.fullmatch(r"[ho]\d", quantity):
            put(quantity, net(sheet, quantity, row))
        elif quantity.startswith("a_"):
            put(quantity, act(sheet, quantity, row))
        elif re.fullmatch(r"E\d", quantity):
            put(quantity, loss(sheet, int(quantity[1:]), row))
        elif quantity == "E_total":
            put(quantity, "+".join(sheet.ref(f"E{k}", row) for k in range(1, p.outputs + 1)))
        elif quantity.startswith("dE/d"):
            put(quantity, slope(sheet, quantity[4:], row))


def update(sheet: Sheet, weight: str, row: int, rate: str | None = None) -> str:
    w, g = sheet.ref(weight, row - 1), sheet.ref(f"dE/d{weight}", row - 1)
    rate = rate or sheet.rate_cell
    return [f"{w}-{rate}*{g}", f"{w}-({rate}*{g})", f"{w}-{g}*{rate}", f"{w}-{rate}*{g}"][sheet.plan.style]


def net(sheet: Sheet, unit: str, row: int) -> str:
    p = sheet.plan
    terms = [(w, s) for w, (u, s) in sheet.into.items() if u == unit]
    ref = sheet.ref
    parts = [f"{ref(w, row)}*{ref(s, row)}" if p.style != 1 else f"({ref(s, row)}*{ref(w, row)})" for w, s in terms]
    if p.bias == "trained":
        number = int(unit[1:]) + (p.hidden if unit[0] == "o" else 0)
        parts.append(ref(f"b{number}", row))
    if p.bias == "outside":
        where = (2, 30 if unit[0] == "h" else 31)
        sheet.cells[where] = 0.35 if unit[0] == "h" else 0.6
        parts.append(f"${xl_col_to_name(where[1] - 1)}$2")
    return "+".join(parts)


def act(sheet: Sheet, quantity: str, row: int) -> str:
    x = sheet.ref(quantity[2:], row)
    kind = sheet.plan.act_h if quantity[2] == "h" else sheet.plan.act_o
    sigmoid = [f"1/(1+EXP(-{x}))", f"1/(1+EXP(-1*{x}))", f"(1/(1+EXP(-({x}))))", f"1/(1+EXP(-{x}))"]
    tanh = [f"TANH({x})", f"(EXP({x})-EXP(-{x}))/(EXP({x})+EXP(-{x}))", f"TANH({x})", f"2/(1+EXP(-2*{x}))-1"]
    return {
        "sigmoid": sigmoid[sheet.plan.style],
        "tanh": tanh[sheet.plan.style],
        "relu": f"MAX(0,{x})" if sheet.plan.style % 2 else f"IF({x}>0,{x},0)",
        "leaky": f"IF({x}>0,{x},0.01*{x})",
        "identity": x,
    }[kind]  # fmt: skip


def loss(sheet: Sheet, k: int, row: int, factor: str | None = None) -> str:
    t, a = sheet.ref(f"t{k}", row), sheet.ref(f"a_o{k}", row)
    kind = factor or sheet.plan.loss
    if kind == "half":
        return [f"0.5*({t}-{a})^2", f"1/2*({t}-{a})^2", f"POWER({t}-{a},2)/2", f"0.5*({a}-{t})^2"][sheet.plan.style]
    if kind == "squared":
        return f"({t}-{a})^2"
    return f"-({t}*LN({a})+(1-{t})*LN(1-{a}))"


def slope_o(sheet: Sheet, k: int, row: int) -> str:
    """dE/do_k written out."""
    t, a = sheet.ref(f"t{k}", row), sheet.ref(f"a_o{k}", row)
    own = {"half": f"({a}-{t})", "squared": f"2*({a}-{t})", "entropy": f"(({a}-{t})/({a}*(1-{a})))"}[sheet.plan.loss]
    return own + times_slope(sheet.plan.act_o, a)


def times_slope(kind: str, a: str) -> str:
    return {
        "sigmoid": f"*{a}*(1-{a})",
        "tanh": f"*(1-{a}^2)",
        "relu": f"*IF({a}>0,1,0)",
        "leaky": f"*IF({a}>0,1,0.01)",
        "identity": "",
    }[kind]


def slope_a_h(sheet: Sheet, j: int, row: int) -> str:
    """dE/da_h_j written out, in brackets."""
    terms = []
    for w, (unit, source) in sheet.into.items():
        if source == f"a_h{j}":
            back = sheet.ref(f"dE/do{unit[1:]}", row) if sheet.plan.helpers else slope_o(sheet, int(unit[1:]), row)
            terms.append(f"{back}*{sheet.ref(w, row)}")
    return "(" + "+".join(terms) + ")"


def slope(sheet: Sheet, of: str, row: int) -> str:
    """The right formula of a gradient (or helper) column."""
    p, ref = sheet.plan, sheet.ref
    if of[0] == "o":
        return slope_o(sheet, int(of[1:]), row)
    if of[0] == "h":
        return slope_a_h(sheet, int(of[1:]), row) + times_slope(p.act_h, ref(f"a_{of}", row))
    if of[0] == "b":
        number = int(of[1:])
        unit, source = (f"h{number}", "") if number <= p.hidden else (f"o{number - p.hidden}", "")
    else:
        unit, source = sheet.into[of]
    if p.helpers:
        back = ref(f"dE/d{unit}", row)
    elif unit[0] == "o":
        back = slope_o(sheet, int(unit[1:]), row)
    else:
        back = slope_a_h(sheet, int(unit[1:]), row) + times_slope(p.act_h, ref(f"a_{unit}", row))
    if not source:
        return back
    return f"{back}*{ref(source, row)}" if p.style != 2 or p.helpers else f"{ref(source, row)}*({back})"


# Numbers, by Python ---------------------------------------------------------------------------------------------------

_REF = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)(?![\d(])")


class Circular(Exception):
    pass


def calculate(cells: Cells) -> dict[tuple[int, int], float]:
    """The number of every cell; raises Circular where a formula depends on itself."""
    known: dict[tuple[int, int], float] = {}
    busy: set[tuple[int, int]] = set()

    def column(letters: str) -> int:
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        return number

    def cell(letters: str, digits: int) -> float:
        place = digits, column(letters)
        if place in known:
            return known[place]
        held = cells.get(place, 0.0)
        if not isinstance(held, str) or not held.startswith("="):
            known[place] = float(held) if not isinstance(held, str) else math.nan
            return known[place]
        if place in busy:
            raise Circular(name(*place))
        busy.add(place)
        text = _REF.sub(lambda m: f'cell("{m[1]}",{m[2]})', held[1:]).replace("^", "**")
        try:
            known[place] = float(eval(text, {"cell": cell, **_FUNCTIONS}))
        except (ArithmeticError, ValueError):  # a spreadsheet shows #NUM!
            known[place] = math.nan
        busy.discard(place)
        return known[place]

    for (row, col), held in sorted(cells.items()):
        if not isinstance(held, str) or held.startswith("="):
            cell(xl_col_to_name(col - 1), row)
    return known


def _ln(x: float) -> float:
    return math.log(x) if x > 0 else math.nan


_FUNCTIONS = {
    "EXP": math.exp, "TANH": math.tanh, "LN": _ln, "MAX": max, "POWER": pow, "ROUND": round,
    "IF": lambda c, a, b=0.0: a if c else b, "SQRT": math.sqrt, "__builtins__": {},
}  # fmt: skip


def write(
    path: Path,
    sheets: dict[str, Cells],
    *,
    values: dict[str, dict[tuple[int, int], float]] | None = None,
    charts: list[tuple[str, str, str]] = (),
) -> Path:  # type: ignore[assignment]
    """Write the sheets; `values`: what is cached (calculated here where None); `charts`: (sheet, range, title)."""
    book = xlsxwriter.Workbook(str(path), {"in_memory": True})
    for title, cells in sheets.items():
        page = book.add_worksheet(title)
        numbers = values[title] if values is not None and title in values else calculate(cells)
        for (row, col), held in cells.items():
            if isinstance(held, str) and held.startswith("="):
                number = numbers.get((row, col), 0.0)
                page.write_formula(row - 1, col - 1, held, None, number if math.isfinite(number) else "#NUM!")
            else:
                page.write(row - 1, col - 1, held)
        for on, cells_drawn, heading in charts:
            if on == title:
                chart = book.add_chart({"type": "line"})
                chart.add_series({"values": f"='{on}'!{cells_drawn}"})
                if heading:
                    chart.set_title({"name": heading})
                page.insert_chart(0, 60, chart)
    book.close()
    return path
