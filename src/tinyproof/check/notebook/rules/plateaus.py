"""An accuracy that sticks where dead classes leave it."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Run
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study

# Shares of the ten digits among the 10,000 test images of MNIST, and 10 % each in the sets made like it.
_SHARES = (9.80, 11.35, 10.32, 10.10, 9.82, 8.92, 9.58, 10.28, 9.74, 10.09, 10.00)


# Not the step near 90 %: a weak network that learns slowly stands there as well.
_STEPS = ((57.5, 62.5), (67.5, 72.5), (77.5, 82.0))


_ALIKE = frozenset(("MNIST", "FashionMNIST", "KMNIST"))


def about_mnist(study: Study) -> bool:
    families = study.families()
    return families == {"MNIST"} or (
        not families and any("mnist" in cell.source.lower() for cell in study.document.code)
    )


def accuracy_plateau(study: Study) -> Iterator[Finding]:
    """The accuracy sticks at the share of one class, or tens of points below one hundred."""
    stuck = plateau(study)
    if stuck is None:
        return
    run, words = stuck
    yield RULES["accuracy-plateau"].finding(
        CodePlace(study.document.name, run.cell),
        f"the test accuracy sticks: {words}",
        says=next((e.line for e in reversed(run.epochs) if e.line), ""),
        effect="some classes are never answered: their scores died, or the network answers one class only",
    )


def plateau(study: Study) -> tuple[Run, str] | None:
    """A run whose last epochs stick at a level that dead classes give, with the words for it."""
    if not (study.families() & _ALIKE or about_mnist(study)):
        return None
    for run in study.runs:
        figures = run.test_accuracies[-5:]
        if len(figures) < 3:
            continue
        level = figures[-1]
        if max(figures) - min(figures) <= 0.02 and any(abs(level - share) < 0.006 for share in _SHARES):
            return run, f"{percent(level)} in each of the last {len(figures)} epochs, the share of a single class"
        steady = about_mnist(study) and len(figures) == 5 and max(figures) - min(figures) < 0.8
        if steady and any(low <= level <= high for low, high in _STEPS):
            dead = round((99.0 - level) / 10)
            return run, f"{percent(level)} and the like in the last 5 epochs, as if {dead} of ten classes were dead"
    return None


_LIST = (
    Rule(
        "accuracy-plateau",
        "warning",
        "The accuracy sticks where dead classes leave it",
        "An accuracy of 9.80 or 11.35 % is the share of one digit; levels near 60, 70, 80 and 90 % that do not move "
        "are the sum of the classes that are left.",
        "Look for an activation on the class scores, a rate that is too high, or labels that do not fit; train again.",
        "log",
        "Test set: Average loss: 2.3015, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3011, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3010, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3010, Accuracy: 1135/10000 (11.35%)",
        "Test set: Average loss: 0.0712, Accuracy: 9779/10000 (97.79%)\n"
        "Test set: Average loss: 0.0486, Accuracy: 9841/10000 (98.41%)\n"
        "Test set: Average loss: 0.0352, Accuracy: 9893/10000 (98.93%)\n"
        "Test set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)",
        accuracy_plateau,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
