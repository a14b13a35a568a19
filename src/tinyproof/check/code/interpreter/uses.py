"""What is done with rows: a model is fitted on them, measured on them, chosen by them, kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tinyproof.check.code.interpreter.rows import Fit, Rows
from tinyproof.check.code.interpreter.values import Value
from tinyproof.check.finding import CodePlace


class Turn(Protocol):
    """A pass over a loader, as far as it matters here."""

    @property
    def trains(self) -> bool: ...


@dataclass(eq=False)
class Measured:
    """A figure is taken of a model on rows.

    `name`: the function or method; `text`: the call as it is written. `fits`: what the model had learned from by then.
    `crossed`: the rows are held out from each fit by the function itself. `labels`: the words printed beside the
    figure. `repeated`: inside a loop. `swapped`: the guesses were given where the truth belongs. `mode`: of the
    network when it answered, `answers`: where that was. `run`: the place whose output shows it, of the outermost call.
    `asked`: where the model was asked for its answers, if not in the call itself. `within`: the loop over batches
    that it is taken in; where that learns, it measures nothing else.
    """

    name: str
    model: Value | None
    rows: Rows
    place: CodePlace
    text: str
    fits: tuple[Fit, ...] = ()
    crossed: bool = False
    repeated: bool = False
    swapped: bool = False
    training: bool = False
    mode: str = "unknown"
    answers: CodePlace | None = None
    loader: Value | None = None
    run: CodePlace = field(default_factory=lambda: CodePlace(""))
    labels: list[str] = field(default_factory=list)
    within: Turn | None = None
    asked: CodePlace | None = None

    @property
    def at(self) -> CodePlace:
        """Where a reader looks for it: the outermost call, where its figure is shown."""
        return self.run if self.run.file else self.place

    @property
    def rows_at(self) -> CodePlace:
        """Where a reader looks for the rows: the line on which the model is asked, else that of the measurement."""
        return self.asked or self.at


@dataclass(eq=False)
class Chosen:
    """Something is chosen by a figure on rows: the epoch, the checkpoint, the learning rate, a setting.

    `told`: the variable in which only the best figure is kept.
    """

    what: str
    rows: Rows
    model: Value | None
    place: CodePlace
    by: str
    told: str = ""


@dataclass(eq=False)
class Answered:
    """A model gives its answers for rows, which nothing compares with labels here."""

    model: Value
    rows: Rows
    place: CodePlace
    fits: tuple[Fit, ...] = ()


@dataclass(eq=False)
class Mismatched:
    """A model's answers for some rows are compared with the labels of others, of the same source."""

    answers: Rows
    labels: Rows
    place: CodePlace


@dataclass(eq=False)
class Unpaired:
    """Images and labels of one source are given together, and are not those of the same rows in the same order.

    `shuffled`: a random order is what parts them; `drawn`: where, if the labels were put in it.
    """

    images: Rows
    labels: Rows
    place: CodePlace
    shuffled: bool = False
    drawn: CodePlace | None = None


@dataclass(eq=False)
class TargetAmong:
    """A model learns to tell a column from columns among which it is. `parted`: where both were split before."""

    column: object
    rows: Rows
    place: CodePlace
    parted: CodePlace | None = None


@dataclass(eq=False)
class Running:
    """In a step over one batch a metric of all batches so far is logged: its figures are averaged once more."""

    place: CodePlace


@dataclass(eq=False)
class Saved:
    """A model is written to a file."""

    model: Value
    file: str
    place: CodePlace


Use = Fit | Measured | Answered | Chosen | Mismatched | Unpaired | TargetAmong | Running | Saved
