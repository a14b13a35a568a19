"""Read training logs out of printed text: accuracy and loss per epoch, in the shapes people print them.

The text is cut into lines (a progress bar's carriage returns keep only its last state, colours are removed); each line
into words that say which phase and which figure, and the numbers behind them. Nothing here knows about code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

MAX_LINES = 60_000
MAX_LINE_CHARACTERS = 1_500
MAX_EPOCHS = 5_000

_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b.")
_INTERESTING = re.compile(r"acc|loss|epoch|correct|\blr\b|learning.rate|top-?1|params|parameters", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<train>(?<![a-z])(?:train(?:ing|ed)?|trn|tr)(?![a-z]))"
    r"|(?P<test>(?<![a-z])(?:test(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|dev)(?![a-z]))"
    r"|(?P<best>(?<![a-z])(?:best|highest|max(?:imum)?|target|goal|per[- ]class)(?![a-z]))"
    r"|(?P<acc>(?<![a-z])(?:acc(?:uracy)?|top-?1)(?![a-z]))"
    r"|(?P<loss>(?<![a-z])(?:loss|nll)(?![a-z]))"
    r"|(?P<lr>(?<![a-z])(?:lr|learning[ _]rate)(?![a-z]))"
    r"|(?P<epoch>(?<![a-z])epoch(?![a-z]))"
    r"|(?P<batch>(?<![a-z])batch(?:[ _]?id(?:x)?)?(?![a-z]))"
    r"|(?P<fraction>(?<![\d.])\d{1,9}\s{0,2}/\s{0,2}\d{1,9}(?![\d.]))"
    r"|(?P<number>(?<![\d.\w])[-+]?(?:\d{1,12}\.?\d{0,18}|\.\d{1,18})(?:e[-+]?\d{1,3})?(?=$|[^\d.\w]|\.(?:$|\D)|it|s))",
    re.IGNORECASE,
)
_GAP_WORDS = re.compile(
    r"[\s:=\-()\[\]>|\"'~%_,*#→│┃]|set|is|score|value|avg|average|mean|on|of|the|data|dataset|group|final|current|images|at"
)
_PARAMETERS = re.compile(
    r"(?:total|trainable|number of|model|all|#)[^\d\n]{0,40}param(?:eter)?s?[^\d\n]{0,20}?[:=]?\s{0,4}(\d[\d,]{2,14})"
    r"|(\d{1,3}(?:,\d{3})+|\d{4,9})\s{1,3}(?:total |trainable |learnable )?param(?:eter)?s",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"(?<![\d.])\d{1,3}\.\d{2,6}(?!\d)")
_ADJUSTING = re.compile(r"learning rate of group \d+ (?:is set )?to ([\d.e+-]{1,20})", re.IGNORECASE)
_OF_THE_NETWORK = re.compile(
    r"accuracy of (?:the )?(?:network|model|net)[^\d]{0,40}(\d{3,6})\s+(train|test)\w*\s+images"
    r"[^\d]{0,8}(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)


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
    train_correct: int | None = None
    train_total: int | None = None


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
        for line in _lines(text):
            budget -= 1
            if budget < 0:
                break
            if len(figures) < 20_000:
                figures.update(_FIGURE.findall(line))
            if header and _read_row(builder, header, line):
                continue
            if not _INTERESTING.search(line):
                continue
            header = _read_header(line)
            if not header:
                _read_line(builder, line)
            parameters.extend((cell, count) for count in _parameter_counts(line))
        builder.end()
        runs.extend(builder.runs)
    return Log(tuple(runs), tuple(dict.fromkeys(parameters)), frozenset(figures))


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if "\r" in line:
            parts = [part for part in line.split("\r") if part.strip()]
            # A bar is drawn hundreds of times; only what it says at its end, and what is no bar, counts.
            kept = [part for part in parts if "%|" not in part or "100%|" in part]
            chosen = kept if kept else parts[-1:]
            yield from (_ANSI.sub("", part[:MAX_LINE_CHARACTERS]) for part in chosen[-200:])
        elif line:
            if "%|" in line and "100%|" not in line:
                continue
            yield _ANSI.sub("", line[:MAX_LINE_CHARACTERS])


def _parameter_counts(line: str) -> list[int]:
    if "aram" not in line and "ARAM" not in line:
        return []
    found = [first or second for first, second in _PARAMETERS.findall(line)]
    return [int(text.replace(",", "")) for text in found if text and "non-trainable" not in line.lower()]


def _read_line(builder: _Builder, line: str) -> None:
    adjusting = _ADJUSTING.search(line)
    if adjusting:
        rate = _number(adjusting.group(1).rstrip("."))
        builder.now = replace(builder.now, rate=rate)
        return
    whole = _OF_THE_NETWORK.search(line)
    if whole:
        _put(builder, "acc", whole.group(2).lower(), whole.group(3), line)
        return
    phase = ""
    metric = metric_phase = ""
    position = 0
    selected = of_classes = False
    is_bar = "it/s]" in line or "s/it]" in line or "%|" in line
    found: list[tuple[str, str, str]] = []
    for token in _TOKEN.finditer(line):
        kind = token.lastgroup or ""
        if kind in ("train", "test"):
            phase = kind
            if metric and _small_gap(line[position : token.start()]):
                metric_phase, position = kind, token.end()
        elif kind == "best":
            selected = True
        elif kind in ("acc", "loss", "lr", "epoch", "batch"):
            metric, metric_phase, position = kind, phase, token.end()
        elif metric and _small_gap(line[position : token.start()]):
            # "best accuracy 99.4" sums up other epochs; "accuracy of 3: 99 %" is that of one class.
            of_class = metric == "acc" and not is_bar and bool(re.match(r"\d{1,2}\s*:", line[token.start() :]))
            if metric in ("lr", "epoch", "batch") or not (selected or of_class or of_classes):
                found.append((metric, metric_phase, token.group()))
            elif not of_class:
                selected = False
            of_classes = of_classes or of_class
            metric = ""
    if is_bar or any(kind == "batch" for kind, _, _ in found):
        found = [(kind, phase or "train" if kind in ("acc", "loss") else phase, text) for kind, phase, text in found]
    elif any(phase == "test" for kind, phase, _ in found if kind in ("acc", "loss")):
        found = [(kind, phase or ("train" if kind in ("acc", "loss") else ""), text) for kind, phase, text in found]
    for kind, named, text in found:
        _put(builder, kind, named, text, line)


def _small_gap(gap: str) -> bool:
    return len(gap) <= 40 and not _GAP_WORDS.sub("", gap.lower())


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
        if value is not None:
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
    if name == "test_accuracy":
        builder.now = replace(builder.now, correct=correct, total=total, line=line.strip()[:200])
    elif name == "train_accuracy":
        builder.now = replace(builder.now, train_correct=correct, train_total=total)
    elif not builder.now.line:
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


def _read_header(line: str) -> list[tuple[str, str]]:
    """The columns of a table of epochs, as (figure, phase); empty when the line is no such header."""
    if len(line) > 300 or re.search(r"\d", line):
        return []
    cells = _cells(line)
    columns = []
    for cell in cells:
        kinds = [token.lastgroup for token in _TOKEN.finditer(cell)]
        metric = next((k for k in ("epoch", "acc", "loss", "lr") if k in kinds), "")
        columns.append((metric, next((k for k in ("train", "test") if k in kinds), "")))
    names = [metric for metric, _ in columns]
    if names[:1] != ["epoch"] or not {"loss", "acc"} & set(names):
        return []
    if any(phase == "test" for _, phase in columns):
        columns = [(metric, phase or ("test" if metric == "acc" else phase)) for metric, phase in columns]
    return columns


def _cells(line: str) -> list[str]:
    if "|" in line:
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return re.split(r"\t|\s{2,}|,", line.strip()) if re.search(r"\t|\s{2,}|,", line.strip()) else line.split()


def _read_row(builder: _Builder, header: list[tuple[str, str]], line: str) -> bool:
    cells = _cells(line)
    if len(cells) == 1 or not re.fullmatch(r"\d{1,4}", cells[0]):
        return bool(re.fullmatch(r"[\s|:+=-]*", line))
    if abs(len(cells) - len(header)) > 1:
        return False
    for (metric, phase), cell in zip(header, cells, strict=False):
        number = re.match(r"[\d.]+(?:e-?\d+)?|\d+/\d+", cell)
        if metric and number:
            _put(builder, metric, phase, number.group(), line)
    return True
