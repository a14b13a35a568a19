"""Mistakes in the forward pass and in the loss that is shown."""

from __future__ import annotations

import random

from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import (
    FORWARD,
    LOSS,
    Edit,
    edited,
    kin,
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
    children,
)
from tests.workbook.layouts.writing import family


def forward_reference(made: Made, rng: random.Random) -> Edit | None:
    """A wrong weight or input in a weighted sum."""
    shift = rng.randrange(99)

    def swap(key: Key, home: Key) -> Key:
        others = kin(made, key, home)
        return others[shift % len(others)] if others else key

    def change(key: Key, node: Tree) -> Tree | None:
        if isinstance(node, Dot):
            return Op(
                "+", Dot(node.left[:-1], node.right[:-1]), Op("*", Ref(node.left[-1]), Ref(swap(node.right[-1], key)))
            )
        assert isinstance(node, Ref)
        return Ref(swap(node.key, key))

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Dot) or (
            isinstance(node, Ref) and family(node.key.name) in ("w", "x", "a", "b") and node.key.step >= 0
        )

    return edited(made, rng, pick, change, lambda n: family(n) in FORWARD)


def forward_form(made: Made, rng: random.Random) -> Edit | None:
    """The activation written wrong: 1/(1+EXP(z)), a lost bias, a lost unit of the softmax."""

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        negative = isinstance(node, Neg)
        bias = (
            isinstance(node, Op)
            and node.sign == "+"
            and any(isinstance(c, Ref) and family(c.key.name) == "b" and c.key.step >= 0 for c in children(node))
        )
        return negative or bias or (isinstance(node, Many) and len(node.keys) > 2)

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Neg):
            return node.of
        if isinstance(node, Many):
            return Many(node.keys[:-1])
        assert isinstance(node, Op)
        return node.left if isinstance(node.right, Ref) and family(node.right.key.name) == "b" else node.right

    return edited(made, rng, pick, change, lambda n: family(n) in FORWARD)


def loss(made: Made, rng: random.Random) -> Edit | None:
    """The shown loss itself: a term lost, another target or output, a minus for a plus."""
    shift = rng.randrange(99)

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        if isinstance(node, Many):
            return len(node.keys) > 2
        if isinstance(node, Op):
            return node.sign in "+-" and not isinstance(node.left, Num)
        return isinstance(node, Ref) and family(node.key.name) in ("t", "a") and bool(kin(made, node.key))

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Many):
            return Many(node.keys[:-1])
        if isinstance(node, Op):
            return Op("+", node.left, node.right) if node.sign == "-" else node.left
        assert isinstance(node, Ref)
        others = kin(made, node.key)
        return Ref(others[shift % len(others)])

    return edited(made, rng, pick, change, lambda n: family(n) in LOSS)
