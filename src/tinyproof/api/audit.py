"""Audit a folder of anything: find the files, judge each in a worker that can be killed, put the answers together.

What a file is, its content says: a zip with a workbook in it is a workbook whatever its name. One unreadable file
never stops the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyproof.api.anonymous import anonymous as put_pseudonyms
from tinyproof.api.anonymous import check_key
from tinyproof.api.feedback import write_feedback
from tinyproof.api.judging import judged
from tinyproof.api.report_cache import ReportCache, cache_folder
from tinyproof.api.survey import Survey
from tinyproof.check import notebook
from tinyproof.check.classes.assignment import Assignment, check_rules, find_assignment
from tinyproof.check.classes.class_changes import Change, changes, earlier_result
from tinyproof.check.classes.class_rows import ClassRow, class_row
from tinyproof.check.classes.held_against import held_against
from tinyproof.check.classes.in_common import in_common, shared
from tinyproof.check.classes.roster import load_roster
from tinyproof.check.classes.submissions import Names, submissions
from tinyproof.check.finding import FileReport, Report
from tinyproof.check.notebook.rules import CATALOGUE
from tinyproof.core import cluster as clusters
from tinyproof.core.errors import InputError
from tinyproof.core.files import existing
from tinyproof.core.plain_records import to_plain
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Table
from tinyproof.show import audit_text
from tinyproof.show.audit_page import audit_page
from tinyproof.show.changes_text import change_lines, changes_text, counted
from tinyproof.show.class_table import class_table
from tinyproof.show.feedback_template import FeedbackTemplate, load_template
from tinyproof.show.grades_table import grades_table, who_text
from tinyproof.show.terminal import terminal


@dataclass(frozen=True, repr=False)
class AuditResult(Printed, Report):
    """What the audit says of each file: `files` with their status and findings, in the order of the paths.

    `exit_code`: 1 when a file is wrong, undecided or unreadable (undecided is not a pass), else 0. `asked`: the
    assignment that they were held against; `judged`: the files as they were before. `layout`: where the submissions of
    a course of nbgrader lie, as `{name}/ps1`. `anonymous`: names and paths are pseudonyms. `changes`: what is otherwise
    than in an earlier result; None where none was named.
    """

    asked: Assignment | None = None
    judged: tuple[FileReport, ...] = ()
    layout: str = ""
    anonymous: bool = False
    changes: tuple[Change, ...] | None = None

    def parts(self) -> Sequence[Part]:
        """Of one file its findings; of several a row a file, and what they have in common."""
        return [audit_text.explain(self)] if len(self.files) == 1 else audit_text.summary_parts(self)

    def text(self, *, details: bool = False) -> str:
        """Every finding of every file. `details`: in notebooks each with its reason and mend."""
        told = [] if self.changes is None else [changes_text(self.changes, details)]
        return "\n\n".join([audit_text.explain(self, details, self.asked.points if self.asked else None), *told])

    def summary(self) -> str:
        """A row a file, what the files have in common, and what changed."""
        told = [] if self.changes is None else [changes_text(self.changes)]
        return "\n\n".join([audit_text.summary(self), *told])

    def table(self) -> Table:
        """A row a finding (or a file without one), for a spreadsheet: `table().csv()`."""
        return audit_text.findings_table(self)

    def rows_table(self) -> Table:
        """The rows of the class as a table, for a spreadsheet: `rows_table().csv()`."""
        return class_table(self.rows(), self.asked.title if self.asked else "points")

    def html(self) -> str:
        """The class report: one self-contained page, a line a submission, wrong cells marked in their sheets."""
        told = None if self.changes is None else [counted(self.changes), *change_lines(self.changes)]
        return audit_page(self, in_common(self), points=self.asked.points if self.asked else None, changed=told)

    def rows(self) -> list[ClassRow]:
        """A row a submission: how its workbook and notebook stand, accuracy claimed and logged, parameters, epochs."""
        points = self.asked.points if self.asked else None
        return [class_row(one, points) for one in submissions(self.files, self.left_out)]

    def to_json(self) -> dict[str, Any]:
        """The whole result as plain data, as the documented schema says (`tinyproof/check/result.schema.json`)."""
        told = None if self.changes is None else [to_plain(change) for change in self.changes]
        rows = [row.to_json() for row in self.rows()]
        return super().to_json() | {"submissions": rows, "shared": shared(self), "changes": told}

    def against(self, assignment: Path | str | None) -> AuditResult:
        """The same files held against an assignment: the name of one that comes with the package, or a TOML file.

        What was asked and is not there is a finding; what could not be checked leaves a file undecided. None: as they
        are. Raises DataError, InputError.
        """
        if assignment is None:
            return self
        asked, files = _assignment(assignment), self.judged or self.files
        return replace(self, files=held_against(files, self.left_out, asked), asked=asked, judged=files)

    def grades(self, assignment: Path | str | None = None, roster: Path | str | None = None) -> Table:
        """A row a submission with its points, for a learning platform: `grades().csv()`.

        `assignment`: as for `audit`, where it was not given there. `roster`: CSV with headings, as the platform exports
        it; its columns are kept, and who is missing or unknown is said. What could not be decided gets no points: a
        person has to look. Raises DataError, InputError.
        """
        held = self.against(assignment)
        listed = load_roster(existing(roster, "roster")) if roster is not None else None
        return grades_table(submissions(held.files, held.left_out), held.asked or Assignment(), listed)

    def roster_text(self, roster: Path | str, *, details: bool = False) -> str:
        """Who of a roster is missing, and which submissions stand in no row, or in one with others.

        `details`: all of their names, not the first of many. Raises DataError, InputError.
        """
        listed = load_roster(existing(roster, "roster"))
        found = submissions(self.files, self.left_out)
        return who_text(found, listed, None) if details else who_text(found, listed)

    def feedback(
        self, folder: Path | str, assignment: Path | str | None = None, templates: Sequence[Path | str] = ()
    ) -> list[Path]:
        """A page and Markdown for each submission, without a word about the others; the paths written.

        `assignment`: as for `audit`, where it was not given there; the points, and how they come about, then stand on
        the pages. `templates`: your own words around it, a file of HTML and one of Markdown, with `$name`, `$status`,
        `$sentence`, `$points`, `$how`, `$title`, `$body` and (in HTML) `$style` in them. The feedback on a course of
        nbgrader lies in folders as nbgrader has them. Raises DataError, InputError, OutputError.
        """
        held, own = self.against(assignment), self.templates(templates)
        points = held.asked.points if held.asked else None
        found = submissions(held.files, held.left_out)
        return write_feedback(found, folder, points, own, self.layout, receipts=not self.anonymous)

    @staticmethod
    def templates(paths: Sequence[Path | str]) -> list[FeedbackTemplate]:
        """The templates for `feedback`, read and checked. Raises DataError, InputError."""
        found = [load_template(existing(path, "template")) for path in paths]
        if len({template.kind for template in found}) < len(found):
            raise InputError(
                "template",
                ", ".join(map(str, paths)),
                "give one of HTML, and one of Markdown",
                problem="are two of a kind",
            )
        return found


def _assignment(which: Path | str) -> Assignment:
    """An assignment whose rules are rules of an audit. Raises DataError, InputError."""
    from tinyproof.check.workbook import KINDS, KINDS_OF_EXERCISES

    asked = find_assignment(which)
    check_rules(asked, [*KINDS, *KINDS_OF_EXERCISES, *CATALOGUE], str(which))
    return asked


def audit(
    *paths: Path | str,
    jobs: int | None = None,
    disable: Sequence[str] = (),
    convert: bool = False,
    student: str = "",
    one: bool = False,
    assignment: Path | str | None = None,
    cache: Path | str | None = None,
    no_cache: bool = False,
    since: Path | str | None = None,
    anonymous: Path | str | None = None,
    cluster: str | None = None,
    quiet: bool = False,
) -> AuditResult:
    """Read hand-made workbooks as mathematics and training notebooks with their logs, and name what is wrong.

    `paths`: files, folders and .zip archives. In a folder of submissions each folder, archive and loose file is one
    submission; `student` says how its name stands in that of the file or folder, as `{name}_*.xlsx`. `one`: the folder
    is one student's, so its loose files are one submission. `jobs`: worker processes; None uses all cores. `disable`:
    rules of the notebook audit not to apply. `convert`: let LibreOffice, where it is installed, turn an old or foreign
    workbook (.xls, .xlsb, .numbers) into one that can be read. Nothing else is executed. `assignment`: what was asked,
    the name of one that comes with the package (`course-workbook`, `mnist-20k`, `mnist-8k`) or a TOML file; right then
    means what was asked. What was said of a file is kept in the folder `cache` (None: the user's cache) and said again
    for the same content, code and options, unless `no_cache`. `since`: an earlier result (`--json`), to say what
    changed. `anonymous`: a file for the key; every name in the result is then a pseudonym. `cluster`: judge on Dask
    workers, `local:4` or the address of a scheduler, to which the files are sent. Raises InputError where a
    path is not there or a rule has no such name, and for a wrong assignment; Stopped after Ctrl-C. What cannot be read
    or decided is said of its file, and stops no other.

    >>> import tinyproof
    >>> path = tinyproof.workbook("course", "handed-in.xlsx", iterations=20).path
    >>> found = tinyproof.audit(path, quiet=True)
    >>> found.files[0].status, found.exit_code
    ('right', 0)
    """
    if disable:
        notebook.check_rules(disable)
    if assignment is not None:
        _assignment(assignment)  # what is wrong with it is said before the work
    before = earlier_result(existing(since, "since")) if since is not None else ()
    if anonymous is not None:
        check_key(anonymous)
    if no_cache and cache is not None:
        raise InputError("cache", str(cache), "leave one of --cache and --no-cache out", problem="is not to be used")
    if one and student:
        raise InputError("student", student, "leave --student or --one out", problem="is not to be used with --one")
    if cluster is not None:
        if jobs is not None:
            allowed = "leave --jobs or --cluster out: the workers say how many files are judged at once"
            raise InputError("jobs", jobs, allowed, problem="goes without --cluster")
        clusters.check(cluster)
    with Survey(Names(student), one) as survey:
        survey.add(paths)
        asked = [*survey.items, *survey.handed_out]
        items = [replace(item, disabled_rules=tuple(disable), convert=convert) for item in asked]
        folder = None if no_cache else cache_folder(cache)
        kept = ReportCache(folder).open()
        if kept.problem and cache is not None:
            raise InputError("cache", str(cache), "name a folder of your own", problem=kept.problem)
        with terminal(quiet=quiet or not sys.stderr.isatty(), errors=True) as listener:
            if kept.problem:
                listener.say(f"nothing is kept: {folder} {kept.problem}")
            if assignment is not None and (loose := survey.loose()):
                listener.say(
                    f"each loose file of {loose} is held against the assignment by itself: if they are one student's, "
                    "say --one; whose is whose, --student says"
                )
            reports = judged(items, jobs, listener, kept, cluster)
    count = len(survey.items)
    given_code = frozenset(block.same for report in reports[count:] for block in report.blocks)
    hidden = anonymous is not None
    plain = AuditResult(reports[:count], tuple(survey.left_out), given_code, layout=survey.layout, anonymous=hidden)
    result = plain.against(assignment)
    if anonymous is not None:
        named, judged_before, before = put_pseudonyms(result, result.judged, before, anonymous)
        result = replace(result, files=named.files, left_out=named.left_out, judged=judged_before)
    return result if since is None else replace(result, changes=changes(before, result))
