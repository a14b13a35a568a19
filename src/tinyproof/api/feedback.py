"""Write what each student gets back: a page and Markdown a submission, nothing of anybody else's overwritten."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from tinyproof.api.nbgrader_layout import as_it_is, copy_receipt
from tinyproof.check.classes.grades import Points
from tinyproof.check.classes.platform_names import composed
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
    """Each submission by the name of its files. Whose own name that is comes first; of names that are the same in small
    letters the later get a number that no other has. `exact`: as nbgrader needs it again, wherever that can be the name
    of a folder."""
    bases = [_file_name(one.name, exact) for one in found]
    own = [composed(Path(one.name).name) == composed(base) for one, base in zip(found, bases, strict=True)]
    names, taken = dict[int, str](), set[str]()
    first = sorted(range(len(bases)), key=lambda at: not own[at])
    for at in first:
        if bases[at].casefold() not in taken:
            names[at] = bases[at]
            taken.add(bases[at].casefold())
    for at in (at for at in first if at not in names):
        numbered = (f"{bases[at]}-{count}" for count in itertools.count(2))
        names[at] = next(name for name in numbered if name.casefold() not in taken)
        taken.add(names[at].casefold())
    return {names[at]: one for at, one in enumerate(found)}


def _file_name(name: str, exact: bool) -> str:
    last = Path(name).name
    return (as_it_is(last) if exact else folder_name(composed(last)).strip(".-"))[:120] or "submission"


def _ours(path: Path) -> None:
    try:
        ours = path.is_file() and MARK in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        ours = False
    if path.exists() and not ours:
        problem = "is there already, and was not written by `tinyproof audit --feedback`"
        raise InputError("feedback", str(path), "name another folder", problem=problem)
