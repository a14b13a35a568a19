"""What is done with rows: a model is fitted on them, measured on them, chosen by them, kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tinyproof.check.finding import CodePlace
from tinyproof.check.notebook.interpreter.rows import Fit, Rows
from tinyproof.check.notebook.interpreter.values import Value


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
    `within`: the loop over batches that it is taken in; where that learns, it measures nothing else.
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

    @property
    def at(self) -> CodePlace:
        """Where a reader looks for it: the outermost call, where its figure is shown."""
        return self.run if self.run.file else self.place


@dataclass(eq=False)
class Chosen:
    """Something is chosen by a figure on rows: the epoch, the checkpoint, the learning rate, a setting."""

    what: str
    rows: Rows
    model: Value | None
    place: CodePlace
    by: str


@dataclass(eq=False)
class Answered:
    """A model gives its answers for rows, which nothing compares with labels here."""

    model: Value
    rows: Rows
    place: CodePlace
    fits: tuple[Fit, ...] = ()


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


Use = Fit | Measured | Answered | Chosen | Running | Saved
