"""What a weight is multiplied with: the same cells that its gradient multiplies the error with."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.backprop.expr import Call, Expr, Var, walk
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.edits import expression
from tinyproof.core.arrays import np

Key = frozenset[int]
ALONE = -1  # a bias is multiplied with nothing
DEEPEST = 3  # formulas between a gradient and its products


class Factors:
    """`forward`: which cells are upstream of an output. `deltas`: those behind the error that are derivatives by a
    computed cell."""

    def __init__(self, net: Net, forward: np.ndarray, deltas: np.ndarray) -> None:
        self.net, self.forward, self.deltas = net, forward, deltas
        self.products: dict[int, list[list[Expr]]] = {}

    def pairs(self, gradients: list[int], leaves: list[int]) -> dict[int, int]:
        """Gradient -> leaf: as many of each that are multiplied with the same cells belong together in order."""
        by_key: dict[Key, tuple[list[int], list[int]]] = {}
        for number, cells, key_of in ((0, gradients, self.of_gradient), (1, leaves, self.of_leaf)):
            for cell in cells:
                key = key_of(cell)
                if key:
                    by_key.setdefault(key, ([], []))[number].append(cell)
        place = self.net.graph.places
        found = dict[int, int]()
        for own, theirs in by_key.values():
            if len(own) == len(theirs):
                ordered = (sorted(cells, key=lambda cell: place[cell]) for cells in (own, theirs))
                found.update(zip(*ordered, strict=True))
        return found

    def of_leaf(self, leaf: int) -> Key:
        """What the forward formulas multiply a leaf with."""
        net, found = self.net, set[int]()
        for reader in np.unique(net.dst[net.src == leaf]).tolist():
            if self.forward[reader]:
                for product in self._products(reader):
                    others = [net.reads(reader)[int(p.name[1:])] for p in product if isinstance(p, Var)]
                    if leaf in others:
                        others.remove(leaf)
                        found.update(others or [ALONE])
        return frozenset(found)

    def of_gradient(self, cell: int, depth: int = 0) -> Key:
        """What a gradient's formula multiplies the error with."""
        net, found = self.net, set[int]()
        for product in self._products(cell) if net.form_of[cell] >= 0 else []:  # a copy is multiplied with nothing
            reads = [net.reads(cell)[int(p.name[1:])] for p in product if isinstance(p, Var)]
            back = [c for c in reads if not self.forward[c] and net.form_of[c] >= 0]
            factors = [c for c in reads if self.forward[c]]
            if not back:
                continue
            deeper = frozenset[int]()
            if not factors and len(back) == 1 and not self.deltas[back[0]] and depth < DEEPEST:
                deeper = self.of_gradient(back[0], depth + 1)
            found.update(deeper or factors or [ALONE])
        return frozenset(found)

    def added(self, leaves: set[int]) -> set[int]:
        """The cells in terms of the forward formulas that read these leaves in which none of them is."""
        net, found = self.net, set[int]()
        for reader in np.unique(net.dst[np.isin(net.src, list(leaves))]).tolist():
            for product in self._products(reader) if self.forward[reader] else []:
                reads = {net.reads(reader)[int(p.name[1:])] for p in product if isinstance(p, Var)}
                found |= reads if not reads & leaves else set()
        return found

    def _products(self, cell: int) -> list[list[Expr]]:
        """The terms of the sums in a formula, each as its factors."""
        form = int(self.net.form_of[cell])
        if form < 0:
            return []  # a copy of a cell, or a number
        if form not in self.products:
            expr = expression(self.net.forms[form].tape)
            self.products[form] = [list(_factors(term)) for term in _terms(expr)]
        return self.products[form]


def _terms(expr: Expr) -> Iterator[Expr]:
    """The terms of all sums of a formula that are no sums themselves, and a formula without one."""
    sums = [node for node in walk(expr) if isinstance(node, Call) and node.function in ("add", "sub", "neg")]
    if not sums:
        yield expr
    for node in dict.fromkeys(sums):
        for arg in node.args:
            if not (isinstance(arg, Call) and arg.function in ("add", "sub", "neg")):
                yield arg


def _factors(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Call) and expr.function == "mul":
        for arg in expr.args:
            yield from _factors(arg)
    elif isinstance(expr, Call) and expr.function == "div":
        yield from _factors(expr.args[0])
    else:
        yield expr
