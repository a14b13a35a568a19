"""What exported C needs on a microcontroller: bytes and instructions, measured again by the same programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.network.budget import MOST_INSTRUCTIONS, Budget
from tinyproof.prove.verify.lines import Case, Line
from tinyproof.prove.verify.recompute import Again
from tinyproof.ship.exported import Exported

if TYPE_CHECKING:
    from tinyproof.ship.artefact import Made

BYTES = "it needs so many bytes on a microcontroller"
COUNT = "it takes so many instructions on a microcontroller"


def measured(record: Exported) -> list[str]:
    """What the record of an export says that it needs: bytes, instructions."""
    return [*[BYTES] * bool(record.sized_by), *[COUNT] * bool(record.counted_by)]


def unmeasured(case: Case, place: Path, record: Exported, judged: Budget | None) -> Iterator[Line]:
    """Without the weights nothing is measured again: that is said of a count, and of bytes that a limit hangs on."""
    bytes_hang, count_hangs = _hanging(judged)
    if bytes_hang:
        yield case.line(place, BYTES, None, _lost_bytes(record) or "they were not measured again")
    if count_hangs or record.counted_by:
        yield case.line(place, COUNT, None, _lost_count(record) or "they were not counted again")


def lines(case: Case, place: Path, record: Exported, made: Made, again: Again, judged: Budget | None) -> Iterator[Line]:
    """Both measured again; also said of what nothing measured where a limit of the proof, `judged`, hangs on it."""
    bytes_hang, count_hangs = _hanging(judged)
    if record.sized_by:
        yield _size(case, place, record, made)
    elif bytes_hang:
        yield case.line(place, BYTES, None, _lost_bytes(record))
    if record.counted_by:
        yield _count(case, place, record, made, again)
    elif count_hangs:
        yield case.line(place, COUNT, None, _lost_count(record))


def _hanging(judged: Budget | None) -> tuple[bool, bool]:
    """Whether a limit hangs on bytes, and on instructions."""
    if judged is None:
        return False, False
    return (judged.flash_below, judged.ram_below) != (None, None), judged.instructions_below is not None


def _lost_bytes(record: Exported) -> str:
    return "" if record.sized_by else "nothing measured them"


def _lost_count(record: Exported) -> str:
    return "" if record.counted_by else f"they were not counted: {record.not_counted or 'nobody asked'}"


def _size(case: Case, place: Path, record: Exported, made: Made) -> Line:
    now = made.sized()
    if now.get("sized_by") != record.sized_by:
        return case.line(place, BYTES, None, f"{record.sized_by} measured it, which is not here or does not work")
    told = f"{now['flash']:,} of flash, {now['ram']:,} of RAM"
    return case.line(place, BYTES, (now["flash"], now["ram"]) == (record.flash, record.ram), told)


def _count(case: Case, place: Path, record: Exported, made: Made, again: Again) -> Line:
    now = made.counted(again.dataset.test_images)
    if now.get("counted_by") != record.counted_by:
        why = now.get("not_counted") or f"here it is {now.get('counted_by')}"
        return case.line(place, COUNT, None, f"{record.counted_by} counted them; {why}")
    count = int(now["instructions"])
    told = f"{count:,} {'or more' if count == MOST_INSTRUCTIONS else 'at most'}"
    return case.line(place, COUNT, count == record.instructions, told)
