"""The learning rate's schedule: stepped or not, in time or not, by the right figure or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.events import SchedulerStep
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.optimisers import is_scheduler
from tinyproof.check.code.interpreter.turns import epoch_loops
from tinyproof.check.code.interpreter.values import Made, Seq, constant, number, options
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.callbacks import plateau_cannot_reduce
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study


def scheduler_without_effect(study: Study) -> Iterator[Finding]:
    """Built and never stepped, first change after the last epoch, fed the wrong figure, or counting other steps."""
    rule = RULES["scheduler-without-effect"]
    yield from once_per_place(chain(_idle_schedulers(study), plateau_cannot_reduce(rule, study)))


def _idle_schedulers(study: Study) -> Iterator[Finding]:
    rates = printed_rates(study)
    changing = len(set(rates[:-1])) > 1  # a rate printed after the last epoch may be the next one's
    steady = f"the log prints the rate {rates[0]:g} {rates.count(rates[0])} times" if rates else ""
    for made in study.events.made:
        if not is_scheduler(made) or id(made) in study.events.escaped or study.events.exhausted:
            continue
        if _within_another(study, made):
            continue
        if changing and (study.events.missing_modules or study.events.unread):
            continue  # the rate does change: by something that was not read
        steps = [step for step in study.events.steps if step.scheduler is made]
        problem = _never_stepped(study, made) if not steps else _problem(made, steps)
        if problem is None or (changing and made.short in _BY_COUNT and steps):
            continue  # where the log shows the rate change, the code does what the log says: what was read is not all
        message, effect, fix = problem
        line = study.line(made.place)
        yield RULES["scheduler-without-effect"].finding(
            made.place,
            message,
            says=line,
            should_say=_sooner(line, message),
            fix=fix,
            effect=effect,
            evidence=(
                "" if changing else steady,
                f"stepped at {steps[0].place}: {study.line(steps[0].place)}" if steps else "",
            ),
        )


def _within_another(study: Study, made: Made) -> bool:
    """Whether another scheduler steps it: SequentialLR([warm_up, rest]), ChainedScheduler, a warm-up around it."""
    others = [other for other in study.events.made if is_scheduler(other) and other is not made]
    given = [value for other in others for value in (*other.args, *other.kwargs.values())]
    listed = [item for value in given for item in (value.items if isinstance(value, Seq) else [value])]
    return any(option is made for item in listed for option in options(item))


# Schedulers that change the rate after a number of steps, whatever is measured.
_BY_COUNT = ("StepLR", "MultiStepLR", "ExponentialLR")


def _sooner(line: str, message: str) -> str:
    """The line with a step_size of a third of the epochs, where it says too large a one."""
    found = re.search(r"step_size (\d+), (\d+) epochs", message)
    if not found:
        return ""
    size, better = found.group(1), str(max(1, int(found.group(2)) // 3))
    changed = re.sub(rf"(step_size\s*=\s*|StepLR\(\w+,\s*){size}\b", rf"\g<1>{better}", line)
    return changed if changed != line else ""


_IDLE = "the learning rate stays what it was at the start; what the text says of the schedule did not happen"


def _never_stepped(study: Study, made: Made) -> tuple[str, str, str] | None:
    optimiser = made.args[0] if made.args else made.kwargs.get("optimizer")
    used = any(stepped is optimiser for turn in study.trainings for stepped, _ in turn.steps)
    used = used or any(turn.framework for turn in study.trainings)
    elsewhere = study.events.unread or set(made.names) & study.steps_not_reached
    if not used or elsewhere or any(_rebound(study, made, name) for name in made.names):
        return None
    name = made.names[0] if made.names else "scheduler"
    return "the scheduler never changes the rate: step() is never called", _IDLE, f"{name}.step()  # once per epoch"


def _rebound(study: Study, made: Made, name: str) -> bool:
    """Whether a later cell gave the name to something else: the scheduler was replaced, perhaps on purpose."""
    last = study.scope.names.get(name)
    return last is not None and made not in options(last) and isinstance(last, Made)


def _problem(made: Made, steps: list[SchedulerStep]) -> tuple[str, str, str] | None:
    if made.short == "ReduceLROnPlateau":
        return _wrong_way(made, steps)
    if made.short == "OneCycleLR":
        return _one_cycle(made, steps)
    if any(step.turn is not None or not epoch_loops(step.loops) for step in steps):
        return None
    counts = [epoch_loops(step.loops)[-1].count for step in steps]
    places = {step.place for step in steps}
    if any(count is None for count in counts) or (len(places) != len(steps)):
        return None
    epochs = sum(count or 0 for count in counts)
    changes = epochs - 1 if all(step.after_training for step in steps) else epochs
    first, words = first_change(made)
    if first is None or first <= changes:
        return None
    fix = f"a step_size well below {epochs}" if made.short == "StepLR" else f"milestones below {epochs}"
    return f"the scheduler never changes the rate: {words}, {epochs} epochs", _IDLE, fix


def first_change(made: Made) -> tuple[float | None, str]:
    """After how many steps the rate first changes, with the words for it; None when it is not known."""
    position = 2
    gamma = argument(made, "gamma", 1 if made.short == "ExponentialLR" else position)
    if made.short in ("StepLR", "ExponentialLR", "MultiStepLR") and number(gamma) == 1:
        return float("inf"), "gamma 1"
    if made.short == "StepLR":
        size = number(argument(made, "step_size", 1))
        return size, f"step_size {size:g}" if size is not None else ""
    if made.short == "MultiStepLR":
        listed = argument(made, "milestones", 1)
        if isinstance(listed, Seq) and listed.whole and listed.items:
            known = [number(item) for item in listed.items]
            if all(k is not None for k in known):
                first = min(k for k in known if k is not None)
                return first, f"first milestone {first:g}"
    return None, ""


def _wrong_way(made: Made, steps: list[SchedulerStep]) -> tuple[str, str, str] | None:
    given = argument(made, "mode", 1)
    mode = "min" if given is None else constant(given)
    kinds = set()
    for step in steps:
        for value in step.values[:1]:
            kinds |= {o.kind if isinstance(o, Quantity) and o.reach == "final" else "?" for o in options(value)}
    if mode == "min" and kinds == {"accuracy"}:
        return (
            "the scheduler waits for the accuracy to fall: mode='min' is fed an accuracy",
            "the rate is cut while the network still improves, since a growing accuracy counts as no progress",
            "mode='max'",
        )
    if mode == "max" and kinds == {"loss"}:
        return (
            "the scheduler waits for the loss to grow: mode='max' is fed a loss",
            "the rate is cut while the network still improves",
            "mode='min'",
        )
    return None


def _one_cycle(made: Made, steps: list[SchedulerStep]) -> tuple[str, str, str] | None:
    per_epoch = argument(made, "steps_per_epoch", 4)
    counted = isinstance(per_epoch, Quantity) and per_epoch.kind == "batches"
    counted = counted or (number(per_epoch) or 0) >= 50
    total = argument(made, "total_steps", 2)  # epochs times the loader's length
    counted = counted or (isinstance(total, Quantity) and total.kind in ("batches", "images"))
    if not counted or any(step.turn is not None or not step.loops for step in steps):
        return None
    return (
        "the one-cycle schedule counts batches and is stepped once per epoch",
        "only the first few steps of the warm-up are used: the rate stays near its small starting value",
        "step the scheduler after every batch, inside the loop over the loader",
    )


def printed_rates(study: Study) -> list[float]:
    """The learning rates that the longest run prints."""
    columns = [[e.rate for e in run.epochs if e.rate is not None] for run in study.runs]
    return max(columns, key=len, default=[])


_LIST = (
    Rule(
        "scheduler-without-effect",
        "warning",
        title="The scheduler never changes the rate",
        why="A scheduler acts when step() is called, and StepLR only after step_size of these calls.",
        mend="Call scheduler.step() once per epoch after training (one-cycle: after every batch); choose step_size "
        "below the number of epochs.",
        reads="code; the rate in the log",
        wrong="scheduler = StepLR(optimizer, step_size=6, gamma=0.1)",
        right="scheduler = StepLR(optimizer, step_size=2, gamma=0.1)",
        check=scheduler_without_effect,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
