"""What the page and the text of a proof say more where the exports of its runs are judged, not the networks."""

from __future__ import annotations

from typing import Any

from tinyproof.core.table import Column
from tinyproof.prove.proof import Proof, Result, seed_folder
from tinyproof.train import store

# Of runs that are judged by their exports: what the network reads right itself, and what the export needs.
_COLUMNS = (
    Column("network right", "right", ","), Column("other class", "right", ","), Column("flash", "right", ","),
    Column("RAM", "right", ","),
)  # fmt: skip


def columns(found: Proof) -> tuple[Column, ...]:
    """Those of such runs; of instructions only where they were counted."""
    if not found.exports:
        return ()
    return (*_COLUMNS, *([Column("instructions", "right", ",")] if _counted(found) else []))


def _counted(found: Proof) -> bool:
    """Whether the instructions of any run were counted: then every run has a cell for them."""
    return any(one.instructions is not None for one in found.exports)


def words(found: Proof) -> str:
    """What is judged in the place of the networks, in words; nothing where they are."""
    return f", as {found.declaration.judged_as}" if found.declaration.judged_as else ""


def network_rows(found: Proof) -> list[tuple[str, str]]:
    """What the networks themselves read right, beside their exports that are judged."""
    beside = found.beside
    if beside is None:
        return []
    few, many = min(beside.changed), max(beside.changed)
    rows = [("mean of the networks themselves", f"{beside.mean:.3f} %")]
    if beside.paired is not None:
        low, high = beside.paired.interval.low, beside.paired.interval.high
        between = f"{beside.paired.mean:+.3f} points; {low:+.3f} to {high:+.3f}"
        rows.append(("exported less network, pair by pair; 95 % interval", between))
    changed = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    return [*rows, ("images with another class than the network's, a run", f"{changed} of {beside.images:,}")]


def of_run(found: Proof, result: Result) -> tuple[Any, ...]:
    """What a run that is judged by its export says more, for `columns`; None where something was not measured."""
    one = result.export
    if one is None:
        return ()
    counted = (one.instructions,) if _counted(found) else ()
    return (result.predictions.correct, one.record.changed, one.flash, one.ram, *counted)


def not_yet(found: Proof, seed: int) -> str:
    """What keeps a declared run from being judged."""
    trained = store.finished(seed_folder(found.folder, seed))
    return f"trained, not exported to {found.declaration.judged_as} yet" if trained else "not run yet"


def evidence(found: Proof) -> list[tuple[str, str]]:
    """What made and what ran the exports that are judged."""
    records = [one.record for one in found.exports]
    told = {
        "judged": {f"what each run answers as {one.to}, tinyproof {one.version}" for one in records},
        "the exports were run by": {one.runner for one in records},
        "flash and RAM were measured by": {one.sized_by for one in records} - {""},
        "instructions were counted by": {one.counted_by for one in records} - {""},
        "instructions were not counted": {one.not_counted for one in records} - {""},
    }
    return [(name, "; ".join(sorted(values))) for name, values in told.items() if values]
