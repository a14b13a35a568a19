"""A training found in a graph: its updates, its steps, the objective they follow, and how well each follows it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tinyproof.backprop.tape import Array
from tinyproof.check.workbook.graph.agree import Match
from tinyproof.check.workbook.graph.cell_net import Net
from tinyproof.check.workbook.graph.order import Order
from tinyproof.check.workbook.graph.residuals import Residual
from tinyproof.check.workbook.graph.steps import Update
from tinyproof.core.arrays import np

Source = tuple[int, int, tuple[int, ...]]  # a cell, the step of its formula that is the gradient, what it reads besides
Seeds = dict[int, dict[int, tuple[np.ndarray, Array]]]


@dataclass(eq=False)
class Atom:
    """A part of an objective: places in the sheet, each with what its adjoint is per kind of loss.

    `pieces`: (residual or None, rows of it to use); a shown value that is descended itself has `cells`.
    """

    training: int
    pieces: list[tuple[Residual, np.ndarray]] = field(default_factory=list)
    cells: np.ndarray | None = None
    name: str = ""


@dataclass
class Study:
    """All trainings of a workbook.

    For each update (in the order of `updates`): `training`, `step`, `lineage` (the same parameter through the steps),
    `change`, `gradient` of the objective chosen, `match`. `kinds`: the loss that each training follows.
    """

    net: Net
    order: Order
    updates: list[Update]
    parameter: np.ndarray
    successor: np.ndarray
    depends: np.ndarray
    values: Array
    final: Array
    change: Array
    label: np.ndarray
    training: np.ndarray
    step: np.ndarray
    lineage: np.ndarray
    gradient: Array
    match: Match
    kinds: dict[int, str] = field(default_factory=dict)
    chosen: dict[int, list[Atom]] = field(default_factory=dict)
    residuals: list[Residual] = field(default_factory=list)
    comparisons: list[Residual] = field(default_factory=list)
    forward: np.ndarray | None = None
    given: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))  # upstream of an output or a target
    atoms: dict[int, list[Atom]] = field(default_factory=dict)  # by training
    compared: dict[int, list[Atom]] = field(default_factory=dict)
    margins: dict[int, list[Atom]] = field(default_factory=dict)
    limits: list[Residual] = field(default_factory=list)  # where a margin is compared with a number
    decayed: list[int] = field(default_factory=list)  # updates that take off a share of their own parameter as well
    taken: Array = field(default_factory=lambda: np.zeros((0, 0)))  # what they take off, over their rate
    disputed: dict[int, str] = field(default_factory=dict)  # trainings of which several readings are possible -> why
    states: dict[int, int] = field(default_factory=dict)  # update -> the cell that holds its gradient
    climbs: set[int] = field(default_factory=set)  # trainings whose changes go up through their states, all of them
    sources: dict[int, list[Source]] = field(default_factory=dict)  # update -> where its gradient is on its way
    # Found out once, whatever the gradient: of these cells and values alone, so that a copy with others starts anew.
    ways: dict[int, list[list[int]]] = field(init=False, default_factory=dict)  # by update
    parts: dict[int, tuple[list[int], Array]] = field(init=False, default_factory=dict)  # by cell
    read_back: dict[int, list[int]] = field(init=False, default_factory=dict)  # by cell
    ways_back: dict[int, AbstractSet[int]] = field(init=False, default_factory=dict)  # by update

    def updates_that_follow(self) -> list[Update]:
        return [self.updates[u] for u in np.flatnonzero(self.match.ok)]

    def trainings(self) -> list[int]:
        return [int(t) for t in np.unique(self.training)]


def labels(size: int, src: np.ndarray, dst: np.ndarray) -> np.ndarray:
    """Connected parts: equal numbers for nodes that edges join."""
    label = np.arange(size)
    while len(src):
        least = np.minimum(label[src], label[dst])
        before = label.copy()
        np.minimum.at(label, label[src], least)
        np.minimum.at(label, label[dst], least)
        label = label[label]
        label = label[label]
        if np.array_equal(label, before):
            break
    return label


def grouped(numbers: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each number that occurs, and where, in order: quicker than looking for one after the other."""
    by = np.argsort(numbers, kind="stable")
    first = np.flatnonzero(np.diff(numbers[by], prepend=numbers[by[:1]] - 1))
    return [(int(numbers[own[0]]), own) for own in np.split(by, first[1:])] if len(by) else []
