"""The files of a folder: which are judged by themselves, which with others, and why the rest is left out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyproof.api.file_kinds import Kind, is_archive
from tinyproof.check import notebook
from tinyproof.check.finding import BESIDE, LeftOut
from tinyproof.core.errors import one_line
from tinyproof.core.files import is_plain, reason
from tinyproof.show.feedback_page import MARK

ARCHIVE = "an archive, which is not opened: unpack it"
NESTED = "an archive in an archive, which is not opened: unpack the outer one"
_MODULE = "read with the scripts that import it"
_FUNCTIONS = "it only defines functions; read with the notebooks that import it"
BY_DESIGN = (_MODULE, _FUNCTIONS)
ELSEWHERE = "it neither trains nor measures"
READ = "read with the notebooks that it speaks of"
JUDGED = "judged"
_CLOSED = "it cannot be read: no permission"
_LARGE = f"a script of more than {notebook.MAX_TEXT_BYTES:,} bytes, which is not read"
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tar.gz", ".tgz")
_DOCUMENTS = (".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages")
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages", "__MACOSX"}
_KEPT = re.compile(r"[0-9a-f]{64}\.json|\w+\.partial")  # as ReportCache names them
_NO_WORK, _LINK = "it holds no workbook and no notebook", "a link, which is not followed"
_MOST_NAMES, _MOST_OTHER = 3, 12


def class_folder(folder: Path) -> Path:
    """The folder of submissions in what was an archive: that of its single folder where two folders or archives lie
    in it, as when a class was packed with the folder around it."""
    inside = _entries(folder)
    if len(inside) != 1 or not inside[0].is_dir():
        return folder
    below_it = [entry for entry in _entries(inside[0]) if entry.is_dir() or is_archive(entry)]
    return inside[0] if len(below_it) > 1 else folder


def handed_in(folder: Path) -> list[str]:
    """The names of what lies in a class's folder, but for what this program wrote there."""
    return [entry.name for entry in _entries(folder) if not _is_feedback(entry) and not _is_cache(entry)]


def without_work(folder: Path, told: set[Path]) -> Iterator[tuple[Path, str]]:
    """Of a class's folder what was handed in and cannot be judged, with the reason: folders without work, documents,
    links. `told`: entries of it that are spoken of already."""
    for entry in _entries(folder):
        if entry in told or _is_feedback(entry) or _is_cache(entry):
            continue
        if entry.is_symlink():
            yield entry, _LINK
        elif entry.is_dir() and os.access(entry, os.R_OK | os.X_OK):
            yield entry, no_work(entry)
        elif entry.name.lower().endswith(_DOCUMENTS):
            yield entry, "it is no workbook and no notebook"


def no_work(folder: Path) -> str:
    """Why a folder without work is not judged, with the names of what it holds."""
    files = list(below(folder, []))
    return _NO_WORK + (f" ({_named(files, _MOST_NAMES)})" if files else "; it is empty")


def not_read(files: Sequence[Path]) -> str:
    """That these files beside the work of a submission are not read."""
    return f"{BESIDE}: {_named(files, _MOST_OTHER)}"


def _named(files: Sequence[Path], most: int) -> str:
    shown = ", ".join(one_line(file.name, 60) for file in files[:most])
    return shown + (f" and {len(files) - most} more" if len(files) > most else "")


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder and is neither hidden nor made by a machine."""
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    found = [entry for entry in found if not entry.name.startswith((".", "~$")) and entry.name not in _SKIPPED_FOLDERS]
    return [entry for entry in found if not is_plain(entry / "pyvenv.cfg")]


def _is_feedback(entry: Path) -> bool:
    """Whether it is a folder that `--feedback` wrote to, and nothing else is in."""
    held = _entries(entry)
    return bool(held) and all(file.suffix in (".md", ".html") and _is_marked(file) for file in held)


def _is_marked(page: Path) -> bool:
    """Whether it is a page of feedback; of .html the mark is the last line."""
    if not is_plain(page) or not os.access(page, os.R_OK):
        return False
    with page.open("rb") as file:
        if page.suffix == ".html":
            file.seek(max(0, page.stat().st_size - len(MARK) - 2))
        return MARK.encode() in file.read(len(MARK) + 2)


def _is_cache(entry: Path) -> bool:
    """Whether it is a folder that `--cache` kept reports in, and nothing else."""
    held = _entries(entry)
    return bool(held) and all(_KEPT.fullmatch(file.name) and is_plain(file) for file in held)


def is_one_submission(folder: Path, files: Sequence[Path]) -> bool:
    """Whether a folder is the work of one: a repository, or a README beside code."""
    if (folder / ".git").exists():
        return True
    code = any(file.parent == folder and (file.suffix == ".py" or notebook.is_notebook(file)) for file in files)
    return code and bool(notebook.readmes_in(folder))


def reasons_of(kinds: dict[Path, Kind]) -> dict[Path, str]:
    """For the scripts and texts of a folder, by what each file is: judged, read with others, or why not."""
    works = notebook.works_of([file for file, kind in kinds.items() if kind == "script"])
    words = {
        "works": JUDGED,
        "module": _MODULE,
        "functions": _FUNCTIONS,
        "other": ELSEWHERE,
    }
    found = {file: words[work] for file, work in works.items()}
    judged = [file for file, kind in kinds.items() if kind == "notebook" or found.get(file) == JUDGED]
    for file, kind in kinds.items():
        if kind == "text":
            found[file] = _of_a_text(file, [kinds[other] for other in judged if other.is_relative_to(file.parent)])
        elif kind == "other" and file.name.lower().endswith(_ARCHIVES):
            found[file] = ARCHIVE
        elif kind == "script" and file.stat().st_size > notebook.MAX_TEXT_BYTES:
            found[file] = _LARGE
        if kind not in ("workbook", "notebook") and not os.access(file, os.R_OK):
            found[file] = _CLOSED  # what it is, its content alone would say
    return found


def _of_a_text(file: Path, below_it: Sequence[Kind]) -> str:
    """Of a README beside no work its figures are judged; one above notebooks is read with them."""
    if file.stem.lower() != "readme":
        return ELSEWHERE
    if not below_it:
        return JUDGED if _claims_a_figure(file) else READ
    return READ if "notebook" in below_it else ELSEWHERE


def _claims_a_figure(file: Path) -> bool:
    return notebook.audit_text(file).status not in ("nothing to judge", "unreadable")


def root_of(file: Path, kind: Kind) -> str:
    if kind not in ("notebook", "script"):
        return ""
    return str(notebook.root_of(file))


def below(folder: Path, unread: list[LeftOut]) -> Iterator[Path]:
    """Plain files under a folder, sorted; links are not followed, hidden and machine-made folders left out. A folder
    that may not be read goes to `unread`."""

    def refused(error: OSError) -> None:
        unread.append(LeftOut(str(error.filename), f"it cannot be read: {reason(error)}"))

    for here, folders, files in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS)
        folders[:] = [name for name in folders if not is_plain(Path(here) / name / "pyvenv.cfg")]
        for name in sorted(name for name in files if not name.startswith((".", "~$"))):
            path = Path(here) / name
            try:
                plain = path.is_file() and not path.is_symlink()
            except OSError as error:
                refused(error)
                continue
            if plain:
                yield path
