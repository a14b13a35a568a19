"""The layouts by name: each makes a right workbook of a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from tests.workbook.layouts.descent import draw_function, write_function
from tests.workbook.layouts.excel_text import cell_name
from tests.workbook.layouts.labels import NOTES, Labels
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.matrices import Matrices, place
from tests.workbook.layouts.places import Body, Placed, lay, list_body, row_body, states_before, table_body, transposed
from tests.workbook.layouts.spec import Spec, draw
from tests.workbook.layouts.style import Style, draw_style
from tests.workbook.layouts.terms import Address, Call, Key, Num, Op, Ref
from tests.workbook.layouts.writing import write

ONE_BY_ONE = ("one", "online")
TOGETHER = ("sum", "mean")


def _finish(layout: str, seed: int, spec: Spec, style: Style, body: str, way: str, rng: random.Random) -> Made:
    """Writes, places and decorates. `body`: row, two-rows, table or list, with "/" transposed."""
    in_rows = body.startswith("row")
    style = replace(style, state_before=style.state_before and in_rows and not style.new_columns)
    written = write_function(spec, style) if spec.objective == "function" else write(spec, style)
    labels = Labels(written, rng)
    made: Body = {
        "row": lambda: row_body(written, labels, rng),
        "two-rows": lambda: row_body(written, labels, rng, two_rows=True),
        "table": lambda: table_body(written, labels, rng),
        "list": lambda: list_body(written, labels, rng),
    }[body.strip("/")]()
    if body.endswith("/"):
        made = transposed(made)
    dense = in_rows or body.startswith("two")
    gap = (0 if rng.random() < 0.85 else 1) if dense else rng.choice([1, 1, 2])
    once = dense or rng.random() < 0.3
    placed = lay(written, labels, rng, made, way, gap, once)
    if style.state_before:
        states_before(written, placed)
    placed.anchored = rng.choice(["", "r", "cr"]) if body.startswith("table") else ""
    _decorate(placed, rng)
    return Made(layout, seed, spec, style, written.cells, placed)


def _decorate(placed: Placed, rng: random.Random) -> None:
    """What stands around a training in real files: a chart of the loss, remarks in cells."""
    placed.chart = rng.random() < 0.4
    free = [at for at in placed.where.values() if at not in placed.words]
    if rng.random() < 0.3:
        placed.notes[rng.choice(free)] = rng.choice(NOTES)
    if rng.random() < 0.3:
        beside = 2 + max(at.column for at in placed.where.values() if at.sheet == 0)
        placed.words[Address(0, rng.randint(0, 6), beside)] = rng.choice(NOTES)
    if rng.random() < 0.25 and len(placed.loss) > 1 and len({(at.sheet, at.column) for at in placed.loss}) == 1:
        lowest = 2 + max(at.row for at in placed.where.values() if at.sheet == 0)
        first, last = cell_name(placed.loss[0]), cell_name(placed.loss[-1])
        name = rng.choice(["AVERAGE", "MIN", "MAX"])
        placed.words[placed.loss[0]._replace(row=lowest)] = f"={name}({first}:{last})"
    if rng.random() < 0.2:
        _predict(placed, rng)


def _predict(placed: Placed, rng: random.Random) -> None:
    """A new answer from the last weights, beside the training."""
    last = max(key.step for key in placed.where if key.name.startswith("w."))
    weights = [at for key, at in placed.where.items() if key.step == last and key.name.startswith("w.")]
    sheet = weights[0].sheet
    below = 4 + max(at.row for at in [*placed.where.values(), *placed.words] if at.sheet == sheet)
    column = weights[0].column
    placed.words[Address(sheet, below, column)] = rng.choice(["prediction", "new x", "test"])
    typed = Address(sheet, below + 1, column)
    placed.words[typed] = f"={rng.choice([0.5, 2, 1.25])}"
    terms = "+".join(f"{cell_name(at)}*{cell_name(typed)}" for at in weights[:2])
    placed.words[Address(sheet, below + 2, column)] = f"={terms}"


def _rows(
    body: str, rule: str = "plain", model: str | None = None, new: bool | None = None
) -> Callable[[str, int], Made]:
    def make(name: str, seed: int) -> Made:
        rng = random.Random(f"{name} {seed}")
        batch = rng.choice(ONE_BY_ONE)
        kind = model or rng.choice(["line", "plane", "logistic", "softmax", "two-layer", "two-layer", "two-layer"])
        spec = draw(rng, kind, batch, rule)  # type: ignore[arg-type]
        style = draw_style(rng, spec, new_columns=new)
        return _finish(name, seed, spec, style, body, "side" if body.endswith("/") else "down", rng)

    return make


def _blocks(
    body: str, way: str, rule: str = "plain", steps: tuple[int, int] = (3, 6), model: str | None = None
) -> Callable[[str, int], Made]:
    def make(name: str, seed: int) -> Made:
        rng = random.Random(f"{name} {seed}")
        batch = rng.choice(TOGETHER) if body.startswith("table") else rng.choice(["one", "online", *TOGETHER])
        kind = model or rng.choice(["line", "plane", "logistic", "softmax", "two-layer", "two-layer"])
        spec = draw(rng, kind, batch, rule, rng.randint(*steps))  # type: ignore[arg-type]
        style = draw_style(rng, spec)
        return _finish(name, seed, spec, style, body, way, rng)

    return make


def _worked_example(name: str, seed: int) -> Made:
    """One pass written downwards: two inputs, two hidden units, two outputs, all sigmoid, biases constant."""
    rng = random.Random(f"{name} {seed}")
    spec = draw(rng, "two-layer", "one", "plain", rng.choice([1, 1, 2]))
    while spec.sizes != (2, 2, 2) or spec.activations != ("sigmoid", "sigmoid") or spec.objective != "half":
        spec = draw(rng, "two-layer", "one", "plain", rng.choice([1, 1, 2]))
    style = replace(draw_style(rng, spec, new_columns=True, data="once"), shows_loss=True)
    return _finish(name, seed, spec, style, "list", "down", rng)


def _all_in_a_row(name: str, seed: int) -> Made:
    """A step in one row, its sum over a few typed examples written out in one formula."""
    rng = random.Random(f"{name} {seed}")
    spec = draw(rng, rng.choice(["line", "line", "plane", "logistic"]), rng.choice(TOGETHER))
    style = draw_style(rng, spec, data="once")
    hidden = {"z", "a", "da", "ds", "d", "g", "e", "E", "ex"}
    if rng.random() < 0.3:
        hidden -= {"g", "E"}
    style = replace(style, hidden=style.hidden | hidden, ranges=False)
    return _finish(name, seed, spec, style, "row", "down", rng)


def _decay(name: str, seed: int) -> Made:
    rng = random.Random(f"{name} {seed}")
    spec = draw(rng, rng.choice(["plane", "logistic", "two-layer"]), rng.choice(ONE_BY_ONE))
    spec = replace(spec, decay=rng.choice([0.01, 0.1]))
    style = replace(draw_style(rng, spec), shows_loss=False)
    return _finish(name, seed, spec, style, "row", "down", rng)


def _function(name: str, seed: int) -> Made:
    rng = random.Random(f"{name} {seed}")
    spec = draw_function(rng)
    style = replace(draw_style(rng, spec, new_columns=False), uphill=False)
    body, way = rng.choice([("row", "down"), ("row", "down"), ("row/", "side")])
    return _finish(name, seed, spec, style, body, way, rng)


def _two_trainings(name: str, seed: int) -> Made:
    """Two trainings in one file, each on its sheet, with its own rate."""
    first, second = (_rows("row")(name, 2 * seed + i) for i in range(2))
    second = replace(second, placed=replace(second.placed, titles=("second run",)))
    second = replace(second, style=replace(second.style, named=""))
    first = replace(first, placed=replace(first.placed, titles=("first run",)))
    return replace(first, seed=seed, companion=second.book)


def _loop(name: str, seed: int) -> Made:
    """A step that iterative calculation repeats: a weight is its new value, or its start while a cell says reset."""
    rng = random.Random(f"{name} {seed}")
    kind = rng.choice(["line", "plane", "logistic", "two-layer", "two-layer"])
    spec = draw(rng, kind, rng.choice(["one", *TOGETHER]), steps=1)
    style = replace(draw_style(rng, spec, new_columns=True), rate_column=False, extras=frozenset())
    body = "table" if spec.batch in TOGETHER else rng.choice(["row", "list"])
    made = _finish(name, seed, spec, style, body, "down", rng)
    reset = Key("reset")
    made.placed.where[reset] = Address(0, 0, 3 + max(at.column for at in made.placed.where.values()))
    made.trees[reset] = 0.0
    for weight, start in spec.start.items():
        again = Op("=", Ref(reset), Num("1"))
        made.trees[Key(weight, 0)] = Call("IF", (again, Num(str(start)), Ref(Key(f"new.{weight}", 0))))
    return made


LAYOUTS: dict[str, Callable[[str, int], Made]] = {
    "rows": _rows("row", new=False),
    "new-weights": _rows("row", new=True),
    "update-rows": _rows("two-rows", new=True),
    "columns": _rows("row/"),
    "blocks-down": _blocks("table", "down"),
    "blocks-side": _blocks("table", "side"),
    "blocks-turned": _blocks("table/", "down"),
    "sheets": _blocks("table", "sheets"),
    "sheets-list": _blocks("list", "sheets"),
    "lists-down": _blocks("list", "down"),
    "worked-example": _worked_example,
    "all-in-a-row": _all_in_a_row,
    "matrices": lambda name, seed: _matrices(name, seed),
    "function": _function,
    "two-trainings": _two_trainings,
    "loop": _loop,
    "perceptron": _rows("row", model="perceptron"),
    "perceptron-blocks": _blocks("table", "down", model="perceptron", steps=(4, 7)),
    "momentum": _rows("row", "momentum"),
    "averaged": _rows("row", "averaged"),
    "classic": _rows("row", "classic"),
    "rmsprop": _rows("row", "rmsprop"),
    "adam": _rows("row", "adam"),
    "weight-decay": _decay,
    "momentum-blocks": _blocks("table", "down", "momentum"),
    "adam-blocks": _blocks("table", "down", "adam"),
}


def _matrices(name: str, seed: int) -> Made:
    rng = random.Random(f"{name} {seed}")
    model = rng.choice(["plane", "logistic", "softmax", "two-layer", "two-layer", "two-layer"])
    spec = draw(rng, model, rng.choice(["sum", "mean", "sum", "mean", "one"]), steps=rng.randint(2, 5))
    while any(name.startswith("w") for name in spec.constants):
        spec = draw(rng, model, spec.batch, steps=spec.steps)
    style = draw_style(rng, spec, new_columns=False, data="once")
    style = replace(style, rate_column=False, extras=frozenset())
    matrices = Matrices(spec, style, tall=rng.random() < 0.6, arrays=rng.random() < 0.5)
    placed = place(matrices, rng)
    placed.chart = rng.random() < 0.3
    return Made(name, seed, spec, style, matrices.trees, placed)


def make(layout: str, seed: int) -> Made:
    """The right workbook of that layout and seed."""
    return LAYOUTS[layout](layout, seed)
