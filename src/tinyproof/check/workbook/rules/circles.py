"""Circular references: cells that depend on themselves, so that a spreadsheet cannot compute them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from tinyproof.backprop.expr import Var, names, total
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.grid import address
from tinyproof.check.workbook.understand.meaning import order
from tinyproof.check.workbook.understand.patterns import InTable, column_of, current

Node = tuple[int, int]  # row position, column
T = TypeVar("T")


def check_circles(judge: Judge, found: list[Mistake]) -> list[Mistake]:
    """One finding for a table that goes round in a circle, at the wrong formula that closes it."""
    if any(m.kind == "circular" for m in found) or not _possible(judge):
        return []
    circle = on_a_circle(_graph(judge))
    if not circle:
        return []
    rows = judge.table.rows
    place = {row: position for position, row in enumerate(rows)}
    guilty = [m for m in found if m.severity == "error" and any((place.get(r, -1), m.col) in circle for r in m.rows)]
    first = min(guilty, key=lambda m: m.order(), default=None)
    position, col = min(circle) if first is None else (place[first.rows[0]], first.col)
    name = judge.roles.names[col]
    cells = first.rows if first is not None else tuple(rows[p] for p, c in sorted(circle) if c == col)
    message = f"{name} goes round in a circle: {address(rows[position], col)} depends on itself"
    says, fix = (first.says, first.fix) if first is not None else ("", "")
    why = "a spreadsheet cannot compute it (or stops after some rounds with numbers that mean nothing)"
    should = first.should_say if first is not None else ""
    return [
        Mistake(
            kind="circular",
            severity="error",
            sheet=judge.table.sheet,
            column=name,
            message=message,
            col=col,
            rows=cells,
            cells="",
            says=says,
            should_say=should,
            why=why,
            fix=fix,
        )
    ]


def _possible(judge: Judge) -> bool:
    """Whether anything reads its own or a later row in a way that could close a circle."""
    reads: dict[str, set[str]] = {}
    for col, columns in judge.columns.items():
        for pattern in columns.patterns:
            for name in names(pattern.expr) if pattern.expr is not None else ():
                place = column_of(name)
                if place is None:
                    continue
                if place.here:
                    reads.setdefault(current(col), set()).add(name)
                elif place.offset > 0 or (place.fixed or 0) >= pattern.first:
                    return True
    return bool(order({name: total(Var(n) for n in sorted(used)) for name, used in reads.items()})[1])


def _graph(judge: Judge) -> dict[Node, list[Node]]:
    """For every formula cell the cells of the table that it reads."""
    positions = {row: position for position, row in enumerate(judge.table.rows)}
    graph: dict[Node, list[Node]] = {}
    for col, columns in judge.columns.items():
        for pattern in columns.patterns:
            places = [p for n in names(pattern.expr) if (p := column_of(n))] if pattern.expr is not None else []
            for row in pattern.rows:
                graph[positions[row], col] = list(_targets(places, positions[row], positions))
    return graph


def _targets(places: list[InTable], now: int, positions: dict[int, int]) -> Iterator[Node]:
    for place in places:
        yield (now + place.offset if place.fixed is None else positions[place.fixed]), place.col


def on_a_circle(graph: Mapping[T, Collection[T]]) -> set[T]:
    """The nodes that lead back to themselves; `graph`: node -> those it leads to.

    >>> sorted(on_a_circle({1: [2], 2: [1, 3], 3: [4], 4: [4, 5], 5: []}))
    [1, 2, 4]
    """
    return {node for part in circles(graph) for node in part}


def circles(graph: Mapping[T, Collection[T]]) -> list[set[T]]:
    """The nodes that lead back to themselves, those that lead to each other together.

    Source: Tarjan, "Depth-first search and linear graph algorithms" (1972).
    """
    found: list[set[T]] = []
    number: dict[T, int] = {}
    lowest: dict[T, int] = {}
    open_: dict[T, None] = {}
    for root in graph:
        way = [] if root in number else [(root, iter(graph[root]))]
        while way:
            node, targets = way[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                open_[node] = None
            target = next((one for one in targets if one in graph and (one in open_ or one not in number)), None)
            if target is None:
                way.pop()
                if way:
                    lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    part = _closed(open_, node)
                    found += [set(part)] if len(part) > 1 or node in graph[node] else []
            elif target in number:
                lowest[node] = min(lowest[node], number[target])
            else:
                way.append((target, iter(graph[target])))
    return found


def _closed(open_: dict[T, None], node: T) -> list[T]:
    """Everything that was opened from a node on, taken out."""
    part = [open_.popitem()[0]]
    while part[-1] != node:
        part.append(open_.popitem()[0])
    return part
