"""`predict_many`: pictures of files, folders and arrays, classified with the weights of a run; what was left out."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.api.predict import answer, reading_of
from tinyproof.core.errors import DataError, InputError, OutputError
from tinyproof.core.fields import whole
from tinyproof.core.files import check_output, reason, write_atomic
from tinyproof.core.printed import Part, Printed
from tinyproof.core.table import Column, Table
from tinyproof.data import read_alike
from tinyproof.train.classifier import Classifier, one_thread

# More rows than fit on a screen are summed up; a file has them all.
_SHOWN = 20
# Of standard input.
_MOST_BYTES = 1_000_000_000
_NAMELESS = "tinyproof-standard-input"


@dataclass(frozen=True)
class PredictedPicture:
    """One picture: `predicted` and its `probability` (0 to 1), and `doubts` of its reading; or, where it was left out,
    neither, and the `problem`.
    """

    picture: str
    predicted: str | None
    probability: float | None
    doubts: tuple[str, ...] = ()
    problem: str = ""

    @property
    def note(self) -> str:
        """Doubts or problem, in words."""
        return f"left out: {self.problem}" if self.problem else "; ".join(self.doubts)


@dataclass(frozen=True, repr=False)
class PredictManyResult(Printed):
    """The answers for many `pictures`, in the order of their names; those that were left out are among them."""

    pictures: tuple[PredictedPicture, ...]

    @property
    def left_out(self) -> tuple[PredictedPicture, ...]:
        """The pictures that could not be read."""
        return tuple(picture for picture in self.pictures if picture.problem)

    @property
    def exit_code(self) -> int:
        """0: all were read; 1: something was left out."""
        return 1 if self.left_out else 0

    def parts(self) -> Sequence[Part]:
        """The answers where they fit on a screen, what is doubtful or was left out, and how many have which answer."""
        if len(self.pictures) <= _SHOWN:
            return [self.table(), self.words()]
        odd = [picture for picture in self.pictures if picture.note]
        more = [f"and {len(odd) - _SHOWN:,} more with a note"] if len(odd) > _SHOWN else []
        return [*([self.table(odd[:_SHOWN])] if odd else []), *more, self.words()]

    def table(self, pictures: Sequence[PredictedPicture] | None = None) -> Table:
        """A row a picture."""
        columns = (Column("picture"), Column("predicted"), Column("probability", "right", ".4f"), Column("note"))
        rows = (
            (p.picture, p.predicted, p.probability, p.note) for p in (self.pictures if pictures is None else pictures)
        )
        return Table("predicted", columns, tuple(rows))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"pictures": [{**vars(picture), "doubts": list(picture.doubts)} for picture in self.pictures]}

    def words(self) -> str:
        """How many pictures have which answer, a doubt, or were left out."""
        counts = Counter(picture.predicted for picture in self.pictures if picture.predicted is not None)
        common = ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.most_common(12)))
        more = f", and {len(counts) - 12:,} other answers" if len(counts) > 12 else ""
        doubtful = sum(bool(picture.doubts) for picture in self.pictures)
        lost, many = len(self.left_out), len(self.pictures)
        said = f"{many - lost:,} of {many:,} pictures read, {doubtful:,} with a warning, {lost:,} left out"
        return said + (f"\n{common}{more}" if common else "")


def predict_many(
    run: str | Path,
    pictures: str | Path | Sequence[str | Path],
    model: str | None = None,
    *,
    csv: str | Path | None = None,
    processes: int | None = None,
) -> PredictManyResult:
    """Classify the pictures of files, folders (with the folders in them) and arrays with the weights of a run.

    `pictures`: one or several of these; an array is .npy, .npz or IDX: [N, H, W], [N, H, W, 3] or [N, 3, H, W], in
    bytes or fractions from 0 to 1. Each picture is read as `predict` reads it. `csv`: a file for all answers, a new
    one or an earlier table of them. `processes`: how many read at once; all cores where not given. A picture that
    cannot be read is named in the result, and costs nothing else. Raises what `predict` raises, and DataError where
    there is no picture at all.

    >>> import numpy as np, tinyproof
    >>> found = tinyproof.train("s7-8k", dataset="digits", epochs=1, out="first", quiet=True)
    >>> np.save("two.npy", np.eye(28).repeat(2, 0).reshape(2, 28, 28))
    >>> [picture.picture for picture in tinyproof.predict_many("first", "two.npy").pictures]
    ['two.npy[0]', 'two.npy[1]']
    """
    if processes is not None:
        whole("processes", processes, 1, 256)
    sources = [Path(one) for one in ([pictures] if isinstance(pictures, str | Path) else pictures)]
    if not sources:
        raise InputError("pictures", None, "name a picture, a folder or an array", problem="is missing")
    if csv is not None:
        _may_be_written(Path(csv))
    classifier = Classifier(Path(run), model)
    found: list[tuple[int, PredictedPicture]] = []
    with one_thread() if processes != 1 else contextlib.nullcontext():
        for part in read_alike.read_many(sources, reading_of(classifier.record), processes):
            found += zip((read.number for read in part), _answers(part, classifier), strict=True)
    found.sort(key=lambda one: one[0])
    result = PredictManyResult(tuple(replace(one, picture=_spoken(one.picture)) for _, one in found))
    if csv is not None:
        write_atomic(csv, result.table().csv())
    return result


def _may_be_written(csv: Path) -> None:
    """Raise InputError where a file is there that is no table of answers: a picture, where a name was left out."""
    check_output(csv.parent)
    heading = PredictManyResult(()).table().csv().encode()
    if csv.is_file() and not _begins(csv, heading):
        raise InputError("csv", str(csv), "name another", problem="is there already, and no table of answers")


def _begins(path: Path, content: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(content)) == content
    except OSError as error:
        raise OutputError(path, reason(error)) from error


def _answers(part: Sequence[read_alike.Read], classifier: Classifier) -> list[PredictedPicture]:
    """The answers for some pictures; all their inputs go through the network together."""
    good = [read.inputs for read in part if read.inputs is not None]
    if good:
        probabilities = classifier.probabilities(np.concatenate(good))
    answers, at = [], 0
    for read in part:
        if read.inputs is None:
            answers.append(PredictedPicture(read.name, None, None, (), read.problem))
            continue
        one = answer(read, probabilities[at : at + len(read.inputs)], classifier.record.classes)
        at += len(read.inputs)
        answers.append(PredictedPicture(read.name, one.predicted, one.probability, one.doubts))
    return answers


def is_one(pictures: Sequence[Path]) -> bool:
    """Whether one picture file is named: its answer is told at length."""
    return len(pictures) == 1 and not pictures[0].is_dir() and not read_alike.is_array(pictures[0])


@contextlib.contextmanager
def standard_input(pictures: Sequence[Path]) -> Iterator[list[Path]]:
    """The pictures, with `-` replaced by a file that holds what stands in standard input: a picture, or an array.

    Raises InputError where it holds nothing, or more than is read; a DataError of that file speaks of standard input.
    """
    if Path("-") not in pictures:
        yield list(pictures)
        return
    content = sys.stdin.buffer.read(_MOST_BYTES + 1) if sys.stdin is not None else b""
    if not content or len(content) > _MOST_BYTES:
        problem = "holds nothing" if not content else f"holds more than {_MOST_BYTES:,} bytes"
        remedy = "give a picture or an array: tinyproof predict RUN - < a.png"
        raise InputError("standard input", None, remedy, problem=problem)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{_NAMELESS}{_ending(content)}"
        place.write_bytes(content)
        try:
            yield [place if one == Path("-") else one for one in pictures]
        except DataError as error:
            raise DataError(_spoken(error.what), error.problem, error.remedy) from error


def _spoken(name: str) -> str:
    """The name of a picture for people: that of standard input without the file that holds it."""
    before, found, after = name.rpartition(_NAMELESS)
    if not found or not before.startswith(tempfile.gettempdir()):
        return name
    return f"standard input{after[after.index('[') :] if '[' in after else ''}"


def _ending(content: bytes) -> str:
    """The ending of a file's name by its first bytes; a picture needs none."""
    if content[:4] == b"\0\0\x08\x03" or content[:2] == b"\x1f\x8b":
        return "-idx3-ubyte"
    return {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz"}.get(content[: 6 if content[:1] == b"\x93" else 4], "")
