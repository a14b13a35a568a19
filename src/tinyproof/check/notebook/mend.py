"""Mends that mend: each is applied to the audit's own copy and read again before anybody sees it.

A mend is kept when its finding is gone and nothing new has come. What only comes to light by it, at another line, was
hidden behind it: it is told as well ("then also"), with a mend of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tinyproof.check.finding import SEVERITIES, Finding
from tinyproof.check.notebook.candidates import candidates
from tinyproof.check.notebook.mended_copy import Edit, key_of, mended, without_log
from tinyproof.check.notebook.rules.thresholds import MOST_READINGS_FOR_MENDS
from tinyproof.check.notebook.study import Study

Judge = Callable[[Study], list[Finding]]
# Half a mend: answers for the right rows beside the labels of the wrong ones; eval() with no train() after it.
_HALVES = ("labels-of-other-rows", "trained-in-evaluation-mode")


# What a mend may say that the notebook does not say yet.
_NEW_WORDS = frozenset(
    (
        *("eval", "zero_grad", "manual_seed", "cross_entropy", "CrossEntropyLoss", "log_softmax", "LogSoftmax"),
        *("shuffle", "True", "False", "dim", "len", "dataset", "transforms", "Compose", "torch"),
        *("batch_size", "reduction", "sum", "mean", "step", "clone", "items", "k", "v", "for", "in"),
    )
)


def _open(study: Study) -> int:
    """How many measurements are on images that are not known."""
    return sum(study.split(turn.loader).kind == "unknown" for turn in study.evaluations)


class _Trial:
    """Readings of the copy: how many are left, and what the unchanged code says."""

    def __init__(self, subject: Study, root: Path, judge: Judge) -> None:
        self.subject, self.root, self.judge = subject, root, judge
        self.left = MOST_READINGS_FOR_MENDS
        self.before = {key_of(finding) for finding in judge(without_log(subject))}
        self.open = _open(subject)
        self.words = set(re.findall(r"\w+", "\n".join("\n".join(lines) for lines in subject.sources.values())))
        self.refused = len(subject.events.impossible) + len(subject.events.unread)

    def unknown(self, edit: Edit) -> bool:
        """Whether an edit speaks of a name that the notebook does not have."""
        code = "\n".join(line for line in edit.after.split("\n") if not line.lstrip().startswith(("#", "pass")))
        return not set(re.findall(r"[A-Za-z_]\w*", code)) <= self.words | _NEW_WORDS

    def read(self, edits: Sequence[Edit]) -> tuple[Study, list[Finding]] | None:
        """The findings of the copy; None where it cannot run as it stands, or no reading is left."""
        if self.left <= 0 or any(self.unknown(edit) for edit in edits):
            return None
        self.left -= 1
        copy = mended(self.subject, edits, self.root)
        if copy is None or len(copy.events.impossible) + len(copy.events.unread) > self.refused:
            return None
        if _open(copy) > self.open:
            return None  # gone from sight is not gone
        return copy, self.judge(copy)

    def knows(self, finding: Finding, edits: Sequence[Edit]) -> bool:
        """Whether the unchanged code has a finding as well: with the same line, or with the one that was replaced."""
        old = {(edit.place.file, edit.place.cell, edit.after): edit.before for edit in edits}
        rule, file, cell, says = key_of(finding)
        return (rule, file, cell, old.get((file, cell, says), says)) in self.before

    def cures(self, finding: Finding, edits: Sequence[Edit]) -> list[Finding] | None:
        """The findings that come to light by edits that remove a finding; None where they do not, or break more."""
        read = self.read(edits)
        if read is None:
            return None
        after = read[1]
        if any(_same_fault(finding, other) for other in after):
            return None
        new = [other for other in after if not self.knows(other, edits)]
        touched = {(e.place.file, e.place.cell, line.strip()) for e in edits for line in e.after.split("\n")}
        caused = [o for o in new if o.rule in (finding.rule, *_HALVES) or _at(o) in touched]
        return None if caused else [other for other in new if other.severity != "note"]


def _at(finding: Finding) -> tuple[str, int | None, str]:
    return key_of(finding)[1:]


def _same_fault(finding: Finding, other: Finding) -> bool:
    """Whether a finding is still there: the same rule at the same place, or one that told the same with its line."""
    return other.rule == finding.rule and (other.place == finding.place or key_of(other) == key_of(finding))


def with_mends(
    subject: Study, findings: list[Finding], root: Path, judge: Judge, words: dict[str, str]
) -> list[Finding]:
    """The findings with mends that were tried, and those hidden behind them. `words`: each rule's mend in words."""
    grave = [finding for finding in findings if finding.severity != "note"]  # a note's mend is told in words
    planned = {id(finding): candidates(subject, finding) if finding in grave else [] for finding in findings}
    if not any(planned.values()):
        return [_in_words(finding, words) for finding in findings]
    trial = _Trial(subject, root, judge)
    kept: dict[int, Edit] = _all_at_once(trial, findings, planned)
    hidden: list[Finding] = []
    for finding in findings if not kept else []:
        for edit in planned[id(finding)]:
            new = trial.cures(finding, [edit])
            if new is not None:
                kept[id(finding)] = edit
                break
    _joined(trial, findings, kept)
    told = [_mended(finding, kept.get(id(finding)), words) for finding in findings]
    errors = [kept[id(finding)] for finding in findings if finding.severity == "error" and id(finding) in kept]
    if errors:
        hidden = _hidden(trial, findings, errors, words)
    return [*told, *hidden]


def _all_at_once(trial: _Trial, findings: list[Finding], planned: dict[int, list[Edit]]) -> dict[int, Edit]:
    """The first mend of each finding, where together they remove all of them: one reading for the plain case."""
    first = {id(finding): planned[id(finding)][0] for finding in findings if planned[id(finding)]}
    places = [edit.place for edit in first.values()]
    if len(set(places)) != len(places):
        return {}
    read = trial.read(list(first.values()))
    if read is None:
        return {}
    wanted = [finding for finding in findings if id(finding) in first]
    if any(_same_fault(finding, other) for finding in wanted for other in read[1]):
        return {}
    edits = list(first.values())
    return first if all(trial.knows(other, edits) for other in read[1]) else {}


def _joined(trial: _Trial, findings: list[Finding], kept: dict[int, Edit]) -> None:
    """Two faults in one line: the mend of each holds that of the other, so that the line can be pasted once."""
    for second in findings:
        first = next((f for f in findings if f is not second and f.place == second.place and id(f) in kept), None)
        edit = kept.get(id(first)) if first is not None else None
        if id(second) not in kept or edit is None or kept[id(second)] == edit or edit.place != second.place:
            continue
        read = trial.read([edit])
        if read is None or first is None:
            continue
        copy, after = read
        again = next((other for other in after if (other.rule, other.place) == (second.rule, second.place)), None)
        for further in candidates(copy, again) if again is not None else []:
            both = Edit(edit.place, edit.before, further.after)
            if further.place == edit.place and all(trial.cures(f, [both]) is not None for f in (first, second)):
                kept[id(first)] = kept[id(second)] = both
                break


def _hidden(trial: _Trial, findings: list[Finding], edits: list[Edit], words: dict[str, str]) -> list[Finding]:
    """The errors and warnings that come to light when all errors are mended, each with a mend of its own."""
    read = trial.read(edits)
    if read is None:
        return []
    copy, after = read
    found = []
    for finding in after:
        if trial.knows(finding, edits) or finding.severity == "note":
            continue
        mend = None
        for edit in candidates(copy, finding):
            again = trial.read([*edits, edit]) if edit.place not in [e.place for e in edits] else None
            if again is not None and not any(_same_fault(finding, other) for other in again[1]):
                mend = edit
                break
        told = _mended(finding, mend, words)
        found.append(replace(told, message=f"then also: {told.message}"))
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _mended(finding: Finding, edit: Edit | None, words: dict[str, str]) -> Finding:
    if edit is None:
        return _in_words(finding, words)
    if edit.place != finding.place:
        return replace(finding, should_say="", fix=f"{edit.place}: {edit.after}")
    return replace(finding, should_say=edit.after, fix=edit.after)


def _in_words(finding: Finding, words: dict[str, str]) -> Finding:
    """Without a line to paste: the rule's mend in words."""
    fix = finding.fix if finding.fix and finding.fix != finding.should_say else words.get(finding.rule, "")
    return replace(finding, should_say="", fix=fix)
