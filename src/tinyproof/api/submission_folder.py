"""A folder that was handed in, or a class of such folders: what its files are called, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyproof.check.classes.submissions import Names


@dataclass(frozen=True)
class SubmissionFolder:
    """A folder of files: where it is, what the report calls it, whose it is (`submission`, where that is known).

    `alone`: it is one submission, not a folder of them; `unpacked`: it is an archive's.
    """

    path: Path
    shown_path: Path
    alone: bool
    submission: str = ""
    unpacked: bool = False

    def shown(self, file: Path) -> str:
        return str(self.shown_path / file.relative_to(self.path))

    def top(self, file: Path) -> Path:
        """The entry of the folder that the file lies in."""
        return self.path.joinpath(*file.relative_to(self.path).parts[:1])

    def name(self, names: Names, file: Path) -> str:
        if self.submission:
            return self.submission
        return names.of(self.shown_path, self.shown_path / file.relative_to(self.path), self.alone)

    def passes_over(self, names: Names, file: Path) -> bool:
        return names.passes_over(self.shown_path, self.shown_path / file.relative_to(self.path))
