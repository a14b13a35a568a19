"""Callbacks of Keras that cannot act, and figures that Lightning averages a second time."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.uses import Running
from tinyproof.check.code.interpreter.values import Made, constant, number
from tinyproof.check.code.library.sources import given
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import fits
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study

_USUAL_RATES = {"adam": 0.001, "sgd": 0.01, "rmsprop": 0.001, "adamw": 0.001, "nadam": 0.001, "adamax": 0.001}


def plateau_cannot_reduce(rule: Rule, study: Study) -> Iterator[Finding]:
    """ReduceLROnPlateau whose least rate lies above the rate of the optimiser."""
    for fit in fits(study):
        rate = _rate(fit.model)
        for callback in fit.callbacks:
            if not callback.path.endswith("callbacks.ReduceLROnPlateau") or rate is None:
                continue
            least = number(given(callback.args, callback.kwargs, ("min_lr", 7)))
            if least is not None and least >= rate:
                yield rule.finding(
                    callback.place,
                    f"the callback never reduces the rate: min_lr {least:g} is not below the optimiser's {rate:g}",
                    says=study.line(callback.place),
                    fix=f"min_lr={rate / 100:g}",
                    effect="the learning rate stays what it was at the start",
                )


def _rate(model: object) -> float | None:
    optimiser = model.attrs.get("(optimizer)") if isinstance(model, Made) else None
    if isinstance(optimiser, Made):
        rate = given(optimiser.args, optimiser.kwargs, ("learning_rate", 0)) or optimiser.kwargs.get("lr")
        if rate is not None:
            return number(rate)
        return _USUAL_RATES.get(optimiser.short.lower())
    name = constant(optimiser)
    return _USUAL_RATES.get(name.lower()) if isinstance(name, str) else None


def running_average(study: Study) -> Iterator[Finding]:
    """self.log(name, metric.compute()) in a step."""

    def found() -> Iterator[Finding]:
        for use in study.events.uses:
            if isinstance(use, Running):
                yield RULES["running-average"].finding(
                    use.place,
                    "the figure of all batches so far is logged for each batch, and Lightning averages these",
                    says=study.line(use.place),
                    should_say=study.line(use.place).replace(".compute()", ""),
                    effect="early batches count many times: the figure is not the share of right answers",
                )

    yield from once_per_place(found())


_LIST = (
    Rule(
        "running-average",
        "error",
        title="Running figures are averaged",
        why="A metric that is updated and computed in each step holds all images so far; the mean of "
        "such figures is none "
        "of the whole set.",
        mend="Log the metric object (self.log('test_acc', self.accuracy)), or compute it once, at "
        "the end of the epoch.",
        reads="code",
        wrong="import pytorch_lightning as pl, torchmetrics\n"
        "        self.learning_rate, self.right = learning_rate, torchmetrics.Accuracy('multiclass', num_classes=10)\n"
        "        self.right.update(scores, y); self.log('test_acc', self.right.compute())",
        right="import pytorch_lightning as pl\n"
        "        self.learning_rate = learning_rate\n"
        "        self.log('test_acc', accuracy, prog_bar=True)",
        check=running_average,
        style="lightning",
    ),
)
RULES = {rule.name: rule for rule in _LIST}
