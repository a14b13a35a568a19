"""An audit step by step, for a place without processes: a browser, whose workers can be ended between two steps.

A worker that had to be ended costs one file: the next worker does `begin` again and goes on with the file after it.
What goes from step to step is JSON, so that it can be kept outside.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tinyproof.api.audit import AuditResult
from tinyproof.api.judge_file import audit_one
from tinyproof.api.judging import as_shown, unreadable
from tinyproof.api.survey import Survey
from tinyproof.check.finding import FileReport
from tinyproof.core.plain_records import from_plain, to_plain
from tinyproof.core.workers import answered


class AuditSteps:
    """`begin` with files, folders and archives, `judge` each file, and `end` with the reports of all of them."""

    def __init__(self) -> None:
        self._survey = Survey()

    def begin(self, paths: Sequence[str]) -> list[str]:
        """The names of the files to judge. Raises InputError where a path is not there."""
        self._survey.add(paths)
        return [item.shown for item in self._survey.items]

    def judge(self, index: int) -> str:
        """The report of one file, as JSON."""
        item = self._survey.items[index]
        value, problem = answered(audit_one, item)
        found = unreadable(item, problem) if value is None else as_shown(item, value)
        return json.dumps(to_plain(found))

    def end(self, reports: Sequence[str], problems: Sequence[str]) -> AuditResult:
        """What the audit says of all of them. `reports`: as `judge` gave them, "" where its worker was ended; then
        `problems` says why, in one line. Raises ValueError where a report is none."""
        files = [
            from_plain(FileReport, json.loads(report)) if report else unreadable(item, problem)
            for item, report, problem in zip(self._survey.items, reports, problems, strict=True)
        ]
        return AuditResult(tuple(files), tuple(self._survey.left_out), layout=self._survey.layout)
