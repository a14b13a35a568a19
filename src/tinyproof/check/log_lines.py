"""One line of a log: the words that say which phase and which figure, and the numbers behind them.

Nothing here knows about epochs; a line gives (figure, phase, number as text), in the order of the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_LINE_CHARACTERS = 1_500


_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b.")


INTERESTING = re.compile(r"acc|loss|epoch|correct|\blr\b|learning.rate|top-?1|params|parameters", re.IGNORECASE)


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
    r"|(?P<nan>(?<![a-z])nan(?![a-z]))"
    r"|(?P<number>(?<![\d.\w])[-+]?(?:\d{1,12}\.?\d{0,18}|\.\d{1,18})(?:e[-+]?\d{1,3})?(?=$|[^\d.\w]|\.(?:$|\D)|it|s))",
    re.IGNORECASE,
)


_GAP_WORDS = re.compile(
    r"[\s:=\-()\[\]>|\"'~%_,*#→│┃]|set|is|score|value|avg|average|mean|on|of|for|the|data|dataset|group|final|current|images|at"
)


_PARAMETERS = re.compile(
    r"(?:total|trainable|number of|model|all|#)[^\d\n]{0,40}param(?:eter)?s?[^\d\n]{0,20}?[:=]?\s{0,4}(\d[\d,]{2,14})"
    r"|(\d{1,3}(?:,\d{3})+|\d{4,9})\s{1,3}(?:total |trainable |learnable )?param(?:eter)?s",
    re.IGNORECASE,
)


FIGURE = re.compile(r"(?<![\d.])\d{1,3}\.\d{2,6}(?!\d)")


_ADJUSTING = re.compile(r"learning rate of group \d+ (?:is set )?to ([\d.e+-]{1,20})", re.IGNORECASE)


_OF_THE_NETWORK = re.compile(
    r"accuracy of (?:the )?(?:network|model|net)[^\d]{0,40}(\d{3,6})\s+(train|test)\w*\s+images"
    r"[^\d]{0,8}(\d+(?:\.\d+)?)",
    re.IGNORECASE,
)


def lines_of(text: str) -> Iterator[str]:
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


def parameter_counts(line: str) -> list[int]:
    if "aram" not in line and "ARAM" not in line:
        return []
    found = [first or second for first, second in _PARAMETERS.findall(line)]
    return [int(text.replace(",", "")) for text in found if text and "non-trainable" not in line.lower()]


def _small_gap(gap: str) -> bool:
    return len(gap) <= 40 and not _GAP_WORDS.sub("", gap.lower())


def table_columns(line: str) -> list[tuple[str, str]]:
    """The columns of a table of epochs, as (figure, phase); empty when the line is no such header."""
    if len(line) > 300 or re.search(r"\d", line):
        return []
    cells = cells_of(line)
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


def cells_of(line: str) -> list[str]:
    if "|" in line:
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return re.split(r"\t|\s{2,}|,", line.strip()) if re.search(r"\t|\s{2,}|,", line.strip()) else line.split()


def figures_of(line: str) -> list[tuple[str, str, str]]:
    """The figures of a line as (figure, phase, text); figure: acc, loss, lr, epoch or batch; phase: train, test or ''.

    >>> figures_of("Epoch 3: train loss 0.1, val acc 98.5%")
    [('epoch', '', '3'), ('loss', 'train', '0.1'), ('acc', 'test', '98.5')]
    """
    adjusting = _ADJUSTING.search(line)
    if adjusting:
        return [("lr", "", adjusting.group(1).rstrip("."))]
    whole = _OF_THE_NETWORK.search(line)
    if whole:
        return [("acc", whole.group(2).lower(), whole.group(3))]
    is_bar = "it/s]" in line or "s/it]" in line or "%|" in line
    found = _pairs(line, is_bar)
    if is_bar or any(figure == "batch" for figure, _, _ in found):
        missing = "train"
    else:
        # Beside a figure of the test set, one without a name is of the training set.
        missing = "train" if any(phase == "test" and figure in ("acc", "loss") for figure, phase, _ in found) else ""
    return [(figure, phase or (missing if figure in ("acc", "loss") else ""), text) for figure, phase, text in found]


def _pairs(line: str, is_bar: bool) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    phase = figure = figure_phase = ""
    position = 0
    selected = of_classes = False
    for token in _TOKEN.finditer(line):
        kind = token.lastgroup or ""
        if kind in ("train", "test"):
            phase = kind
            if figure and _small_gap(line[position : token.start()]):
                figure_phase, position = kind, token.end()
        elif kind == "best":
            selected = True
        elif kind in ("acc", "loss", "lr", "epoch", "batch"):
            figure, figure_phase, position = kind, phase, token.end()
        elif figure and _small_gap(line[position : token.start()]):
            # "best accuracy 99.4" sums up other epochs; "accuracy of 3: 99 %" is that of one class.
            of_class = figure == "acc" and not is_bar and bool(re.match(r"\d{1,2}\s*:", line[token.start() :]))
            if figure in ("lr", "epoch", "batch") or not (selected or of_class or of_classes):
                found.append((figure, figure_phase, token.group()))
            elif not of_class:
                selected = False
            of_classes = of_classes or of_class
            figure = ""
    return found
