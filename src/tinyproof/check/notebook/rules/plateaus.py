"""An accuracy that sticks where dead classes leave it."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Run
from tinyproof.check.notebook.rules import thresholds as limits
from tinyproof.check.notebook.rules.rule import Rule, percent
from tinyproof.check.notebook.study import Study

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
        figures = run.test_accuracies[-limits.EPOCHS_OF_A_LEVEL :]
        if len(figures) < limits.FEWEST_EPOCHS_OF_A_RUN:
            continue
        level = figures[-1]
        spread = max(figures) - min(figures)
        at_a_share = any(abs(level - share) < limits.SHARE_TOLERANCE for share in limits.SHARES_OF_ONE_CLASS)
        if spread <= limits.SHARE_SPREAD and at_a_share:
            return run, f"{percent(level)} in each of the last {len(figures)} epochs, the share of a single class"
        steady = len(figures) == limits.EPOCHS_OF_A_LEVEL and spread < limits.LEVEL_SPREAD
        if steady and about_mnist(study) and any(a <= level <= b for a, b in limits.LEVELS_WITH_DEAD_CLASSES):
            dead = round((99.0 - level) / 10)
            learned = [e.train_accuracy for e in run.epochs[-len(figures) :] if e.train_accuracy is not None]
            if any(share > 100 - 10 * dead for share in learned):
                continue  # more of the training set is answered rightly than living classes could
            return run, f"{percent(level)} and the like in the last 5 epochs, as if {dead} of ten classes were dead"
    return None


_LIST = (
    Rule(
        "accuracy-plateau",
        "warning",
        title="The accuracy sticks where dead classes leave it",
        why="An accuracy of 9.80 or 11.35 % is the share of one digit; levels near 60, 70, 80 and 90 "
        "% that do not move "
        "are the sum of the classes that are left.",
        mend="Look for an activation on the class scores, a rate that is too high, or labels that do "
        "not fit; train again.",
        reads="log",
        wrong="Test set: Average loss: 2.3015, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3011, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3010, Accuracy: 1135/10000 (11.35%)\n"
        "Test set: Average loss: 2.3010, Accuracy: 1135/10000 (11.35%)",
        right="Test set: Average loss: 0.0712, Accuracy: 9779/10000 (97.79%)\n"
        "Test set: Average loss: 0.0486, Accuracy: 9841/10000 (98.41%)\n"
        "Test set: Average loss: 0.0352, Accuracy: 9893/10000 (98.93%)\n"
        "Test set: Average loss: 0.0361, Accuracy: 9885/10000 (98.85%)",
        check=accuracy_plateau,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
