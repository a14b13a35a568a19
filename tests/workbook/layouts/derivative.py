"""Mistakes in the derivative: a wrong or lost factor, a sign, a slope, a term, a target."""

from __future__ import annotations

import random

from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import (
    Edit,
    edited,
    kin,
    own_parameter,
)
from tests.workbook.layouts.terms import (
    Dot,
    Key,
    Many,
    Neg,
    Num,
    Op,
    Ref,
    Tree,
    keys_of,
    walk,
)
from tests.workbook.layouts.writing import family


def wrong_factor(made: Made, rng: random.Random) -> Edit | None:
    """Another quantity of the same family: a_h1 for a_h2, x1 for x2, another weight, another delta."""

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return (
            isinstance(node, Ref)
            and family(node.key.name) in ("a", "x", "d", "da", "ds", "w")
            and bool(kin(made, node.key, key))
        )

    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = kin(made, node.key, key)
        return Ref(others[shift % len(others)])

    return edited(made, rng, pick, change)


def wrong_sign(made: Made, rng: random.Random) -> Edit | None:
    """Plus for minus or minus for plus on the way back."""

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Neg):
            return node.of
        assert isinstance(node, Op)
        return Op("+" if node.sign == "-" else "-", node.left, node.right)

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Neg) or (isinstance(n, Op) and n.sign in "+-"), change)


def _is_slope(node: Tree) -> bool:
    """A factor of one unit's own activation: a*(1-a), 1-a^2, IF(z>0,1,0), or the cell that holds it."""
    if isinstance(node, Ref):
        return family(node.key.name) == "ds"
    heads = {family(key.name) for key in keys_of(node)}
    units = {key.name.partition(".")[2] for key in keys_of(node)}
    own = heads <= {"a", "z"} and len(units) == 1
    return own and any(isinstance(n, Op) and n.sign in ("-", "/", ">") for _, n in walk(node))


def lost_slope(made: Made, rng: random.Random) -> Edit | None:
    """The slope of a sigmoid or a tanh left out."""
    return _lost(made, rng, gate=False)


def no_gate(made: Made, rng: random.Random) -> Edit | None:
    """The gate of a ReLU left out."""
    return _lost(made, rng, gate=True)


def _lost(made: Made, rng: random.Random, gate: bool) -> Edit | None:
    def slope(node: Tree) -> bool:
        part = isinstance(node, Op) and node.sign == "-" and isinstance(node.right, Ref)  # only the second half of it
        if part or not _is_slope(node):
            return False
        layer = int(next(iter(keys_of(node))).name.split(".")[1])
        return (made.spec.activations[layer - 1] == "relu") == gate

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Op) and node.sign == "*" and (slope(node.right) or slope(node.left))

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Op)
        return node.left if slope(node.right) else node.right

    return edited(made, rng, pick, change)


def half_slope(made: Made, rng: random.Random) -> Edit | None:
    """One part of a product lost: a for a*(1-a), a delta without its input."""

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        rated = isinstance(node, Op) and any(key.name in ("rate", "beta", "beta2") for key in keys_of(node))
        return isinstance(node, Op) and node.sign == "*" and not rated

    left = rng.random() < 0.5

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Op)
        return node.left if left else node.right

    return edited(made, rng, pick, change)


def wrong_slope(made: Made, rng: random.Random) -> Edit | None:
    """The slope taken of the sum, of the error or of another unit in place of the activation."""
    shift = rng.randrange(99)

    def pick(key: Key, tree: Tree, node: Tree) -> bool:
        if not isinstance(node, Ref) or family(node.key.name) != "a":
            return False
        inside = [n for _, n in walk(tree) if isinstance(n, Op) and _is_slope(n) and node in (m for _, m in walk(n))]
        return bool(inside)

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        unit = node.key.name.split(".", 1)[1]
        names = [f"z.{unit}", f"da.{unit}", f"e.{unit.split('.')[-1]}", *[k.name for k in kin(made, node.key)]]
        keys = [Key(name, node.key.step, node.key.example) for name in names]
        keys = [key for key in keys if key in made.trees]
        return Ref(keys[shift % len(keys)]) if keys else None

    return edited(made, rng, pick, change)


def lost_term(made: Made, rng: random.Random) -> Edit | None:
    """One term of a sum left out: a path through another output, an example, the state."""

    left = rng.random() < 0.5

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Many | Dot):
            return _shorter(node)
        assert isinstance(node, Op)
        return node.left if left else node.right

    def pick(key: Key, tree: Tree, node: Tree) -> bool:
        if isinstance(node, Many | Dot):
            return True
        update = node == tree and family(key.name) in ("w", "b", "new")
        return (
            isinstance(node, Op)
            and node.sign == "+"
            and not update
            and not isinstance(node.left, Num)
            and not isinstance(node.right, Num)
        )

    return edited(made, rng, pick, change)


def _shorter(node: Many | Dot) -> Tree | None:
    if isinstance(node, Many):
        return Many(node.keys[:-1]) if len(node.keys) > 2 else None
    return Dot(node.left[:-1], node.right[:-1]) if len(node.left) > 2 else None


def wrong_target(made: Made, rng: random.Random) -> Edit | None:
    """Another target, another example's target, an input, or the output itself in its place."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = kin(made, node.key)
        others += [
            k
            for k in made.trees
            if k.name == node.key.name and k.example != node.key.example and k.step == node.key.step
        ]
        others += [k for k in (Key("x.1", node.key.step, node.key.example),) if k in made.trees]
        return Ref(others[shift % len(others)]) if others else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref) and family(n.key.name) == "t", change)


def wrong_delta(made: Made, rng: random.Random) -> Edit | None:
    """Where a unit's delta belongs: its error before the slope, its gradient, or the step that its weight took."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        unit = node.key.name.partition(".")[2]
        heads = (f"da.{unit}", f"back.{unit}", f"g.w.{unit}.1", f"step.w.{unit}.1", f"new.w.{unit}.1")
        keys = [Key(name, node.key.step, e) for name in heads for e in (node.key.example, -1)]
        keys = [
            k
            for k in keys
            if k in made.trees and k != key and (k in made.placed.areas) == (node.key in made.placed.areas)
        ]
        return Ref(keys[shift % len(keys)]) if keys else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref) and family(n.key.name) == "d", change)


def weight_for_signal(made: Made, rng: random.Random) -> Edit | None:
    """A weight where an activation or an input belongs."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        keys = [k for k in made.trees if family(k.name) == "w" and k.step == key.step and k not in made.placed.areas]
        return Ref(keys[shift % len(keys)]) if keys and node.key not in made.placed.areas else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref) and family(n.key.name) in ("a", "x"), change)


def late_weight(made: Made, rng: random.Random) -> Edit | None:
    """The hidden delta built with the weight after its update."""

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        after = made.after_key(node.key.name, node.key.step)
        return Ref(after) if after else None

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return (
            isinstance(node, Ref)
            and family(node.key.name) == "w"
            and not own_parameter(made, node, key)
            and key.step == node.key.step
        )

    return edited(made, rng, pick, change, lambda n: family(n) in ("back", "d"))


def twice(made: Made, rng: random.Random) -> Edit | None:
    """A factor of the way back written twice: the slope, the input, the error."""

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Ref) and family(node.key.name) in ("a", "x", "da", "ds", "d", "g")

    def change(_k: Key, node: Tree) -> Tree | None:
        return Op("^", node, Num("2"))

    return edited(made, rng, pick, change)
