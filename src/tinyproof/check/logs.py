"""Read training logs out of printed text: accuracy and loss per epoch, in the shapes people print them.

The text is cut into lines (a progress bar's carriage returns keep only its last state, colours are removed); each line
into words that say which phase and which figure, and the numbers behind them. Nothing here knows about code.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tinyproof.check.log_lines import (
    FIGURE,
    INTERESTING,
    cells_of,
    figures_of,
    lines_of,
    parameter_counts,
    table_columns,
)

MAX_LINES = 60_000
MAX_EPOCHS = 5_000


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch: accuracies in percent, `correct` of `total` as the test line prints them.

    `batches`: batches per training epoch as the progress bar numbers them; `rate`: the printed learning rate.
    """

    number: int | None = None
    test_accuracy: float | None = None
    train_accuracy: float | None = None
    other_accuracy: float | None = None
    test_loss: float | None = None
    train_loss: float | None = None
    other_loss: float | None = None
    correct: int | None = None
    total: int | None = None
    rate: float | None = None
    batches: int | None = None
    line: str = ""


@dataclass(frozen=True)
class Run:
    """The epochs of one training run, in order; `cell` printed it."""

    cell: int | None
    epochs: tuple[Epoch, ...]

    @property
    def test_accuracies(self) -> list[float]:
        return [epoch.test_accuracy for epoch in self.epochs if epoch.test_accuracy is not None]

    @property
    def train_accuracies(self) -> list[float]:
        return [epoch.train_accuracy for epoch in self.epochs if epoch.train_accuracy is not None]

    @property
    def last(self) -> float | None:
        """Test accuracy of the last epoch, in percent."""
        return self.test_accuracies[-1] if self.test_accuracies else None

    @property
    def best(self) -> float | None:
        """The highest test accuracy of any epoch, in percent."""
        return max(self.test_accuracies, default=None)


@dataclass(frozen=True)
class Log:
    """What a notebook printed: its runs, parameter counts (cell, number), every figure with two or more decimals."""

    runs: tuple[Run, ...] = ()
    parameters: tuple[tuple[int | None, int], ...] = ()
    figures: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Equal for logs with the same longest run of at least three epochs; empty where there is none."""
        longest = max(self.runs, key=lambda run: len(run.epochs), default=None)
        if longest is None or len(longest.epochs) < 3:
            return ""
        rows = [
            (e.test_accuracy, e.train_accuracy, e.other_accuracy, e.test_loss, e.train_loss, e.correct)
            for e in longest.epochs
        ]
        if sum(value is not None for row in rows for value in row) < 4:
            return ""
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:32]


@dataclass
class _Builder:
    cell: int | None
    epochs: list[Epoch] = field(default_factory=list)
    now: Epoch = field(default_factory=Epoch)
    runs: list[Run] = field(default_factory=list)

    def flush(self) -> None:
        if _has_figures(self.now) and len(self.epochs) < MAX_EPOCHS:
            self.epochs.append(self.now)
        self.now = Epoch()

    def end(self) -> None:
        self.flush()
        if self.epochs:
            self.runs.append(Run(self.cell, tuple(_as_percent(self.epochs))))
        self.epochs = []

    def number(self, number: int) -> None:
        """A line says which epoch this is."""
        if self.now.number == number:
            return
        if self.now.number is None and not _has_figures(self.now):
            self._start(number)
            return
        if self.now.number is None and self.now.test_accuracy is None and not self.epochs:
            self.now = replace(self.now, number=number)
            return
        self.flush()
        self._start(number)

    def _start(self, number: int) -> None:
        before = next((e.number for e in reversed(self.epochs) if e.number is not None), None)
        if before is not None and number <= before:
            self.end()
        self.now = replace(self.now, number=number)


def read_log(outputs: Iterable[tuple[int | None, str]]) -> Log:
    """Read the printed text of cells, as (cell number, text) in order.

    >>> log = read_log([(3, "EPOCH: 1\\nTest set: Average loss: 0.05, Accuracy: 9830/10000 (98.3%)\\n")])
    >>> log.runs[0].epochs[0].correct, log.runs[0].last
    (9830, 98.3)
    """
    runs: list[Run] = []
    parameters: list[tuple[int | None, int]] = []
    figures: set[str] = set()
    budget = MAX_LINES
    for cell, text in outputs:
        builder = _Builder(cell)
        header: list[tuple[str, str]] = []
        for line in lines_of(text):
            budget -= 1
            if budget < 0:
                break
            if len(figures) < 20_000:
                figures.update(FIGURE.findall(line))
            if header and _read_row(builder, header, line):
                continue
            if not INTERESTING.search(line):
                continue
            header = table_columns(line)
            if not header:
                for figure, phase, found in figures_of(line):
                    _put(builder, figure, phase, found, line)
            parameters.extend((cell, count) for count in parameter_counts(line))
        builder.end()
        runs.extend(builder.runs)
    return Log(tuple(runs), tuple(dict.fromkeys(parameters)), frozenset(figures))


def _put(builder: _Builder, metric: str, phase: str, text: str, line: str) -> None:
    if metric == "epoch":
        number = re.match(r"\d+", text)
        if number:
            builder.number(int(number.group()))
    elif metric == "lr":
        builder.now = replace(builder.now, rate=_number(text))
    elif metric == "batch":
        number = re.match(r"\d+$", text)
        if number and "100%|" in line:
            builder.now = replace(builder.now, batches=int(number.group()) + 1)
    elif metric == "loss":
        value = _number(text)
        if value is not None and not math.isinf(value):
            name = {"train": "train_loss", "test": "test_loss"}.get(phase, "other_loss")
            _next_if_done(builder, name)
            builder.now = replace(builder.now, **{name: value})  # type: ignore[arg-type]
    else:
        _put_accuracy(builder, phase, text, line)


def _put_accuracy(builder: _Builder, phase: str, text: str, line: str) -> None:
    name = {"train": "train_accuracy", "test": "test_accuracy"}.get(phase, "other_accuracy")
    correct = total = None
    if "/" in text:
        correct, total = (int(part) for part in text.split("/"))
        if not total or correct > total or total < 100:
            return
        value: float | None = 100 * correct / total
    else:
        value = _number(text)
    if value is None or not 0 <= value <= 100:
        return
    _next_if_done(builder, name)
    builder.now = replace(builder.now, **{name: value})  # type: ignore[arg-type]
    if name == "test_accuracy" or (name != "train_accuracy" and not builder.now.line):
        builder.now = replace(builder.now, correct=correct, total=total, line=line.strip()[:200])


def _next_if_done(builder: _Builder, name: str) -> None:
    """Start a new epoch where the log does not number them: a test figure closes the one before."""
    now = builder.now
    repeated = getattr(now, name) is not None
    done = now.test_accuracy is not None
    if (
        (repeated and name in ("test_accuracy", "other_accuracy"))
        or (done and repeated)
        or (done and name.startswith("train") and now.number is None and builder.epochs)
        or (done and name.startswith("train") and now.number is None and now.train_accuracy is not None)
    ):
        builder.flush()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _has_figures(epoch: Epoch) -> bool:
    return any(
        value is not None
        for value in (
            epoch.test_accuracy,
            epoch.train_accuracy,
            epoch.other_accuracy,
            epoch.test_loss,
            epoch.train_loss,
            epoch.other_loss,
        )
    )


def _as_percent(epochs: list[Epoch]) -> list[Epoch]:
    """Accuracies printed as fractions of one become percent, a whole column at a time."""
    result = epochs
    for name in ("test_accuracy", "train_accuracy", "other_accuracy"):
        column = [value for value in (getattr(e, name) for e in result) if value is not None]
        if column and max(column) <= 1.0:
            result = [
                replace(e, **{name: round(100 * getattr(e, name), 6)}) if getattr(e, name) is not None else e
                for e in result
            ]
    return result


def _read_row(builder: _Builder, header: list[tuple[str, str]], line: str) -> bool:
    cells = cells_of(line)
    if len(cells) < 2 or not re.fullmatch(r"\d{1,4}", cells[0]):
        return bool(re.fullmatch(r"[\s|:+=-]*", line))
    if abs(len(cells) - len(header)) > 1:
        return False
    for (metric, phase), cell in zip(header, cells, strict=False):
        number = re.match(r"[\d.]+(?:e-?\d+)?|\d+/\d+", cell)
        if metric and number:
            _put(builder, metric, phase, number.group(), line)
    return True
