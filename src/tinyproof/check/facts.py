"""What a file holds, as plain values: what a teacher asks for is held against these. Unknown is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CellNumber:
    """A number of a workbook: what it is called there (`w5`), its value, its cell (`M33`)."""

    name: str
    value: float
    cell: str


Numbers = tuple[CellNumber, ...]


@dataclass(frozen=True)
class Training:
    """A training in a workbook: its sheet, its cells, how many rows (states of the weights) it has.

    `rate`: the learning rate. `weights` and `biases` as they begin, `inputs` and `targets` of its first row, `later`
    those of other rows, each pair once. None: not known.
    """

    sheet: str
    cells: str
    rows: int
    rate: float | None = None
    weights: Numbers | None = None
    biases: Numbers | None = None
    inputs: Numbers | None = None
    targets: Numbers | None = None
    later: tuple[tuple[Numbers, Numbers], ...] = ()


@dataclass(frozen=True)
class WorkbookFacts:
    """`trainings` that were read; `losses_of`: the rates of loss columns that were pasted; `charts`: how many.

    `named`: every number that is typed outside the trainings, or stands in a text, a title or a name. `pictures`:
    whether there are any. None: not known.
    """

    trainings: tuple[Training, ...] = ()
    losses_of: tuple[float, ...] = ()
    charts: int | None = None
    named: frozenset[float] | None = None
    pictures: bool = False


@dataclass(frozen=True)
class Figure:
    """A number of a notebook and where it stands: the file, the cell (from 1), the line (from 1)."""

    value: float
    file: str
    cell: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class LoggedRun:
    """A run that a notebook printed: its test accuracies in percent, one an epoch, and its epochs.

    `epochs`: how many there were, as the log numbers them (`numbered`) or as it has lines.
    """

    cell: int | None
    accuracies: tuple[float, ...]
    epochs: int
    numbered: bool


@dataclass(frozen=True)
class Part:
    """Something that a network is made of (`batch-norm`, `dropout`, `global-average-pooling`, `fully-connected`), and
    where."""

    kind: str
    file: str
    cell: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class NotebookFacts:
    """`claimed`: the test accuracies that its text reports, in percent. `runs`: what its log shows.

    `parameters`: the sizes of its networks, counted from the code or printed; `counted`: they are those of every
    network that was made. `parts`: what its networks are made of; `mentioned`: the kinds of parts that its code so
    much as speaks of. `data`: the names of the public data sets that it takes. `whole`: its code was read to the end,
    with all that it imports.
    """

    claimed: tuple[Figure, ...] = ()
    runs: tuple[LoggedRun, ...] = ()
    parameters: tuple[Figure, ...] = ()
    counted: bool = False
    parts: tuple[Part, ...] = ()
    mentioned: frozenset[str] = frozenset()
    data: tuple[str, ...] = ()
    whole: bool = False


Facts = WorkbookFacts | NotebookFacts
