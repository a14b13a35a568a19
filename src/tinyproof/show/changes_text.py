"""What changed since an earlier result, in words: a line a file, with the findings that came and went."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from tinyproof.check.classes.class_changes import Change

_MOST, _WIDTH = 12, 80


def changes_text(changes: Sequence[Change], details: bool = False) -> str:
    """How many are new, gone and changed, and what of each; not all of many, unless `details` are asked for."""
    lines = change_lines(changes)
    shown = lines if details else lines[:_MOST]
    told = [textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="    ") for line in shown]
    more = [f"  and {len(lines) - _MOST} more; --details prints all"] if len(lines) > len(shown) else []
    return "\n".join([counted(changes), *told, *more])


def counted(changes: Sequence[Change]) -> str:
    """`since then: 1 new, 2 changed`; that nothing changed is said too."""
    kinds = Counter("new" if not each.was else "gone" if not each.now else "changed" for each in changes)
    return "since then: " + (", ".join(f"{kinds[kind]} {kind}" for kind in ("new", "gone", "changed") if kinds[kind])
                             or "nothing changed")  # fmt: skip


def change_lines(changes: Sequence[Change]) -> list[str]:
    """A line a file."""
    return [_line(each) for each in changes]


def _line(each: Change) -> str:
    if not each.was:
        return f"new: {each.file}: {each.now}" + _listed("", each.come)
    if not each.now:
        return f"gone: {each.file} (it was {each.was})"
    status = each.now if each.was == each.now else f"{each.was} before, now {each.now}"
    return f"changed: {each.file}: {status}" + _listed("new: ", each.come) + _listed("gone: ", each.gone)


def _listed(word: str, findings: Sequence[str]) -> str:
    return f"; {word}" + "; ".join(findings) if findings else ""
