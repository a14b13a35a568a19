"""Which files of a command are judged, whose each is, and what is left out, with the reason.

What a file is, its content says: a zip with a workbook in it is a workbook whatever its name; any other .zip is opened
as a folder would be.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinyproof.api.file_kinds import TEXT_TABLES, Kind, is_archive, kind_of
from tinyproof.api.folder_files import (
    ARCHIVE,
    BY_DESIGN,
    ELSEWHERE,
    JUDGED,
    NESTED,
    READ,
    below,
    class_folder,
    handed_in,
    is_one_submission,
    no_work,
    not_read,
    reasons_of,
    root_of,
    without_work,
)
from tinyproof.api.judge_file import Item
from tinyproof.api.nbgrader_layout import RECEIPT, nbgrader_class, released
from tinyproof.api.submission_folder import SubmissionFolder
from tinyproof.check.classes.platform_names import platform_names
from tinyproof.check.classes.submissions import Names
from tinyproof.check.finding import LeftOut
from tinyproof.core.errors import InputError, one_line
from tinyproof.core.files import existing, reason
from tinyproof.core.unpacker import Unpacker

SECONDS_PER_FILE = 60.0
BYTES_PER_WORKER = 4_000_000_000  # of address space: numpy alone reserves much of it without ever touching it
MAX_FILES = 50_000


@dataclass
class Survey:
    """The files of a command: `items` to judge, `left_out` with the reason, `handed_out` by a course of nbgrader.

    `one`: each folder and archive that is given is one submission, whatever lies in it. Archives are unpacked into a
    temporary folder, which is there until the survey is left.
    """

    names: Names = field(default_factory=Names)
    one: bool = False
    items: list[Item] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    handed_out: list[Item] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _unpacker: Unpacker = field(default_factory=lambda: Unpacker(SECONDS_PER_FILE, BYTES_PER_WORKER))
    _unpacked: int = 0
    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Survey:
        return self

    def __exit__(self, *_: object) -> None:
        self._unpacker.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    @property
    def layout(self) -> str:
        """Where the submissions lie in folders of folders, as `{name}/ps1`; "" where they do not."""
        plain = "/" in self.names.pattern and not set("*?") & set(self.names.pattern)
        return self.names.pattern if plain else ""

    def loose(self) -> str:
        """The folder whose loose files, of both kinds, are a submission each; "" for none. It may be one student's."""
        folders = {str(Path(item.shown).parent) for item in self.items}
        apart = all(item.submission == Path(item.shown).name for item in self.items)
        both = {"workbook", "notebook"} <= {item.kind for item in self.items}
        return folders.pop() if len(folders) == 1 and apart and both and not (self.one or self.names.pattern) else ""

    def add(self, paths: Sequence[Path | str]) -> None:
        """Take files, folders and archives. Raises InputError where one is not there, and for several of which one is a
        plain file under `one`."""
        given = [existing(path) for path in paths]
        loose = [path for path in given if not path.is_dir() and not is_archive(path)] if self.one else []
        if loose and len(given) > 1:
            raise InputError("one", str(loose[0]), "one file, or the folder or archive that holds a student's files")
        alone = len(given) == 1 and given[0].is_dir()
        course = nbgrader_class(given[0], self.names.pattern) if alone and not self.one else None
        if course is not None:
            given, self.names = [course[0]], Names(course[1])
            self.handed_out = [Item(str(book), str(book), "notebook", str(book.parent)) for book in released(*course)]
        whole = self.one or len(given) > 1
        for path in given:
            if path.is_dir():
                self._folder(SubmissionFolder(path, path, alone=whole))
            elif is_archive(path):
                self._archive(path, SubmissionFolder(path, path, alone=whole))
            else:
                self._file(path)
        self._unpacker.close()

    def _file(self, path: Path) -> None:
        """A file that was named is judged, whatever it is."""
        kind = kind_of(path)
        if kind == "other" and path.name.lower().endswith(TEXT_TABLES):
            kind = "workbook"  # it was asked for, so it is told that it holds no formula
        self._judge(path, str(path), kind, self.names.of(path, path, alone=True), root_of(path, kind))

    def _folder(self, folder: SubmissionFolder) -> None:
        before, unread = len(self.items) + len(self.left_out), list[LeftOut]()
        files = list(below(folder.path, unread))
        if not folder.alone and not self.names.pattern:
            self.names = Names(known=platform_names(handed_in(folder.path)))
            one = not self.names.known and is_one_submission(folder.path, files)
            folder = replace(folder, alone=one)  # a teacher's README lies beside a class that a platform handed out
        told = set[Path]()
        for left in unread:
            told.add(folder.top(Path(left.file)))
            self._leave(folder.shown(Path(left.file)), left.why, folder.name(self.names, Path(left.file)))
        kinds = {file: kind_of(file) for file in files}
        reasons = reasons_of(kinds)
        other = list[Path]()
        for file, kind in kinds.items():
            if os.path.realpath(file) in self._seen or self._in_folder(folder, file, kind, reasons):
                told.add(folder.top(file))
            elif reasons.get(file) != READ and not (self.layout and file.name in RECEIPT):
                other.append(file)
        if not folder.alone:
            self._name_the_rest(folder, told)
        elif len(self.items) + len(self.left_out) == before and not folder.unpacked:
            self._leave(str(folder.shown_path), no_work(folder.path), folder.name(self.names, folder.path))
        self._name_the_other(folder, other, told)

    def _name_the_other(self, folder: SubmissionFolder, other: list[Path], told: set[Path]) -> None:
        """In a line each submission with work in it, what lies beside the work and is not read."""
        held: dict[Path, list[Path]] = {}
        for file in other:
            home = folder.path if folder.alone else folder.top(file)
            if (folder.alone and told) or (home in told and home != file and not folder.passes_over(self.names, file)):
                held.setdefault(home, []).append(file)
        for home, files in held.items():
            self._leave(folder.shown(home), not_read(files), folder.name(self.names, files[0]), asked=False)

    def _name_the_rest(self, folder: SubmissionFolder, told: set[Path]) -> None:
        """No submission vanishes: one without work has a line of its own."""
        for entry, why in without_work(folder.path, told):
            why = f"it holds nothing at {self.names.pattern}" if "/" in self.names.pattern else why
            self._leave(folder.shown(entry), why, folder.name(self.names, entry), asked=False)

    def _in_folder(self, folder: SubmissionFolder, file: Path, kind: Kind, reasons: dict[Path, str]) -> bool:
        """Judge a file, or say why not; whether there was anything to say of it."""
        if not folder.submission and not folder.alone and folder.passes_over(self.names, file):
            return False
        why = reasons.get(file, ELSEWHERE if kind in ("text", "other") else JUDGED)
        if why == ARCHIVE and not folder.unpacked and is_archive(file):
            inner = SubmissionFolder(
                file, Path(folder.shown(file)), alone=True, submission=folder.name(self.names, file)
            )
            self._archive(file, inner)
        elif why == JUDGED:
            root = root_of(file, kind)
            if root and folder.unpacked and not Path(root).is_relative_to(folder.path):
                root = str(folder.path)
            self._judge(file, folder.shown(file), kind, folder.name(self.names, file), root)
        elif why not in (ELSEWHERE, READ):
            why = NESTED if why == ARCHIVE and folder.unpacked else why
            self._leave(folder.shown(file), why, folder.name(self.names, file), asked=why not in BY_DESIGN)
        return why not in (ELSEWHERE, READ)

    def _judge(self, file: Path, shown: str, kind: Kind, submission: str, root: str) -> None:
        real = os.path.realpath(file)
        if real in self._seen:
            return
        self._seen.add(real)
        if len(self.items) >= MAX_FILES:
            self._leave(shown, f"only the first {MAX_FILES:,} files are judged", submission)
        else:
            self.items.append(Item(str(file), one_line(shown, 300), kind, root, submission=one_line(submission, 200)))

    def _leave(self, shown: str, why: str, submission: str, asked: bool = True) -> None:
        self.left_out.append(LeftOut(one_line(shown, 300), why, asked, one_line(submission, 200)))

    def _archive(self, file: Path, folder: SubmissionFolder) -> None:
        """Its files as those of a folder of its name, unpacked in a worker that is bounded."""
        submission = folder.submission or self.names.of(folder.path, folder.path, alone=True)
        try:
            into = self._empty_folder()
        except OSError as error:
            self._leave(str(folder.shown_path), f"it cannot be unpacked: {reason(error)}", submission)
            return
        outcome = self._unpacker.unpack(file, into)
        if outcome.value is None:
            self._leave(str(folder.shown_path), outcome.problem, submission)
            return
        for refused in outcome.value:
            self._leave(str(folder.shown_path / refused.name), refused.why, submission)
        before = len(self.items) + len(self.left_out)
        top = into if folder.alone else class_folder(into)
        self._folder(replace(folder, path=top, shown_path=folder.shown_path / top.relative_to(into), unpacked=True))
        if len(self.items) + len(self.left_out) == before:
            self._leave(str(folder.shown_path), "it holds nothing that can be judged", submission)

    def _empty_folder(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tinyproof-", ignore_cleanup_errors=True)
        self._unpacked += 1
        into = Path(self._scratch.name) / str(self._unpacked)
        into.mkdir()
        return into
