"""Folds made by hand: `x[i * n:(i + 1) * n]` is held out, `x[:i * n]` and `x[(i + 1) * n:]` joined are learned from."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.notebook.interpreter.machine import Machine
from tinyproof.check.notebook.interpreter.rows import Cut, Path, Rows


def all_but_a_fold(machine: Machine, joined: list[Rows]) -> Rows | None:
    """What is left of rows when the piece between two bounds is left out; None where no such thing is joined."""
    if len(joined) != 2:
        return None
    (start, low), (high, end) = joined[0].turn, joined[1].turn
    whole, other = (tuple(Path(path.root, path.cuts[:-1]) for path in rows.paths) for rows in joined)
    if start in ("", "0") and not end and low and high and whole == other:
        machine.events.folds.append((whole, low, high))
        return _part(replace(joined[0], paths=whole), (low, high), "train")
    return None


def held_out(machine: Machine, rows: Rows | None) -> Rows | None:
    """The rows, cut where they are a fold whose complement was joined."""
    if rows is None or (rows.paths, *rows.turn) not in machine.events.folds:
        return rows
    return _part(rows, rows.turn, "held out")


def _part(rows: Rows, bounds: tuple[str, str], part: str) -> Rows:
    cut = rows.cut(Cut("split", ("by hand", *bounds), part))
    cut.turn = ("", "")
    return cut
