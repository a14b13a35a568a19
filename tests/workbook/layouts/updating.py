"""Mistakes in the update: the rate, the weight it starts from, whose gradient it reads, its state, its sum."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.workbook.layouts.forward_pass import Held
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import (
    Edit,
    edited,
    formulas,
    in_scope,
    kin,
    own_parameter,
)
from tests.workbook.layouts.terms import (
    Call,
    Key,
    Num,
    Op,
    Ref,
    Tree,
    keys_of,
)
from tests.workbook.layouts.writing import family


def _is_rate(made: Made, node: Tree) -> bool:
    return (isinstance(node, Ref) and node.key.name == "rate") or (
        made.style.typed_rate and node == Num(str(made.spec.rate))
    )


def _rated(made: Made, node: Tree) -> bool:
    return isinstance(node, Op) and node.sign == "*" and (_is_rate(made, node.left) or _is_rate(made, node.right))


def _unrated(made: Made) -> Callable[[Key, Tree], Tree | None]:
    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Op)
        return node.right if _is_rate(made, node.left) else node.left

    return change


def no_rate(made: Made, rng: random.Random) -> Edit | None:
    """The learning rate left out for one weight."""
    return edited(made, rng, lambda _k, _t, n: _rated(made, n), _unrated(made))


def _updates(name: str) -> bool:
    return family(name) in ("w", "b", "new")


def stale(made: Made, rng: random.Random) -> Edit | None:
    """The next weight starts from an older one: two steps back, or always from the first."""
    back = rng.choice([1, 1, 99])

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        older = node.key._replace(step=max(0, node.key.step - back))
        return Ref(older) if older != node.key and older in made.trees else None

    return edited(made, rng, lambda k, _t, n: own_parameter(made, n, k), change, _updates)


def other_weight(made: Made, rng: random.Random) -> Edit | None:
    """The next weight starts from another weight."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = [
            k for k in made.trees if k.step == node.key.step and k.name != node.key.name and _head(k) == _head(node.key)
        ]
        return Ref(others[shift % len(others)]) if others else None

    return edited(made, rng, lambda k, _t, n: own_parameter(made, n, k), change, _updates)


def _head(key: Key) -> str:
    head = family(key.name)
    return "w" if head == "b" else head


def other_gradient(made: Made, rng: random.Random) -> Edit | None:
    """The update reads another weight's gradient, state or step."""
    heads = ("g", "G", "step", "v", "s", "vh", "sh")
    shift = rng.randrange(99)

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = kin(made, node.key)
        return Ref(others[shift % len(others)]) if others else None

    return edited(
        made,
        rng,
        lambda k, _t, n: isinstance(n, Ref) and family(n.key.name) in heads and not k.name.endswith("~"),
        change,
    )


def other_step(made: Made, rng: random.Random) -> Edit | None:
    """The gradient, the delta or the weight of an earlier step."""
    back = rng.choice([1, 1, 99])
    heads = ("g", "G", "step", "d", "a", "w", "da")

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        older = node.key._replace(step=max(0, node.key.step - back))
        return Ref(older) if older != node.key and older in made.trees else None

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return (
            isinstance(node, Ref)
            and family(node.key.name) in heads
            and node.key.step > 0
            and not own_parameter(made, node, key)
        )

    return edited(made, rng, pick, change)


def update_sign(made: Made, rng: random.Random) -> Edit | None:
    """Uphill for downhill: in one weight, or in all."""

    def turned(tree: Tree) -> Tree | None:
        if isinstance(tree, Op) and tree.sign in "+-":
            return Op("+" if tree.sign == "-" else "-", tree.left, tree.right)
        return None

    chosen = formulas(made, _updates)
    names = [name for name in chosen if any(turned(made.trees[key]) for key in chosen[name])]  # type: ignore[arg-type]
    if not names:
        return None
    scope = rng.choice(["column", "cell", "every"])
    some = names if scope == "every" else [rng.choice(names)]
    trees: dict[Key, Held] = {}
    for name in some:
        for key in in_scope(made, chosen[name], scope, rng):
            new = turned(made.trees[key])  # type: ignore[arg-type]
            if new:
                trees[key] = new
    return Edit(trees, scope, f"{some[0]} uphill")


def state(made: Made, rng: random.Random) -> Edit | None:
    """Momentum or Adam: a state of another weight or step, a lost beta, a lost square, a lost root or power."""

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Ref) and node.key.name == "beta" and Key("beta2") in made.trees:
            return Ref(Key("beta2"))
        if isinstance(node, Ref) and family(node.key.name) in ("v", "s"):
            older = node.key._replace(step=node.key.step - 1)
            return Ref(older) if older in made.trees else None
        if isinstance(node, Call):
            return node.of[0]
        assert isinstance(node, Op)
        return node.left if node.sign == "^" else node.right

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        if isinstance(node, Ref):
            head = family(node.key.name)
            return (head in ("v", "s") and node.key.step > 0) or (node.key.name == "beta" and made.spec.rule == "adam")
        if isinstance(node, Call):
            return node.name == "SQRT"
        names = {key.name for key in keys_of(node)}
        power = (
            isinstance(node, Op)
            and node.sign == "^"
            and (family(next(iter(names), "")) in ("g", "G") or "count" in names)
        )
        lost = (
            isinstance(node, Op)
            and node.sign == "*"
            and {key.name for key in keys_of(node.left)} <= {"beta", "beta2"}
            and bool(keys_of(node.left))
        )
        return power or lost

    alone = len(made.spec.parameters) < 2  # then it is the same rule with another beta
    return None if made.spec.rule == "plain" or alone else edited(made, rng, pick, change)


def no_mean(made: Made, rng: random.Random) -> Edit | None:
    """The sum for one weight where the others have the mean, or the other way round."""
    if len(made.spec.parameters) < 2:
        return None

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        if isinstance(node, Call):
            return node.name == "AVERAGE" or (made.spec.batch == "sum" and node.name == "SUM" and _of_gradient(node))
        count = Num(str(made.spec.examples))
        return (
            isinstance(node, Op)
            and made.spec.batch == "mean"
            and (node.right == count or node.left == Op("/", Num("1"), count))
        )

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Call):
            return Call("SUM" if node.name == "AVERAGE" else "AVERAGE", node.of)
        assert isinstance(node, Op)
        return node.left if node.sign == "/" and node.left != Num("1") else node.right if node.sign == "*" else None

    return edited(made, rng, pick, change, scope=rng.choice(["column", "cell"]))


def wrong_total(made: Made, rng: random.Random) -> Edit | None:
    """The median, the largest or only the count of the gradients in place of their sum or mean."""
    name = rng.choice(["MEDIAN", "MAX", "COUNT"])

    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Call) and node.name in ("SUM", "AVERAGE") and bool(keys_of(node)) and node.of != ()

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Call)
        return Call(name, node.of)

    return edited(made, rng, pick, change)


def _of_gradient(node: Call) -> bool:
    return all(family(key.name) == "g" for key in keys_of(node))
