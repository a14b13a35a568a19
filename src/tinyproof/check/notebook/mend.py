"""Mends that mend: each is applied to the audit's own copy and read again before anybody sees it.

A mend is kept when its finding is gone and nothing new has come. What only comes to light by it, at another line, was
hidden behind it: it is told as well ("then also"), with a mend of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tinyproof.check.finding import SEVERITIES, Finding
from tinyproof.check.notebook.candidates import candidates
from tinyproof.check.notebook.mended_copy import Edit, key_of, mended, without_log
from tinyproof.check.notebook.rules.thresholds import MOST_READINGS_FOR_MENDS
from tinyproof.check.notebook.study import Study

Judge = Callable[[Study], list[Finding]]


class _Trial:
    """Readings of the copy: how many are left, and what the unchanged code says."""

    def __init__(self, subject: Study, root: Path, judge: Judge) -> None:
        self.subject, self.root, self.judge = subject, root, judge
        self.left = MOST_READINGS_FOR_MENDS
        self.before = {key_of(finding) for finding in judge(without_log(subject))}
        self.refused = len(subject.events.impossible) + len(subject.events.unread)

    def read(self, edits: Sequence[Edit]) -> tuple[Study, list[Finding]] | None:
        """The findings of the copy; None where it cannot run as it stands, or no reading is left."""
        if self.left <= 0:
            return None
        self.left -= 1
        copy = mended(self.subject, edits, self.root)
        if copy is None or len(copy.events.impossible) + len(copy.events.unread) > self.refused:
            return None
        return copy, self.judge(copy)

    def cures(self, finding: Finding, edits: Sequence[Edit]) -> list[Finding] | None:
        """The findings that come to light by edits that remove a finding; None where they do not, or break more."""
        read = self.read(edits)
        if read is None:
            return None
        after = read[1]
        if any(_same_fault(finding, other) for other in after):
            return None
        new = [other for other in after if key_of(other) not in self.before]
        touched = {(e.place.file, e.place.cell, line.strip()) for e in edits for line in e.after.split("\n")}
        caused = [other for other in new if other.rule == finding.rule or _at(other) in touched]
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
    planned = {id(finding): candidates(subject, finding) for finding in findings}
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
    return first if all(key_of(other) in trial.before for other in read[1]) else {}


def _hidden(trial: _Trial, findings: list[Finding], edits: list[Edit], words: dict[str, str]) -> list[Finding]:
    """The errors and warnings that come to light when all errors are mended, each with a mend of its own."""
    read = trial.read(edits)
    if read is None:
        return []
    copy, after = read
    known = {key_of(finding) for finding in findings} | trial.before
    found = []
    for finding in after:
        if key_of(finding) in known or finding.severity == "note":
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
    return replace(finding, should_say=edit.after, fix=edit.after)


def _in_words(finding: Finding, words: dict[str, str]) -> Finding:
    """Without a line to paste: the rule's mend in words."""
    fix = finding.fix if finding.fix and finding.fix != finding.should_say else words.get(finding.rule, "")
    return replace(finding, should_say="", fix=fix)
