"""The kinds of mistake that people make, each as an edit of a right workbook."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.workbook.layouts.equations import Held, family
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.mutate import (
    FORWARD,
    LOSS,
    Edit,
    Mutant,
    backward,
    draw_scope,
    edited,
    formulas,
    in_scope,
    mutant,
)
from tests.workbook.layouts.terms import (
    Address,
    At,
    Call,
    Dot,
    Key,
    Many,
    Neg,
    Num,
    Op,
    Ref,
    Span,
    Tree,
    children,
    keys_of,
    put,
    walk,
)

Mistake = Callable[[Made, random.Random], Edit | None]
SLOPED = ("a", "z", "ds")


def _numbers(made: Made) -> dict[Address, Key]:
    return {made.placed.where[key]: key for key in made.trees}


def neighbour(made: Made, rng: random.Random) -> Edit | None:
    """A reference to the cell beside, above or below the right one."""
    numbers = _numbers(made)
    down, right = rng.choice([(0, 1), (0, -1), (1, 0), (-1, 0)])

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        spot = made.placed.where[node.key]
        spot = spot._replace(row=spot.row + down, column=spot.column + right)
        later = numbers.get(spot)
        if later is None or later == key or (later.step > key.step):
            return None
        return At(spot)

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref), change)


def wrong_factor(made: Made, rng: random.Random) -> Edit | None:
    """Another quantity of the same family: a_h1 for a_h2, x1 for x2, another weight, another delta."""

    def pick(key: Key, _t: Tree, node: Tree) -> bool:
        return (
            isinstance(node, Ref)
            and family(node.key.name) in ("a", "x", "d", "da", "ds", "w")
            and bool(_others(made, node.key, key))
        )

    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = _others(made, node.key, key)
        return Ref(others[shift % len(others)])

    return edited(made, rng, pick, change)


def _others(made: Made, key: Key, home: Key | None = None) -> list[Key]:
    """The same family at the same step and example; not the cell's own weight."""
    names = [name for name in dict.fromkeys(k.name for k in made.trees) if family(name) == family(key.name)]
    found = [Key(name, key.step, key.example) for name in names if name != key.name]
    return [other for other in found if other in made.trees and other != home]


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
    """The slope of the activation left out."""
    if any(kind in ("relu",) for kind in made.spec.activations):
        return None
    return _lost(made, rng)


def no_gate(made: Made, rng: random.Random) -> Edit | None:
    """The gate of a ReLU left out."""
    return _lost(made, rng) if "relu" in made.spec.activations else None


def _lost(made: Made, rng: random.Random) -> Edit | None:
    def pick(_k: Key, _t: Tree, node: Tree) -> bool:
        return isinstance(node, Op) and node.sign == "*" and (_is_slope(node.right) or _is_slope(node.left))

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Op)
        return node.left if _is_slope(node.right) else node.right

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
        names = [f"z.{unit}", f"da.{unit}", f"e.{unit.split('.')[-1]}", *[k.name for k in _others(made, node.key)]]
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


def wrong_target(made: Made, rng: random.Random) -> Edit | None:
    """Another target, another example's target, an input, or the output itself in its place."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = _others(made, node.key)
        others += [
            k
            for k in made.trees
            if k.name == node.key.name and k.example != node.key.example and k.step == node.key.step
        ]
        others += [k for k in (Key("x.1", node.key.step, node.key.example),) if k in made.trees]
        return Ref(others[shift % len(others)]) if others else None

    return edited(made, rng, lambda _k, _t, n: isinstance(n, Ref) and family(n.key.name) == "t", change)


def no_rate(made: Made, rng: random.Random) -> Edit | None:
    """The learning rate left out for one weight."""
    return edited(made, rng, lambda _k, _t, n: _rated(made, n), _unrated(made))


def _is_rate(made: Made, node: Tree) -> bool:
    return node == Ref(Key("rate")) or (made.style.typed_rate and node == Num(str(made.spec.rate)))


def _rated(made: Made, node: Tree) -> bool:
    return isinstance(node, Op) and node.sign == "*" and (_is_rate(made, node.left) or _is_rate(made, node.right))


def _unrated(made: Made) -> Callable[[Key, Tree], Tree | None]:
    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Op)
        return node.right if _is_rate(made, node.left) else node.left

    return change


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

    fixed = ("rate", "beta", "beta2")
    return edited(
        made, rng, lambda k, _t, n: isinstance(n, Ref) and n.key.name in fixed and k.step >= 0, change, scope="column"
    )


def _later(made: Made, spot: Address, key: Key) -> bool:
    """A cell of the same or a later step: a circle in place of a slip."""
    other = _numbers(made).get(spot)
    return other is not None and other.step >= key.step


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
    way = rng.choice(["same", "rounded"])
    trees: dict[Key, Held] = {}
    for key in keys:
        value = made.book.number(made.placed.where[key])
        trees[key] = 0.001 if way == "same" else round(value, 1)
    return Edit(trees, scope, f"{name} typed")


def blank(made: Made, rng: random.Random) -> Edit | None:
    """A cell left blank."""
    chosen = formulas(made, lambda n: family(n) in ("g", "G", "d", "w", "b", "new", "v", "s"))
    if not chosen:
        return None
    name = rng.choice(list(chosen))
    scope = rng.choice(["cell", "cell", "column"]) if family(name) not in ("w", "b") else "cell"
    keys = in_scope(made, chosen[name], scope, rng)
    return Edit({}, scope, f"{name} blank", frozenset(keys))


def _parameter(made: Made, node: Tree, key: Key) -> bool:
    own = key.name.removeprefix("new.")
    return isinstance(node, Ref) and node.key.name.removeprefix("new.") == own and node.key != key


def _updates(name: str) -> bool:
    return family(name) in ("w", "b", "new")


def stale(made: Made, rng: random.Random) -> Edit | None:
    """The next weight starts from an older one: two steps back, or always from the first."""
    back = rng.choice([1, 1, 99])

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        older = node.key._replace(step=max(0, node.key.step - back))
        return Ref(older) if older != node.key and older in made.trees else None

    return edited(made, rng, lambda k, _t, n: _parameter(made, n, k), change, _updates)


def other_weight(made: Made, rng: random.Random) -> Edit | None:
    """The next weight starts from another weight."""
    shift = rng.randrange(99)

    def change(key: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = [
            k for k in made.trees if k.step == node.key.step and k.name != node.key.name and _head(k) == _head(node.key)
        ]
        return Ref(others[shift % len(others)]) if others else None

    return edited(made, rng, lambda k, _t, n: _parameter(made, n, k), change, _updates)


def _head(key: Key) -> str:
    head = family(key.name)
    return "w" if head == "b" else head


def other_gradient(made: Made, rng: random.Random) -> Edit | None:
    """The update reads another weight's gradient, state or step."""
    heads = ("g", "G", "step", "v", "s", "vh", "sh")
    shift = rng.randrange(99)

    def change(_k: Key, node: Tree) -> Tree | None:
        assert isinstance(node, Ref)
        others = _others(made, node.key)
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
            and not _parameter(made, node, key)
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

    return edited(made, rng, pick, change) if made.spec.rule != "plain" else None


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


def _of_gradient(node: Call) -> bool:
    return all(family(key.name) == "g" for key in keys_of(node))


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
            and not _parameter(made, node, key)
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


def forward_reference(made: Made, rng: random.Random) -> Edit | None:
    """A wrong weight or input in a weighted sum."""
    shift = rng.randrange(99)

    def swap(key: Key, home: Key) -> Key:
        others = _others(made, key, home)
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
        return isinstance(node, Ref) and family(node.key.name) in ("t", "a") and bool(_others(made, node.key))

    def change(_k: Key, node: Tree) -> Tree | None:
        if isinstance(node, Many):
            return Many(node.keys[:-1])
        if isinstance(node, Op):
            return Op("+", node.left, node.right) if node.sign == "-" else node.left
        assert isinstance(node, Ref)
        others = _others(made, node.key)
        return Ref(others[shift % len(others)])

    return edited(made, rng, pick, change, lambda n: family(n) in LOSS)


MISTAKES: dict[str, Mistake] = {
    "neighbour": neighbour,
    "wrong-factor": wrong_factor,
    "wrong-sign": wrong_sign,
    "lost-slope": lost_slope,
    "no-gate": no_gate,
    "half-slope": half_slope,
    "wrong-slope": wrong_slope,
    "lost-term": lost_term,
    "shifted-range": shifted_range,
    "wrong-target": wrong_target,
    "no-rate": no_rate,
    "drift": drift,
    "typed": typed,
    "blank": blank,
    "stale": stale,
    "other-weight": other_weight,
    "other-gradient": other_gradient,
    "other-step": other_step,
    "update-sign": update_sign,
    "state": state,
    "no-mean": no_mean,
    "late-weight": late_weight,
    "twice": twice,
    "forward-reference": forward_reference,
    "forward-form": forward_form,
    "loss": loss,
}


def broken(made: Made, kind: str, seed: int, tries: int = 12) -> Mutant | None:
    """A mutant of that kind, or None where this workbook has no place for such a mistake."""
    rng = random.Random(f"{made.layout} {made.seed} {kind} {seed}")
    for _ in range(tries):
        edit = MISTAKES[kind](made, rng)
        if edit is None:
            continue
        found = mutant(made, kind, edit)
        if found is not None:
            return found
    return None


__all__ = ["MISTAKES", "backward", "broken", "put"]
