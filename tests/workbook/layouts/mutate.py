"""One mistake put into a right workbook, kept only where torch says that the training is no longer right."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.workbook.layouts.forward_pass import Held
from tests.workbook.layouts.made import Made
from tests.workbook.layouts.terms import Address, Key, Path, Ref, Tree, at, put, walk
from tests.workbook.layouts.writing import family

FORWARD = frozenset(("z", "a", "ex"))
LOSS = frozenset(("e", "E", "L"))
GIVEN = frozenset(("x", "t", "count", "rate", "extra", "raw", "copy"))
Pick = Callable[[Key, Tree, Tree], bool]  # the cell's key, its whole tree, the node: is this a place for the mistake?
Change = Callable[[Key, Tree], Tree | None]  # the key and the node: what stands there in its place


@dataclass(frozen=True)
class Mutant:
    """A broken workbook: which kind of mistake, the cells that hold it, in one cell or in many, and the proof."""

    kind: str
    made: Made
    changed: frozenset[Address]
    scope: str
    words: str
    proof: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """New trees for some quantities, blank cells, or other contents of single cells (None: blank)."""

    trees: dict[Key, Held]
    scope: str
    words: str
    blank: frozenset[Key] = frozenset()
    patches: dict[Address, float | str | None] = field(default_factory=dict)


def backward(name: str) -> bool:
    """A quantity of the way back: neither given, nor the forward pass, nor the loss."""
    return family(name) not in FORWARD | LOSS | GIVEN


def formulas(made: Made, chosen: Callable[[str], bool] = backward) -> dict[str, list[Key]]:
    """The cells with formulas, by the name of the quantity."""
    found: dict[str, list[Key]] = {}
    for key, held in made.trees.items():
        if not isinstance(held, float) and chosen(key.name):
            found.setdefault(key.name, []).append(key)
    return found


def sites(made: Made, pick: Pick, chosen: Callable[[str], bool] = backward) -> list[tuple[str, Path]]:
    """Where a mistake can be made: quantity and path in its formula, by its last step's cell."""
    found = []
    for name, keys in formulas(made, chosen).items():
        key = keys[-1]
        tree = made.trees[key]
        assert not isinstance(tree, float)
        found += [(name, path) for path, node in walk(tree) if pick(key, tree, node)]
    return found


def edited(
    made: Made,
    rng: random.Random,
    pick: Pick,
    change: Change,
    chosen: Callable[[str], bool] = backward,
    scope: str | None = None,
) -> Edit | None:
    """The mistake at a random site: in one cell, in the whole column, or from some step on."""
    places = sites(made, pick, chosen)
    if not places:
        return None
    name, path = rng.choice(places)
    keys = in_scope(made, formulas(made, chosen)[name], scope := scope or draw_scope(made, rng), rng)
    trees: dict[Key, Held] = {}
    for key in keys:
        tree = made.trees[key]
        assert not isinstance(tree, float)
        new = _replaced(key, tree, path, pick, change)
        if new is not None and new != tree:
            trees[key] = new
    return Edit(trees, scope, f"{name} {path}") if trees else None


def _replaced(key: Key, tree: Tree, path: Path, pick: Pick, change: Change) -> Tree | None:
    try:
        node = at(tree, path)
    except IndexError:
        return None
    if not pick(key, tree, node):
        return None
    new = change(key, node)
    return None if new is None else put(tree, path, new)


def draw_scope(made: Made, rng: random.Random) -> str:
    return rng.choice(["column", "column", "cell", "cell", "rest"]) if made.spec.steps > 2 else "column"


def in_scope(made: Made, keys: list[Key], scope: str, rng: random.Random) -> list[Key]:
    """All cells of a quantity, one of them, or those of the later steps."""
    if scope == "cell":
        inner = [key for key in keys if 0 < key.step < made.spec.steps - 1] or keys
        return [rng.choice(inner)]
    if scope == "rest":
        start = rng.randint(1, max(1, made.spec.steps - 2))
        return [key for key in keys if key.step >= start]
    return keys


def mutant(made: Made, kind: str, edit: Edit) -> Mutant | None:
    """The broken workbook, or None where the mistake changes nothing that matters."""
    broken = made.with_trees(edit.trees, edit.blank, edit.patches)
    if not differs(made, broken):
        return None
    changed = {*edit.trees, *edit.blank}
    if kind.startswith("loss"):
        proof = [f"{a} shown, {b}" for a, b in broken.losses() if not abs(a - b) <= 1e-9 * max(1.0, abs(b))]
    else:
        proof = broken.wrong()
        if not proof or (edit.scope != "cell" and broken.right_all_the_same()):
            return None
        if any(family(key.name) in FORWARD for key in changed) and (
            not broken.shows_outputs or broken.right_by_itself()
        ):
            return None
    if not proof:
        return None
    spots = frozenset(edit.patches).union(at for key in changed for at in made.placed.cells(key))
    return Mutant(kind, broken, spots, edit.scope, edit.words, tuple(proof))


def differs(right: Made, broken: Made) -> bool:
    """Whether any number of the workbook is another one, and all are numbers: nobody hands in a sheet of #VALUE!."""
    pairs = [(float(held), broken.book.number(at_)) for at_, held in right.book.values.items()]
    if not all(math.isfinite(other) for _, other in pairs):
        return False
    return any(abs(held - other) > 1e-9 * max(1.0, abs(held)) for held, other in pairs)


def kin(made: Made, key: Key, home: Key | None = None) -> list[Key]:
    """Others of the same family at the same step and example."""
    names = [name for name in dict.fromkeys(k.name for k in made.trees) if family(name) == family(key.name)]
    found = [Key(name, key.step, key.example) for name in names if name != key.name]
    areas = made.placed.areas
    return [k for k in found if k in made.trees and k != home and (k in areas) == (key in areas)]


def own_parameter(made: Made, node: Tree, key: Key) -> bool:
    """Whether a formula of a weight reads, here, the weight that it moves."""
    own = key.name.removeprefix("new.")
    return isinstance(node, Ref) and node.key.name.removeprefix("new.") == own and node.key != key
