"""Headings that say something else than the formulas below them: notes, since the formulas decide."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tinyproof.backprop.expr import names
from tinyproof.check.workbook.rules.judge import Judge
from tinyproof.check.workbook.rules.mistake import Mistake
from tinyproof.check.workbook.understand.patterns import column_of, current
from tinyproof.check.workbook.understand.structure import terms
from tinyproof.check.workbook.understand.template import Templates


def check_headings(judge: Judge, renamed: Mapping[int, str], bad: set[int]) -> list[Mistake]:
    """One note a column. `renamed`: columns that the formulas named anew; `bad`: columns with a wrong formula."""
    roles = judge.roles
    told: dict[int, str] = {col: roles.names[col] for col in (*roles.surprises, *renamed)}
    for col, word in judge.table.words.items():
        if col in roles.names and word.kind == roles.kinds[col] and roles.names[col] != word.name:
            told.setdefault(col, roles.names[col])
    if not bad:
        settled = dict(roles.names)
        for look in (_nets, _acts, _losses):
            found = look(judge, settled)
            settled.update(found)
            told = {**dict(found), **told}
    return [_note(judge, col, name) for col, name in sorted(told.items())]


def _note(judge: Judge, col: int, name: str) -> Mistake:
    text = judge.table.texts.get(col, "")
    message = f'the heading "{text[:40]}" stands over {name}: the formulas use the column as that'
    rows = (judge.table.header,) if judge.table.header else ()
    return Mistake("header", "note", judge.table.sheet, name, message, col, rows, says=text[:60], should_say=name)


def _own(settled: Mapping[int, str], name: str) -> str:
    place = column_of(name)
    return settled.get(place.col, "") if place is not None else ""


def _acts(judge: Judge, settled: Mapping[int, str]) -> list[tuple[int, str]]:
    """a_h1 over the activation of h2, where another column is called a_h2."""
    found = []
    for col in judge.roles.of("act"):
        expr = judge.network.equation(current(col))
        read = names(expr) if expr is not None else ()
        right = f"a_{_own(settled, read[0])}" if len(read) == 1 and _own(settled, read[0]) else ""
        if right and right != settled[col] and judge.roles.named(right) is not None:
            found.append((col, right))
    return found


def _losses(judge: Judge, settled: Mapping[int, str]) -> list[tuple[int, str]]:
    """E1 over the loss of the second output; or targets that have changed places."""
    found: list[tuple[int, str]] = []
    for col in judge.roles.of("loss"):
        expr = judge.network.equation(current(col))
        read = [_own(settled, name) for name in names(expr)] if expr is not None else []
        target = next((n for n in read if re.fullmatch(r"t\d+", n)), "")
        output = next((n for n in read if re.fullmatch(r"a_o\d+", n)), "")
        own = judge.roles.names[col].removeprefix("E")
        if not target or not output or not own.isdigit():
            continue
        if target[1:] == output[3:] != own and judge.roles.named(f"E{output[3:]}") is not None:
            found.append((col, f"E{output[3:]}"))
        elif target[1:] != output[3:] == own and judge.roles.named(f"t{own}") is not None:
            held = judge.roles.named(target)
            found += [(held, f"t{own}")] if held is not None else []
    return found


def _nets(judge: Judge, settled: Mapping[int, str]) -> list[tuple[int, str]]:
    """h1 over the sum that has exactly the weights of h2, when weights are numbered unit by unit."""
    written = {e.name: e.expr for e in judge.network.equations}
    templates = Templates(judge.roles, written)
    textbook = {col: set(pairs.values()) for col, pairs in templates.numbering().items()}
    found = []
    for col, wanted in textbook.items():
        expr = written.get(current(col))
        held = {n for _, factors in terms(expr) or [] for n in factors if n in templates.weights} if expr else set()
        other = next((c for c, weights in textbook.items() if weights == held), None)
        if held != wanted and other is not None:
            found.append((col, settled[other]))
    return found
