"""Write what each student gets back: a page and Markdown a submission, nothing of anybody else's overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyproof.api.nbgrader_layout import as_it_is, copy_receipt
from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.submissions import Submission
from tinyproof.core.errors import InputError
from tinyproof.core.files import folder_name, output_folder, write_atomic
from tinyproof.show.feedback_page import MARK, feedback_markdown, feedback_page
from tinyproof.show.feedback_template import FeedbackTemplate


def write_feedback(
    found: Sequence[Submission],
    folder: Path | str,
    points: Points | None = None,
    templates: Sequence[FeedbackTemplate] = (),
    layout: str = "",
    receipts: bool = True,
) -> list[Path]:
    """`NAME.html` and `NAME.md` in the folder for each submission; the paths written. `points`: the rubric, to be
    shown. `templates`: a teacher's own, at most one of a kind. `layout`: as `{name}/ps1`, where the feedback lies in
    folders as nbgrader has them, a page for each notebook. `receipts`: with the time and the secret of the submission.

    Raises InputError, before anything is written, where a file of such a name is there that was not written so.
    """
    named = _named(found, exact=bool(layout))
    place, own = output_folder(folder), {template.kind: template for template in templates}
    planned = [
        (one, path) for name, one in named.items() for path in _paths(place, name, one, layout)
    ]  # fmt: skip
    for _, path in planned:
        _ours(path)
    for name, one in named.items() if layout and receipts else ():
        copy_receipt(one, place / layout.replace("{name}", name))
    made = {".html": feedback_page, ".md": feedback_markdown}
    return [
        write_atomic(path, made[path.suffix](one, points, own.get(path.suffix))) for one, path in planned
    ]  # fmt: skip


def _paths(place: Path, name: str, one: Submission, layout: str) -> list[Path]:
    """Where the feedback of a submission is written."""
    if not layout:
        return [place / f"{name}.html", place / f"{name}.md"]
    home = place / layout.replace("{name}", name)
    notebooks = [as_it_is(Path(file.file).stem) for file in one.files if file.kind == "notebook"]
    return [*(home / f"{stem}.html" for stem in dict.fromkeys(notebooks or ["feedback"])), home / "feedback.md"]


def _named(found: Sequence[Submission], exact: bool) -> dict[str, Submission]:
    """Each submission by the name of its files; of names that are the same in small letters the later get a number.
    `exact`: as nbgrader needs it again, wherever that can be the name of a folder."""
    named: dict[str, Submission] = {}
    taken: set[str] = set()
    for one in found:
        base = as_it_is(Path(one.name).name) if exact else folder_name(Path(one.name).name).strip(".-")
        base = base[:120] or "submission"
        name, count = base, 1
        while name.casefold() in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name.casefold())
        named[name] = one
    return named


def _ours(path: Path) -> None:
    try:
        ours = path.is_file() and MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        ours = False
    if path.exists() and not ours:
        problem = "is there already, and was not written by `tinyproof audit --feedback`"
        raise InputError("feedback", str(path), "name another folder", problem=problem)
