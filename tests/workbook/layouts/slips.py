"""Slips of the hand: a neighbour, a lost dollar, a typed number, a blank cell, a formula that was not moved."""

from __future__ import annotations

import random

from tests.workbook.layouts.forward_pass import Held
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import (
    Edit,
    draw_scope,
    edited,
    formulas,
    in_scope,
)
from tests.workbook.layouts.terms import (
    Address,
    At,
    Key,
    Many,
    Ref,
    Span,
    Tree,
)
from tests.workbook.layouts.writing import family


def _numbers(made: Made) -> dict[Address, Key]:
    return {made.placed.where[key]: key for key in made.trees}


def neighbour(made: Made, rng: random.Random) -> Edit | None:
    """A reference to the cell beside, above or below the right one."""
    numbers = _numbers(made)
    down, right = rng.choice([(0, 1), (0, -1), (1, 0), (-1, 0)])

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        corners = made.placed.areas.get(node.key)
        if corners:
            first, last = (c._replace(row=c.row + down, column=c.column + right) for c in corners)
            return Span(first, last) if min(first.row, first.column) >= 0 else None
        spot = made.placed.where[node.key]
        spot = spot._replace(row=spot.row + down, column=spot.column + right)
        later = numbers.get(spot)
        if later is None or later == key or (later.step > key.step):
            return None
        return At(spot)

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref), change)


def shifted_range(made: Made, rng: random.Random) -> Edit | None:
    """A range that starts and ends one row too low or too high."""
    down = rng.choice([-1, 1])

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Many)
        corners = made.writer.rectangle(node.keys)
        if corners is None:
            return None
        first, last = (spot._replace(row=spot.row + down) for spot in corners)
        home = made.placed.where[key]
        if first.column <= home.column <= last.column and first.row <= home.row <= last.row:
            return None
        return Span(first, last) if first.row >= 0 else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Many), change)


def drift(made: Made, rng: random.Random) -> Edit | None:
    """The dollars forgotten: the reference to the rate (or to another fixed cell) moves with the row."""
    where = made.placed.where

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        first = next(
            k
            for k in made.trees
            if (k.name == key.name and k.step >= 1) or (k.name == key.name and not isinstance(made.trees[k], float))
        )
        home, start, spot = where[key], where[first], where[node.key]
        moved = spot._replace(row=spot.row + home.row - start.row, column=spot.column + home.column - start.column)
        return None if moved in (spot, home) or home.sheet != start.sheet or _later(made, moved, key) else At(moved)

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Ref) and node.key.step < 0 <= key.step and node.key not in made.placed.areas

    return edited(made, rng, pick, change, scope="column")


def _later(made: Made, spot: Address, key: Key) -> bool:
    """A cell of the same or a later step: a circle in place of a slip."""
    other = _numbers(made).get(spot)
    return other is not None and other.step >= key.step


def other_example(made: Made, rng: random.Random) -> Edit | None:
    """A quantity of the example above or below."""
    by = rng.choice([-1, 1])

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        other = node.key._replace(example=node.key.example + by)
        return Ref(other) if other.example >= 0 and other in made.trees else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref) and n.key.example >= 0, change)


def stuck(made: Made, rng: random.Random) -> Edit | None:
    """A formula that was copied without moving: one cell says what the one before says, or all what the first says."""
    chosen = {name: keys for name, keys in formulas(made).items() if len(keys) > 2 and keys[0] not in made.placed.areas}
    if not chosen:
        return None
    name = rng.choice(list(chosen))
    keys = chosen[name]
    if rng.random() < 0.5:
        first = next((i for i, key in enumerate(keys) if key.step == min(1, made.spec.steps - 1)), 0)
        return Edit(dict.fromkeys(keys[first + 1 :], made.trees[keys[first]]), "rest", f"{name} stuck at the first")
    place = rng.randrange(1, len(keys))
    return Edit({keys[place]: made.trees[keys[place - 1]]}, "cell", f"{name} stuck")


def typed(made: Made, rng: random.Random) -> Edit | None:
    """A typed number in place of a formula: 0.001, or what was there, rounded."""
    chosen = formulas(made, lambda n: family(n) in ("g", "G", "d", "w", "b", "new", "step", "v", "s"))
    if not chosen:
        return None
    name = rng.choice(list(chosen))
    scope = draw_scope(made, rng)
    if family(name) in ("w", "b") and scope != "cell":
        scope = "cell"
    keys = in_scope(made, chosen[name], scope, rng)
    if keys[0] in made.placed.areas:
        return _one_typed(made, rng.choice(keys), rng) if keys[0] in made.placed.filled else None
    way = rng.choice(["same", "rounded"])
    trees: dict[Key, Held] = {}
    for key in keys:
        value = made.book.number(made.placed.where[key])
        trees[key] = 0.001 if way == "same" else round(value, 1)
    return Edit(trees, scope, f"{name} typed")


def _one_typed(made: Made, key: Key, rng: random.Random) -> Edit:
    at = rng.choice(made.placed.cells(key))
    return Edit({}, "cell", f"{key.name} typed", patches={at: round(made.book.number(at), 1)})


def blank(made: Made, rng: random.Random) -> Edit | None:
    """A cell left blank."""
    chosen = formulas(made, lambda n: family(n) in ("g", "G", "d", "w", "b", "new", "v", "s"))
    if not chosen:
        return None
    name = rng.choice(list(chosen))
    scope = rng.choice(["cell", "cell", "column"]) if family(name) not in ("w", "b") else "cell"
    keys = in_scope(made, chosen[name], scope, rng)
    return Edit({}, scope, f"{name} blank", frozenset(keys))
