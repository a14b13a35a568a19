"""The figure that was printed for a measurement, where the output of its cell leaves no choice."""

from __future__ import annotations

import re

from tinyproof.check.code.interpreter.uses import Measured
from tinyproof.check.log_lines import lines_of
from tinyproof.check.notebook.study import Study

_ACCURACIES = ("evaluate", "evaluate_generator", "score", "accuracy_score", "==", "validate", "balanced_accuracy_score")
_REGRESSION = re.compile(r"Regress(?!ion$)|SVR|Ridge(?!Classifier)|Lasso|ElasticNet|LinearRegression|Elastic")
_OTHER = re.compile(r"loss|error|cost|ms[l]?e|mae|mape|auc|f1|precision|recall|r2|deviance")
_NUMBER = r"(\d{1,3}(?:\.\d+)?(?:e-\d+)?)\s*(%?)"
_BAR = re.compile(rf"(?:^|[\s-])(?:\w*_)?acc(?:uracy)?\w*: {_NUMBER}")
_PAIR = re.compile(rf"^\s*[\[(].*?[,\s]\s*(?:np\.float\d+\()?{_NUMBER}\)?\s*[\])]\s*$")


def figure(study: Study, use: Measured) -> float | None:
    """The accuracy in percent that the cell of a measurement printed for it; None where that is not clear."""
    if use.name not in _ACCURACIES or use.repeated or use.run.cell is None or use.run.file != study.document.name:
        return None
    if _REGRESSION.search(getattr(use.model, "path", "").rpartition(".")[2]):
        return None
    output = next((cell.output for cell in study.document.code if cell.number == use.run.cell), "")
    lines = list(lines_of(output))[-400:]
    by_label = _by_label(use, lines)
    if by_label is not None:
        return by_label
    others = [u for u in study.events.uses if isinstance(u, Measured) and u is not use and u.run.cell == use.run.cell]
    if any(other.name in _ACCURACIES for other in others):
        return None
    return _alone(use, lines)


def _by_label(use: Measured, lines: list[str]) -> float | None:
    for label in use.labels:
        words = re.sub(r"[{%\\].*", "", label).strip()
        if len(words) < 4 or _OTHER.search(words.lower()):
            continue
        if use.name.startswith("evaluate") and "acc" not in words.lower():
            continue
        for line in reversed(lines):
            at = line.find(words)
            match = re.match(rf"[^\d\n]{{0,24}}{_NUMBER}", line[at + len(words) :]) if at >= 0 else None
            if match:
                return _percent(match[1], match[2], "acc" in words.lower())
    return None


def _alone(use: Measured, lines: list[str]) -> float | None:
    """The only measurement of its cell: the last line of a bar, a pair of loss and accuracy, a single number."""
    if use.name.startswith("evaluate"):
        for line in reversed(lines):
            match = _PAIR.match(line)
            if match and any("acc" in other for other in lines):
                return _percent(match[1], match[2], False)
            bars = list(_BAR.finditer(line))
            if bars and "val_" not in line:
                return _percent(bars[-1][1], bars[-1][2], True)
        return None
    if use.name == "score" or use.name == "accuracy_score":
        numbers = [match for line in lines for match in re.finditer(rf"(?<![\w.]){_NUMBER}", line)]
        if len(numbers) == 1:
            return _percent(numbers[0][1], numbers[0][2], False)
    return None


def _percent(text: str, sign: str, named: bool) -> float | None:
    value = float(text)
    if value <= 1 and not sign and ("." in text):
        return round(100 * value, 6)
    return value if 1 < value <= 100 and (sign or named) else None
