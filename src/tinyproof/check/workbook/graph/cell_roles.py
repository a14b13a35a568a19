"""How cells are read: in which slots of which formulas, and by which cells."""

from __future__ import annotations

from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.order import Order
from tinyproof.core.arrays import np


class Roles:
    """How each cell is read: in which slots of which forms, each a number."""

    def __init__(self, net: Net) -> None:
        pairs, first = [np.zeros((0, 2), dtype=int)], 0
        self.first: list[int] = []  # the first slot of each form
        for form in net.forms:
            self.first.append(first)
            cells = form.reads.ravel()
            slots = first + np.tile(np.arange(form.tape.slots), len(form.cells))
            pairs.append(np.stack([cells, slots], axis=1))
            first += form.tape.slots
        key = np.unique(np.concatenate(pairs) @ np.array([first + 1, 1]))
        self.slots = (key % (first + 1)).tolist()
        self.start = np.searchsorted(key // (first + 1), np.arange(net.size + 1)).tolist()

    def of(self, cell: int) -> set[int]:
        return set(self.slots[self.start[cell] : self.start[cell + 1]])


class Readers:
    """Which of some cells read a cell; looked up once for each that is asked about."""

    def __init__(self, order: Order, among: np.ndarray) -> None:
        self.order, self.among = order, among
        self.known: dict[int, set[int]] = {}

    def of(self, cell: int) -> set[int]:
        if cell not in self.known:
            readers = self.order.down.after(np.array([cell]))
            self.known[cell] = set(readers[self.among[readers]].tolist())
        return self.known[cell]
