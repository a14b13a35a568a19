"""Right workbooks broken in every kind. Python, not the audit, computes what each mutant changes."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.workbook.sheets import (
    Cells,
    Circular,
    Plan,
    Sheet,
    act,
    calculate,
    head,
    loss,
    make,
    name,
    net,
    random_plan,
    slope,
    update,
    write,
)
from xlsxwriter.utility import xl_col_to_name

Numbers = dict[tuple[int, int], float]


@dataclass
class Mutant:
    """A broken workbook: what is wrong with it, in which column, and by how much."""

    kind: str
    column: str
    cells: Cells
    sheet: Sheet
    words: str
    title: str = ""
    file: str = "submission.xlsx"
    cached: Numbers | None = None
    charts: list[tuple[str, str, str]] = field(default_factory=list)
    looks_only: bool = False  # a label, a heading, a chart: no number changes

    def write(self, folder: Path) -> Path:
        title = self.title or self.sheet.plan.sheet
        values = {title: self.cached if self.cached is not None else numbers(self.cells)}
        charts = [(title, cells, heading) for _, cells, heading in self.charts]
        return write(folder / self.file, {title: self.cells}, values=values, charts=charts)


def numbers(cells: Cells) -> Numbers:
    try:
        return calculate(cells)
    except Circular:
        return {}


def difference(mutant: Mutant) -> float:
    """The largest relative difference between the mutant and the right sheet, in any cell, both computed by Python.

    A mutant that is right today (a typed target, pasted values) is compared after every given number was changed.
    `inf` for a circular sheet.
    """
    right, broken = mutant.sheet.cells, mutant.cells
    try:
        worst = apart(calculate(right), mutant.cached or calculate(broken))
        if worst > 1e-9:
            return worst
        return apart(calculate(disturbed(right, mutant.sheet)), calculate(disturbed(broken, mutant.sheet)))
    except Circular:
        return math.inf


def apart(a: Numbers, b: Numbers) -> float:
    both = [(a[key], b[key]) for key in a if key in b]
    same = [(x, y) for x, y in both if math.isfinite(x) and math.isfinite(y)]
    return max((abs(x - y) / max(abs(x), abs(y), 1e-12) for x, y in same), default=0.0)


def disturbed(cells: Cells, sheet: Sheet) -> Cells:
    """The sheet with other targets, inputs, start weights and rate: what the author may do next."""
    changed = dict(cells)
    given = [(r, c) for q, c in sheet.at.items() if q[0] in "tiw" for r in range(sheet.first, sheet.last + 1)]
    for place in [*given, sheet.rate, *((1, c) for c in range(30, 40))]:
        held = changed.get(place)
        start = place[0] == sheet.first or place[1] not in {sheet.at[w] for w in sheet.weights}
        if isinstance(held, float) and start:
            changed[place] = held * 0.9 + 0.07
    return changed


# How to break one ----------------------------------------------------------------------------------------------------


def rows_of(sheet: Sheet, rng: random.Random, some: bool = False) -> list[int]:
    """All rows that can hold the formula, or only a few of them."""
    rows = list(range(sheet.first, sheet.last + 1))
    if some:
        start = rng.randint(1, len(rows) - 2)
        return rows[start : start + rng.choice([1, 1, 2])]
    return rows


def with_column(sheet: Sheet, quantity: str, rows: list[int], text: Callable[[int], str]) -> Cells:
    cells = dict(sheet.cells)
    for row in rows:
        cells[row, sheet.at[quantity]] = "=" + text(row)
    return cells


def swap_names(sheet: Sheet, text: str, row: int, old: str, new: str) -> str:
    return re.sub(rf"(?<![A-Z$]){re.escape(sheet.ref(old, row))}(?!\d)", sheet.ref(new, row), text)


def gradients_of(sheet: Sheet) -> list[str]:
    return [q for q in sheet.at if q.startswith("dE/dw")]


def wrong_gradient(sheet: Sheet, rng: random.Random) -> Mutant | None:
    quantity = rng.choice(gradients_of(sheet))
    way = rng.choice(
        ["act", "weight", "target", "source", "net", "sign", "lost factor", "product", "square", "extra", "wrong unit"]
    )
    p = sheet.plan

    def text(row: int) -> str:
        right = slope(sheet, quantity[4:], row)
        unit, source = sheet.into[quantity[4:]]
        other = rng_other(unit, p)
        pairs = {
            "act": (f"a_{unit}", f"a_{other}"),
            "weight": ("w5", "w6") if "w6" in sheet.at else ("w3", "w4"),
            "target": ("t1", "t2"),
            "source": (source, source[:-1] + ("2" if source.endswith("1") else "1")),
            "net": (f"a_{unit}", unit),
            "wrong unit": ("a_o1", "a_o2"),
        }
        if way in pairs:
            old, new = pairs[way]
            return swap_names(sheet, right, row, old, new) if old in sheet.at and new in sheet.at else right
        if way == "sign":
            return f"-({right})"
        if way == "lost factor":
            return (
                right.rsplit("*", 1)[0]
                if right.rsplit("*", 1)[0].count("(") == right.rsplit("*", 1)[0].count(")")
                else right
            )
        if way == "product":
            return re.sub(r"\(([A-Z]+\d+)-([A-Z]+\d+)\)", r"(\1*\2)", right, count=1)
        if way == "extra":
            return f"{right}*{sheet.ref('a_o1', row)}"
        return f"({right})^2" if way == "square" else right

    return Mutant("wrong-gradient", quantity, with_column(sheet, quantity, rows_of(sheet, rng), text), sheet, way)


def rng_other(unit: str, plan: Plan) -> str:
    count = plan.hidden if unit[0] == "h" else plan.outputs
    return f"{unit[0]}{int(unit[1:]) % count + 1}"


def lost_brackets(sheet: Sheet, rng: random.Random) -> Mutant | None:
    quantity = rng.choice([q for q in gradients_of(sheet) if sheet.into[q[4:]][0][0] == "h"])
    if sheet.plan.helpers or sheet.plan.outputs < 2:
        return None

    def text(row: int) -> str:
        return _unbracket(slope(sheet, quantity[4:], row))

    return Mutant(
        "wrong-gradient", quantity, with_column(sheet, quantity, rows_of(sheet, rng), text), sheet, "brackets"
    )


def _unbracket(text: str) -> str:
    """The text without its longest pair of brackets."""
    depth, starts, pairs = 0, [], []
    for position, letter in enumerate(text):
        if letter == "(":
            starts.append(position)
            depth += 1
        elif letter == ")":
            pairs.append((starts.pop(), position))
    sums = [(a, b) for a, b in pairs if "+" in text[a:b] and not (a > 0 and text[a - 1].isalpha())]
    if not sums:
        return text
    a, b = max(sums, key=lambda pair: pair[1] - pair[0])
    return text[:a] + text[a + 1 : b] + text[b + 1 :]


def wrong_forward(sheet: Sheet, rng: random.Random) -> Mutant | None:
    units = [q for q in sheet.at if re.fullmatch(r"[ho]\d", q)]
    unit = rng.choice(units)
    way = rng.choice(["source", "weight", "sign", "lost term", "net for act", "act sign", "act of other", "product"])
    quantity = f"a_{unit}" if way.startswith("act") else unit
    kind = sheet.plan.act_h if unit[0] == "h" else sheet.plan.act_o

    def text(row: int) -> str:
        if way == "act sign":
            x = sheet.ref(unit, row)
            return f"1/(1+EXP({x}))" if kind == "sigmoid" else act(sheet, quantity, row).replace(x, f"(-{x})")
        if way == "act of other":
            return swap_names(sheet, act(sheet, quantity, row), row, unit, rng_other(unit, sheet.plan))
        right = net(sheet, unit, row)
        mine = [w for w, (u, _) in sheet.into.items() if u == unit]
        sources = [sheet.into[w][1] for w in mine]
        if way == "source" and len(sources) > 1:
            return swap_names(sheet, right, row, sources[1], sources[0])
        if way == "weight":
            other = next(w for w, (u, _) in sheet.into.items() if u != unit)
            return swap_names(sheet, right, row, mine[0], other)
        if way == "sign" and len(mine) > 1:
            return right.replace("+", "-", 1)
        if way == "lost term" and len(mine) > 1:
            return right.split("+", 1)[1]
        if way == "net for act" and unit[0] == "o":
            return swap_names(sheet, right, row, sources[0], sources[0][2:])
        if way == "product":
            return right.replace("*", "+", 1)
        return right

    return Mutant("wrong-forward", quantity, with_column(sheet, quantity, rows_of(sheet, rng), text), sheet, way)


def wrong_loss(sheet: Sheet, rng: random.Random) -> Mutant | None:
    way = rng.choice(["half of all", "half of one", "target", "total", "minus", "cube", "twice"])
    count = sheet.plan.outputs
    if way == "half of all":
        other = {"half": "squared", "squared": "half"}.get(sheet.plan.loss)
        if other is None:
            return None
        cells = dict(sheet.cells)
        for k in range(1, count + 1):
            cells |= {(r, sheet.at[f"E{k}"]): "=" + loss(sheet, k, r, other) for r in rows_of(sheet, rng)}
        return Mutant("wrong-loss", "E1", cells, sheet, way)
    if way in ("total", "minus", "twice"):
        if count < 2:
            return None
        e = sheet.ref

        def total(row: int) -> str:
            if way == "total":
                return e("E1", row)
            return f"{e('E1', row)}-{e('E2', row)}" if way == "minus" else f"{e('E1', row)}+{e('E1', row)}"

        return Mutant("wrong-loss", "E_total", with_column(sheet, "E_total", rows_of(sheet, rng), total), sheet, way)
    k = rng.randint(1, count)

    def text(row: int) -> str:
        right = loss(sheet, k, row)
        if way == "target" and count > 1:
            return swap_names(sheet, right, row, f"t{k}", f"t{k % count + 1}")
        if way == "cube":
            return right.replace("^2", "^3").replace(",2)", ",3)")
        if way == "half of one" and sheet.plan.loss in ("half", "squared"):
            return loss(sheet, k, row, "squared" if sheet.plan.loss == "half" else "half")
        return right

    return Mutant("wrong-loss", f"E{k}", with_column(sheet, f"E{k}", rows_of(sheet, rng), text), sheet, way)


def wrong_update(sheet: Sheet, rng: random.Random) -> Mutant | None:
    weight = rng.choice(sheet.weights)
    other = rng.choice([w for w in sheet.weights if w != weight])
    way = rng.choice(
        ["sign", "other gradient", "other weight", "same row for ever", "two rows before", "no rate", "halved"]
    )
    first = sheet.first

    def text(row: int) -> str:
        w, g = sheet.ref(weight, row - 1), sheet.ref(f"dE/d{weight}", row - 1)
        eta = sheet.rate_cell
        column = xl_col_to_name(sheet.at[f"dE/d{weight}"] - 1)
        two = sheet.ref(f"dE/d{weight}", max(first, row - 2))
        return {
            "sign": f"{w}+{eta}*{g}",
            "other gradient": f"{w}-{eta}*{sheet.ref(f'dE/d{other}', row - 1)}",
            "other weight": f"{sheet.ref(other, row - 1)}-{eta}*{g}",
            "same row for ever": f"{w}-{eta}*${column}${first}",
            "two rows before": f"{w}-{eta}*{two}",
            "no rate": f"{w}-{g}",
            "halved": f"{w}-{eta}*{g}/2",
        }[way]

    return Mutant("wrong-update", weight, with_column(sheet, weight, rows_of(sheet, rng)[1:], text), sheet, way)


def wrong_rate_cell(sheet: Sheet, rng: random.Random) -> Mutant | None:
    weight = rng.choice(sheet.weights)
    way = rng.choice(["drifts", "all drift", "neighbour", "first target", "typed", "column fixed only"])
    row0, col0 = sheet.rate
    letters = xl_col_to_name(col0 - 1)

    def text(of: str) -> Callable[[int], str]:
        def formula(row: int) -> str:
            down = row - sheet.first - 1
            cells = {
                "drifts": f"{letters}{row0 + down}",
                "all drift": f"{letters}{row0 + down}",
                "column fixed only": f"${letters}{row0 + down}",
                "neighbour": f"${xl_col_to_name(col0)}${row0}",
                "first target": f"${xl_col_to_name(sheet.at['t1'] - 1)}${sheet.first}",
                "typed": "0.37",
            }
            return update(sheet, of, row, cells[way])

        return formula

    rows = rows_of(sheet, rng)[1:]
    cells = with_column(sheet, weight, rows, text(weight))
    if way == "all drift":
        for of in sheet.weights:
            cells |= {
                k: v for k, v in with_column(sheet, of, rows, text(of)).items() if k[1] == sheet.at[of] and k[0] in rows
            }
    return Mutant("wrong-rate-cell", weight, cells, sheet, way)


def circular(sheet: Sheet, rng: random.Random) -> Mutant | None:
    way = rng.choice(["itself", "same row", "weight below"])
    if way == "itself":
        unit = rng.choice([q for q in sheet.at if re.fullmatch(r"[ho]\d", q)])
        text = lambda row: f"{net(sheet, unit, row)}+{sheet.ref(unit, row)}"  # noqa: E731
        return Mutant("circular", unit, with_column(sheet, unit, rows_of(sheet, rng), text), sheet, way)
    weight = rng.choice(sheet.weights)
    rows = rows_of(sheet, rng)[1:]
    below = f"${xl_col_to_name(sheet.at[weight] - 1)}${sheet.last - 1}"

    def formula(row: int) -> str:
        if way == "weight below":
            return update(sheet, weight, row, below)
        return f"{sheet.ref(weight, row - 1)}-{sheet.rate_cell}*{sheet.ref(f'dE/d{weight}', row)}"

    return Mutant("circular", weight, with_column(sheet, weight, rows, formula), sheet, way)


def overwritten(sheet: Sheet, rng: random.Random) -> Mutant | None:
    unit = rng.choice([q for q in sheet.at if re.fullmatch(r"(a_)?[ho]\d", q)])
    weight = rng.choice(sheet.weights)
    own = rng.random() < 0.5

    def text(row: int) -> str:
        start = unit if own else weight
        return f"{sheet.ref(start, row - 1)}-{sheet.rate_cell}*{sheet.ref(f'dE/d{weight}', row - 1)}"

    rows = rows_of(sheet, rng)[1:] if rng.random() < 0.5 else rows_of(sheet, rng, some=True)
    return Mutant("overwritten", unit, with_column(sheet, unit, rows, text), sheet, "update over forward")


def pasted_values(sheet: Sheet, rng: random.Random) -> Mutant | None:
    computed = [q for q in sheet.at if q[0] not in "ti" and not q.startswith("E")]
    quantity = rng.choice(computed)
    rows = rows_of(sheet, rng)[1:] if rng.random() < 0.5 else rows_of(sheet, rng, some=True)
    values = calculate(sheet.cells)
    cells = dict(sheet.cells)
    wrong = rng.random() < 0.4
    for row in rows:
        number = values[row, sheet.at[quantity]]
        cells[row, sheet.at[quantity]] = number * 1.07 + 0.003 if wrong else round(number, rng.choice([6, 9, 15]))
    if all(cells[r, sheet.at[quantity]] == 0 for r in rows):
        return None
    return Mutant("pasted-values", quantity, cells, sheet, "wrong numbers" if wrong else "right numbers")


def pasted_loss(sheet: Sheet, rng: random.Random) -> Mutant | None:
    way = rng.choice(["column", "column of another training", "beside, another rate", "beside, with a mistake"])
    cells, rows = dict(sheet.cells), rows_of(sheet, rng)
    broken = dict(sheet.cells)
    if way in ("column of another training", "beside, with a mistake"):
        weight = rng.choice([w for w in sheet.weights if w[0] == "w"])
        broken = with_column(sheet, weight, rows[1:], lambda r: update(sheet, weight, r).replace("-", "+", 1))
    if way == "beside, another rate":
        broken[sheet.rate] = sheet.plan.rate * 1.5
    values = calculate(broken)
    losses = [values[row, sheet.at["E_total"]] for row in rows]
    right = [calculate(sheet.cells)[row, sheet.at["E_total"]] for row in rows]
    if way.startswith("column"):
        cells |= {(row, sheet.at["E_total"]): number for row, number in zip(rows, losses, strict=True)}
        return Mutant("pasted-loss", "E_total", cells, sheet, way)
    if max(abs(a - b) for a, b in zip(losses, right, strict=True)) < 1e-9:
        return None
    col = max(sheet.at.values()) + 3
    cells[sheet.first - 1, col] = f"η = {sheet.plan.rate:g}"
    cells |= {(row, col): number for row, number in zip(rows, losses, strict=True)}
    return Mutant("pasted-loss", "E_total", cells, sheet, way, looks_only=True)


def typed_target(sheet: Sheet, rng: random.Random) -> Mutant | None:
    k = rng.randint(1, sheet.plan.outputs)
    gradient = rng.random() < 0.3 and not sheet.plan.helpers
    quantity = f"E{k}"
    if gradient:
        quantity = rng.choice([q for q in gradients_of(sheet) if sheet.into[q[4:]][0] == f"o{k}"])
    values = calculate(sheet.cells)
    number = values[sheet.first, sheet.at[f"t{k}"]]
    shown = repr(number if rng.random() < 0.7 else number + 0.2)

    def text(row: int) -> str:
        right = slope(sheet, quantity[4:], row) if gradient else loss(sheet, k, row)
        return re.sub(rf"(?<![A-Z$]){sheet.ref(f't{k}', row)}(?!\d)", shown, right)

    return Mutant("typed-target", quantity, with_column(sheet, quantity, rows_of(sheet, rng), text), sheet, shown)


def stale_values(sheet: Sheet, rng: random.Random) -> Mutant | None:
    right = calculate(sheet.cells)
    cached = dict(right)
    if rng.random() < 0.5:
        quantity = rng.choice([q for q in sheet.at if q[0] not in "tiw" and q[0] != "b"])
        row = rng.choice(rows_of(sheet, rng))
        cached[row, sheet.at[quantity]] = right[row, sheet.at[quantity]] * 1.01 + 0.0007
        return Mutant("stale-values", quantity, dict(sheet.cells), sheet, "one cell", cached=cached)
    before = {**sheet.cells, sheet.rate: sheet.plan.rate * 1.7}
    cached = calculate(before)
    cached[sheet.rate] = sheet.plan.rate
    changed = [
        w
        for w in sheet.weights
        if abs(cached[sheet.first + 1, sheet.at[w]] - right[sheet.first + 1, sheet.at[w]]) > 1e-6
    ]
    if not changed:
        return None
    quantity = min(changed, key=lambda w: sheet.at[w])
    return Mutant("stale-values", quantity, dict(sheet.cells), sheet, "another rate", cached=cached)


def rate_label(sheet: Sheet, rng: random.Random) -> Mutant | None:
    other = next(r for r in (0.1, 0.2, 0.5, 0.8, 1.0, 2.0) if r != sheet.plan.rate)
    way = rng.choice(["sheet", "file", "label"])
    cells = dict(sheet.cells)
    mutant = Mutant("rate-label", "learning_rate", cells, sheet, way, looks_only=True)
    if way == "sheet":
        mutant.title = rng.choice([f"LR={other}", f"η={other}", f"L.R. {other}", f"LR_{other}"])
    elif way == "file":
        mutant.file = rng.choice(
            [f"backprop_lr_{other}.xlsx", f"learning_rate={other}.xlsx", f"S4_learningrate_{other}.xlsx"]
        )
    else:
        cells[sheet.rate[0], sheet.rate[1] - 1] = rng.choice(
            [f"η = {other}", f"learning rate = {other}", f"lr={other}"]
        )
    return mutant


def chart_range(sheet: Sheet, rng: random.Random) -> Mutant | None:
    way = rng.choice(["too short", "starts late", "other column", "beside"])
    letters = xl_col_to_name(sheet.at["E_total"] - 1)
    first, last = sheet.first, sheet.last
    title = rng.choice(["", "Loss", "E_total against iterations"])
    if way == "too short":
        last -= rng.randint(1, 3)
    elif way == "starts late":
        first += rng.randint(1, 2)
    elif way == "other column":
        others = [q for q in sheet.at if q.startswith(("dE/d", "a_", "h"))]
        letters = xl_col_to_name(sheet.at[rng.choice(others)] - 1)
    else:
        letters = xl_col_to_name(max(sheet.at.values()) + 2)
    chart = ("", f"${letters}${first}:${letters}${last}", title)
    return Mutant("chart-range", "E_total", dict(sheet.cells), sheet, way, charts=[chart], looks_only=True)


def inconsistent_rows(sheet: Sheet, rng: random.Random) -> Mutant | None:
    quantity = rng.choice([q for q in sheet.at if q[0] in "hoE" or q.startswith(("a_", "dE/dw"))])
    rows = rows_of(sheet, rng, some=True)

    def text(row: int) -> str:
        held = str(sheet.cells[row, sheet.at[quantity]])[1:]
        refs = list(dict.fromkeys(re.findall(r"(?<![A-Z$])[A-Z]+\d+", held)))
        if not refs:
            return held
        moved = rng_pick(refs, row)
        letters = re.sub(r"\d", "", moved)
        return re.sub(rf"(?<![A-Z$]){moved}(?!\d)", f"{letters}{row - 1}", held)

    def rng_pick(refs: list[str], row: int) -> str:
        return refs[(row * 7 + len(quantity)) % len(refs)]

    return Mutant("inconsistent-rows", quantity, with_column(sheet, quantity, rows, text), sheet, "another row")


def wrong_header(sheet: Sheet, rng: random.Random) -> Mutant | None:
    cells, style = dict(sheet.cells), sheet.plan.heads
    way = rng.choice(["target", "gradients"])
    if way == "target":
        wrong = "i2" if "i2" in sheet.at else "i1"
        column = "t2" if "t2" in sheet.at else "t1"
        cells[sheet.plan.row, sheet.at[column]] = head(style, wrong)
        return Mutant("header", column, cells, sheet, way, looks_only=True)
    a, b = rng.sample(gradients_of(sheet), 2)
    cells[sheet.plan.row, sheet.at[a]], cells[sheet.plan.row, sheet.at[b]] = head(style, b), head(style, a)
    return Mutant("header", a, cells, sheet, way, looks_only=True)


def not_understood(sheet: Sheet, rng: random.Random) -> Mutant | None:
    quantity = rng.choice([q for q in sheet.at if q[0] in "ho" or q.startswith(("a_", "dE/dw"))])

    def text(row: int) -> str:
        return f"ROUND({str(sheet.cells[row, sheet.at[quantity]])[1:]},3)"

    return Mutant("not-understood", quantity, with_column(sheet, quantity, rows_of(sheet, rng), text), sheet, "ROUND")


BREAKERS: dict[str, tuple[Callable[[Sheet, random.Random], Mutant | None], ...]] = {
    "wrong-gradient": (wrong_gradient, wrong_gradient, lost_brackets),
    "wrong-forward": (wrong_forward,),
    "wrong-loss": (wrong_loss,),
    "wrong-update": (wrong_update,),
    "wrong-rate-cell": (wrong_rate_cell,),
    "circular": (circular,),
    "overwritten": (overwritten,),
    "pasted-values": (pasted_values,),
    "pasted-loss": (pasted_loss,),
    "typed-target": (typed_target,),
    "stale-values": (stale_values,),
    "rate-label": (rate_label,),
    "chart-range": (chart_range,),
    "inconsistent-rows": (inconsistent_rows,),
    "header": (wrong_header,),
    "not-understood": (not_understood,),
}


def mutant(kind: str, seed: int, rows: tuple[int, int] = (6, 12)) -> Mutant:
    """A mutant of that kind whose difference Python confirms; other seeds are tried where one changes nothing."""
    for attempt in range(200):
        rng = random.Random(f"{kind} {seed} {attempt}")
        plan = random_plan(rng, rows)
        sheet = make(plan, rng)
        found = rng.choice(BREAKERS[kind])(sheet, rng)
        if found is not None and (found.looks_only or difference(found) > 1e-7):
            return found
    raise AssertionError(f"no mutant of kind {kind}")


def right(seed: int, rows: tuple[int, int] = (6, 12)) -> Mutant:
    """A right workbook: some with pasted losses of other rates, with charts, with the rate in the sheet's name."""
    rng = random.Random(f"right {seed}")
    sheet = make(random_plan(rng, rows), rng)
    cells, charts = dict(sheet.cells), list[tuple[str, str, str]]()
    letters = xl_col_to_name(sheet.at["E_total"] - 1)
    filled = rows_of(sheet, rng)
    if rng.random() < 0.4:
        for position, rate in enumerate((0.1, 0.5, 2.0)):
            col = max(sheet.at.values()) + 4 + position
            values = calculate({**sheet.cells, sheet.rate: rate})
            losses = [values[row, sheet.at["E_total"]] for row in filled]
            digits = rng.choice([6, 9, 16])
            if all(math.isfinite(loss) for loss in losses):
                cells[sheet.first - 1, col] = f"η={rate:g}"
                cells |= {(row, col): round(loss, digits) for row, loss in zip(filled, losses, strict=True)}
    if rng.random() < 0.4:
        title = rng.choice(["", "Loss", "E_total", "Loss curve, η=0.5"])
        charts.append(("", f"${letters}${sheet.first}:${letters}${sheet.last}", title))
    found = Mutant("right", "", cells, sheet, "", charts=charts)
    if rng.random() < 0.3:
        found.title = f"LR={sheet.plan.rate:g}"
    return found


__all__ = ["BREAKERS", "Mutant", "difference", "mutant", "name", "right"]
