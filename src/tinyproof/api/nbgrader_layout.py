"""The folders of nbgrader: `submitted/STUDENT/ASSIGNMENT/files`, and `feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html`.

Source: nbgrader 0.9, "How to structure course files" and `release_feedback`, which wants the time and the secret of a
submission beside its feedback.
"""

from __future__ import annotations

from pathlib import Path

from tinyproof.check.classes.submissions import Submission
from tinyproof.core.errors import InputError, one_line
from tinyproof.core.files import folder_name, is_plain, read_bounded, write_atomic

_STEP = "submitted"
_RELEASE = "release"
_COURSE = ("nbgrader_config.py", "gradebook.db", "source", _RELEASE)
RECEIPT = ("timestamp.txt", "submission_secret.txt")
_MOST_BYTES, _MOST_NAMES, _MOST_RELEASED = 10_000, 5, 200


def nbgrader_class(folder: Path, pattern: str = "") -> tuple[Path, str] | None:
    """The folder of submissions of a course of nbgrader and how names stand in it (`{name}/ps1`, or the pattern that
    is given); None where a folder is no such course, and where the pattern itself begins with `submitted`.

    Raises InputError where it holds several assignments and no pattern: then one has to be named.
    """
    step = folder if folder.name == _STEP else folder / _STEP
    if not any((step.parent / sign).exists() for sign in _COURSE):
        return None
    assignments = sorted({entry.name for student in _folders(step) for entry in _folders(student)})
    if not assignments or pattern.startswith(f"{_STEP}/"):
        return None
    if pattern:
        return step, pattern
    if len(assignments) > 1:
        shown = ", ".join(one_line(name, 40) for name in assignments[:_MOST_NAMES])
        allowed = f"one of its assignments ({shown}): --student '{{name}}/{one_line(assignments[-1], 40)}'"
        raise InputError("student", None, allowed, problem="is missing for a course of nbgrader")
    return step, f"{{name}}/{assignments[0]}"


def released(step: Path, pattern: str) -> list[Path]:
    """The notebooks that were handed out for what a pattern speaks of: in `release`, beside the submissions."""
    handed_out, below = step.parent / _RELEASE, pattern.partition("{name}")[2].strip("/")
    homes = handed_out.glob(below) if below else [handed_out]
    return sorted(book for home in homes for book in home.rglob("*.ipynb") if is_plain(book))[:_MOST_RELEASED]


def _folders(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    return [entry for entry in found if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith(".")]


def as_it_is(name: str) -> str:
    """A name as the name of a file or folder, unchanged where it can be one on every system.

    >>> as_it_is("problem 1"), as_it_is("../x")
    ('problem 1', 'x')
    """
    plain = name.isprintable() and not set(name) & set('/\\:*?"<>|') and name == name.strip(" .")
    return name if plain and name else folder_name(name).strip(".-")


def copy_receipt(one: Submission, home: Path) -> None:
    """Put the time and the secret of a submission, where nbgrader left them with it, beside its feedback. A link is not
    followed: it could hand out a file of the teacher's."""
    for folder in dict.fromkeys(Path(file.file).parent for file in one.files):
        for name in RECEIPT:
            receipt = folder / name
            if is_plain(receipt) and not receipt.is_symlink() and receipt.stat().st_size <= _MOST_BYTES:
                if not (home / name).exists():
                    write_atomic(home / name, read_bounded(receipt, _MOST_BYTES))
