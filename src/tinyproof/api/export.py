"""`export`: a trained network as files that need nothing of this package, with their answers to all test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.errors import InputError, OutputError
from tinyproof.core.fields import one_of
from tinyproof.core.files import reason
from tinyproof.core.printed import Part, Printed, printed
from tinyproof.core.table import Table
from tinyproof.prove import exporting, proof_of_run
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import VerifyOptions
from tinyproof.ship import c_text, changed_images, exported
from tinyproof.ship.card import CARD
from tinyproof.ship.exported import ANSWERS, FORMATS, IN_C, INPUTS, NAME, RECORD, Exported
from tinyproof.train import environment, store


@dataclass(frozen=True, eq=False, repr=False)
class ExportResult(Printed, Exported):
    """What was exported, where, and what its answers to all test images are: `correct` of `test_count`; `changed`, how
    many images have another class than the run gave them; `largest_difference` of a probability or a loss. `changes`:
    the first of those images, with both answers; `sense`: whether there are more of them than chance makes."""

    folder: Path
    changes: Table
    sense: str

    def parts(self) -> Sequence[Part]:
        """The files, and the answers beside those of the run."""
        names = ", ".join([*self.files, RECORD, *([ANSWERS] if self.test_count else []), CARD])
        if not self.test_count:
            return [f"wrote {self.folder}: {names}\nthe exported network was not run: {self.not_run}"]
        which = f"{self.test_count} test images in it" if self.images else "test images"
        changes: list[Part] = [self.changes, self.sense] if self.changes.rows else []
        return [
            f"wrote {self.folder}: {names}\n"
            f"{self.accuracy_percent:.2f} % of the {which} are read right by the exported network "
            f"({self.correct:,} of {self.test_count:,}); {self.changed:,} have another class than in the run, and no "
            f"probability or loss is further from the run's than {self.largest_difference:.1g}",
            *changes,
            *(
                [f"on a microcontroller: {self.flash:,} bytes of flash, {self.ram:,} of RAM ({self.sized_by})"]
                * bool(self.flash)
            ),
            *([f"at most {self.instructions:,} instructions an image ({self.counted_by})"] * bool(self.instructions)),
            *([f"instructions were not counted: {self.not_counted}"] * bool(self.not_counted)),
        ]


def export(
    run: str | Path,
    *,
    to: str = "onnx",
    out: str | Path | None = None,
    input: str | None = None,
    model: str | None = None,
    dataset: str | None = None,
    data: str | Path | None = None,
    name: str | None = None,
) -> ExportResult:
    """Take a trained network where it is needed, and count what the exported network answers to all test images.

    `run`: the folder of a run with its weights. `to`: `onnx` (one float file, norms folded), `onnx-int8` (in whole
    numbers), `torch` (a Python file with its weights beside, which needs torch alone), `c` or `c-int8` (a .c and a .h
    that need no library; a C compiler, where there is one, lets them answer), `xlsx` (a workbook with live formulas;
    LibreOffice, where it is installed, computes its ten pictures) or `html` (one page to draw on; a Chromium computes
    all test images). `out`: a new folder; None is `export-onnx` (or `-torch`, ...) in that of the run, where `verify`
    finds it. `input`: what a float ONNX file takes: `bytes` (0 to 255; the default) or `normalised`. `name`: what the
    names in C begin with, `network` where None. `model`, `dataset`, `data`: as `verify` asks for them, where the run
    used your own. Raises DataError for a run without weights, one that was changed, a layer that the format does not
    take, or an exported network that answers otherwise; InputError, OutputError, MissingDependency. Nothing is left
    behind then.

    >>> import tinyproof
    >>> found = tinyproof.train("fast", dataset="digits", epochs=1, out="taken", quiet=True)
    >>> made = tinyproof.export("taken", to="onnx")
    >>> made.changed, made.correct == found.run.correct, sorted(made.files)
    (0, True, ['network.onnx'])
    """
    takes, folder, called = _takes(to, input), Path(run), _named(to, name)
    record, answers = exporting.whole(folder)
    place = Path(out) if out is not None else exported.folder_of(folder, to)
    _free(place)
    options = VerifyOptions(True, dataset, None if data is None else str(data), (model,) if model else ())
    environment.need_torch("exporting")
    recompute.network(options, record)  # refuses a file that is not the one of the record
    again = recompute.restored(options, folder, record)
    with exporting.new(place) as beside:
        proved = proof_of_run.proved(folder, record)
        counted = proof_of_run.counts(folder, record, to)
        made = exporting.write(beside, to, takes, answers, again, proved=proved, name=called, counted=counted)
        mine = exported.part(answers, made.images)
        theirs = store.load_predictions(beside) if made.test_count else mine
    changes = changed_images.table(record.classes, mine, theirs, made.images)
    return printed(ExportResult, made, folder=place, changes=changes, sense=changed_images.words(mine, theirs))


def _free(place: Path) -> None:
    """Raises InputError for a folder that is there or can have no such name, OutputError for one that cannot be."""
    if "\0" in str(place):
        raise InputError("out", str(place), "leave the zero byte out", problem="is no name of a folder")
    try:
        there = place.exists()
    except OSError as error:
        raise OutputError(place, reason(error)) from error
    if there:
        raise InputError("out", str(place), "name another with --out, or remove it", problem="is there already")


def _takes(to: str, input: str | None) -> str:
    """What the exported network takes: bytes or normalised pixels. Raises InputError."""
    if one_of("to", to, FORMATS) == "onnx":
        return one_of("input", "bytes" if input is None else input, INPUTS)
    if input is not None:
        has = "has both" if to == "torch" else "takes bytes"
        raise InputError("input", input, "leave it out", f"{to} {has}", problem="is for float ONNX files")
    return exported.usual_input(to)


def _named(to: str, name: str | None) -> str:
    """What names in C begin with. Raises InputError for what C takes for no name, or another format for none."""
    if name is None:
        return NAME
    if to not in IN_C:
        raise InputError("name", name, "leave it out", f"{to} has none", problem="is for C")
    return c_text.checked_name(name)
