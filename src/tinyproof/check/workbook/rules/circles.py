"""Circular references: cells that depend on themselves, so that a spreadsheet cannot compute them."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.backprop.expr import Var, names, total
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.grid import address
from tinyproof.check.workbook.understand.meaning import order
from tinyproof.check.workbook.understand.patterns import InTable, column_of, current

Node = tuple[int, int]  # row position, column


def check_circles(judge: Judge, found: list[Mistake]) -> list[Mistake]:
    """One finding for a table that goes round in a circle, at the wrong formula that closes it."""
    if any(m.kind == "circular" for m in found) or not _possible(judge):
        return []
    circle = _on_a_circle(_graph(judge))
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


def _on_a_circle(graph: dict[Node, list[Node]]) -> set[Node]:
    """The cells that depend on themselves: what is left when cells that lead nowhere, and that nothing reads, go."""
    left = _without_ends(graph)
    backwards: dict[Node, list[Node]] = {}
    for node, targets in left.items():
        for target in targets:
            backwards.setdefault(target, []).append(node)
    return set(_without_ends({node: backwards.get(node, []) for node in left}))


def _without_ends(graph: dict[Node, list[Node]]) -> dict[Node, list[Node]]:
    """The graph without the nodes from which no circle can be reached."""
    readers: dict[Node, list[Node]] = {}
    waiting = dict.fromkeys(graph, 0)
    for node, targets in graph.items():
        inside = [target for target in targets if target in graph]
        waiting[node] = len(inside)
        for target in inside:
            readers.setdefault(target, []).append(node)
    free = [node for node, count in waiting.items() if count == 0]
    while free:
        done = free.pop()
        for reader in readers.get(done, []):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                free.append(reader)
    kept = {node for node, count in waiting.items() if count > 0}
    return {node: [target for target in graph[node] if target in kept] for node in kept}
