"""What one student gets back: what is right, each mistake with where, why and the mend; no word about anybody else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tinyproof.check.classes.grades import Grade, Points, grade
from tinyproof.check.classes.submissions import Submission
from tinyproof.check.finding import FileReport, Finding, Report
from tinyproof.core.markdown import code, plain
from tinyproof.show.audit_page import audit_body, audit_page, shared_folder
from tinyproof.show.feedback_template import FeedbackTemplate

MARK = "<!-- written by tinyproof audit --feedback; written anew by the same command -->"
_WORDS = {
    "right": "Everything that was checked is right.",
    "wrong": "Something is wrong; each mistake is below, with what to write instead.",
    "unsupported": "A figure is claimed that no output here supports.",
    "undecided": "Some of it could not be decided; why is below.",
    "unreadable": "It could not be read; why is below.",
    "nothing to judge": "Nothing is measured or claimed that could be checked.",
}


def feedback_page(one: Submission, points: Points | None = None, template: FeedbackTemplate | None = None) -> str:
    """One self-contained page of HTML; with a rubric, the points; in a teacher's own words with a `template`."""
    name = _title(one)
    files = tuple(replace(file, submission=name) for file in one.files)
    left_out = tuple(replace(left, submission=name) for left in one.left_out)
    report = Report(files, left_out)
    if template is None:
        return audit_page(report, title=name, intro=_intro(one, points)) + MARK + "\n"
    body, style = audit_body(report)
    return template.filled(_places(one, points) | {"body": body, "style": style}) + "\n" + MARK + "\n"


def _places(one: Submission, points: Points | None) -> dict[str, str]:
    """What a template can name, as text."""
    given = grade(one, points) if points is not None else None
    told = "" if given is None or points is None else _points(given, points)
    words = given.words() if given is not None else ""
    title = _title(one)
    return {"name": title, "title": f"{title}: {one.status}", "status": one.status, "sentence": _WORDS[one.status],
            "points": told, "how": words}  # fmt: skip


def _points(given: Grade, points: Points) -> str:
    return "not given yet" if given.points is None else f"{given.points:g} of {points.full:g}"


def _title(one: Submission) -> str:
    """The name without the folders before it: where the teacher keeps them is nobody's matter."""
    return Path(one.name).name or one.name


def _intro(one: Submission, points: Points | None) -> str:
    """How it stands, and the points with what they are made of."""
    if points is None:
        return _WORDS[one.status]
    given = grade(one, points)
    return f"{_WORDS[one.status]} Points: {_points(given, points)}" + (f" ({given.words()})." if given.words() else ".")


def feedback_markdown(one: Submission, points: Points | None = None, template: FeedbackTemplate | None = None) -> str:
    """The same as Markdown, for a comment box."""
    head = [f"# {plain(_title(one))}: {one.status}", plain(_intro(one, points))]
    if template is None:
        return "\n\n".join([MARK, *head, *_blocks(one)]) + "\n"
    body = "\n\n".join(_blocks(one))
    places = {name: plain(text) for name, text in _places(one, points).items()}
    return f"{MARK}\n\n{template.filled(places | {'body': body, 'style': ''})}"


def _blocks(one: Submission) -> list[str]:
    """Its files one after the other, and what of it was not read."""
    prefix = shared_folder([str(Path(file.file).parent) for file in one.files])
    blocks: list[str] = []
    for file in one.files:
        shown = os.path.relpath(file.file, prefix) if prefix else file.file
        blocks += [f"## {plain(shown)}: {file.status}", *_file(file)]
    if one.left_out:
        blocks += [
            "## Not read",
            *(f"- {plain(Path(left.file).name)}: {plain(left.why)}" for left in one.left_out),
        ]
    return blocks


def _file(file: FileReport) -> list[str]:
    checked = "\n".join(f"- {plain(line)}" for line in file.checked)
    findings = [_finding(number, finding) for number, finding in enumerate(file.findings, 1)]
    problem = [f"Open: {plain(file.problem)}"] if file.problem else []
    return [*([checked] if checked else []), *problem, *findings]


def _finding(number: int, finding: Finding) -> str:
    """A numbered paragraph, with a line each for what it says, what it should say, why, and the mend."""
    lines = [f"{number}. **{finding.severity}**, {plain(str(finding.place))}: {plain(finding.message)}"]
    told = (
        ("it says", code(finding.says)),
        ("it should say", code(finding.should_say)),
        ("why", plain(finding.why)),
        ("put right", code(finding.fix) if finding.fix != finding.should_say else ""),
        ("effect", plain(finding.effect)),
    )
    return "\n".join([*lines, *(f"   - {word}: {text}" for word, text in told if text)])
