"""The graph of cells ready to be computed: copies followed, formulas that compute alike in one form, all as arrays."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.backprop.tape import Tape, paired, record
from tinyproof.check.workbook.graph.sheetgraph import SheetGraph
from tinyproof.core.arrays import np


@dataclass
class Form:
    """Cells that compute alike. `cells`: their numbers; `reads`: what each reads, (cells, slots)."""

    tape: Tape
    cells: np.ndarray
    reads: np.ndarray


@dataclass
class Net:
    """The graph ready to be computed: copies followed, forms with their cells, everything as arrays.

    `form_of`, `row_of`: which form a cell belongs to (-1: a leaf) and where in it.
    """

    graph: SheetGraph
    size: int
    forms: list[Form]
    form_of: np.ndarray
    row_of: np.ndarray
    src: np.ndarray
    dst: np.ndarray
    canon: np.ndarray

    def reads(self, cell: int) -> list[int]:
        """What the formula of a cell reads, copies followed; nothing for a leaf."""
        form = self.form_of[cell]
        return [] if form < 0 else self.forms[form].reads[self.row_of[cell]].tolist()


def build(graph: SheetGraph) -> Net:
    """Group the formulas by their tape."""
    size = len(graph.places)
    canon = np.arange(size)
    for copy in graph.copies:
        canon[copy] = graph.source(copy)
    groups: dict[tuple[object, ...], tuple[Tape, list[int], list[int]]] = {}
    shared: dict[tuple[int, tuple[str, ...]], tuple[Tape, list[int], list[int]]] = {}  # by formulas of `graph`
    for cell, meaning in graph.meaning.items():
        if cell in graph.copies and canon[cell] != cell:
            continue
        same = id(meaning.expr), tuple(meaning.refs)
        held = shared.get(same)
        if held is None:
            tape = record(paired(meaning.expr), {name: i for i, name in enumerate(meaning.refs)})
            held = shared[same] = groups.setdefault(tape.steps, (tape, [], []))
        held[1].append(cell)
        held[2].extend(meaning.refs.values())
    forms: list[Form] = []
    form_of, row_of = np.full(size, -1), np.zeros(size, dtype=int)
    src, dst = [], []
    for tape, cells, reads in groups.values():
        where = np.array(cells)
        read = canon[np.array(reads, dtype=int).reshape(len(cells), tape.slots)]
        form_of[where], row_of[where] = len(forms), np.arange(len(cells))
        forms.append(Form(tape, where, read))
        src.append(read.ravel())
        dst.append(np.repeat(where, tape.slots))
    for cell, around in graph.opaque_reads.items():
        src.append(canon[np.array(around, dtype=int)])
        dst.append(np.full(len(around), cell))
    joined = (np.concatenate(src), np.concatenate(dst)) if src else (np.zeros(0, int), np.zeros(0, int))
    return Net(
        graph=graph,
        size=size,
        forms=forms,
        form_of=form_of,
        row_of=row_of,
        src=joined[0].astype(int),
        dst=joined[1].astype(int),
        canon=canon,
    )
