"""How it is trained: the learning rate's schedule, what the test set decides, the order of images, gradients, seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.notebook.attributes import library_bases
from tinyproof.check.notebook.data import argument
from tinyproof.check.notebook.events import SchedulerStep
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study
from tinyproof.check.notebook.values import (
    Choice,
    Const,
    Made,
    Object,
    Quantity,
    Seq,
    Unknown,
    constant,
    is_scheduler,
    number,
    options,
)
from tinyproof.core.finding import Finding


def scheduler_without_effect(study: Study) -> Iterator[Finding]:
    """Built and never stepped, first change after the last epoch, fed the wrong figure, or counting other steps."""
    yield from once_per_place(_idle_schedulers(study))


def _idle_schedulers(study: Study) -> Iterator[Finding]:
    rates = printed_rates(study)
    changing = len(set(rates)) > 1
    steady = f"the log prints the rate {rates[0]:g} {len(rates)} times" if rates else ""
    if changing:
        steady = f"the log prints rates from {max(rates):g} to {min(rates):g}: it was not made by this code"
    for made in study.events.made:
        if not is_scheduler(made) or id(made) in study.events.escaped or study.events.exhausted:
            continue
        if changing and (study.events.missing_modules or study.events.unread):
            continue  # the rate does change: by something that was not read
        steps = [step for step in study.events.steps if step.scheduler is made]
        problem = _never_stepped(study, made) if not steps else _problem(made, steps)
        if problem is None:
            continue
        message, effect, fix = problem
        line = study.line(made.place)
        yield RULES["scheduler-without-effect"].finding(
            made.place,
            message,
            says=line,
            should_say=_sooner(line, message),
            fix=fix,
            effect=effect,
            evidence=(steady, f"stepped at {steps[0].place}: {study.line(steps[0].place)}" if steps else ""),
        )


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
    if any(step.turn is not None or not step.loops for step in steps):
        return None
    counts = [step.loops[-1].count for step in steps]
    places = {step.place for step in steps}
    if any(count is None for count in counts) or (len(places) != len(steps)):
        return None
    epochs = sum(count or 0 for count in counts)
    changes = epochs - 1 if all(step.after_training for step in steps) else epochs
    first, words = _first_change(made)
    if first is None or first <= changes:
        return None
    fix = f"a step_size well below {epochs}" if made.short == "StepLR" else f"milestones below {epochs}"
    return f"the scheduler never changes the rate: {words}, {epochs} epochs", _IDLE, fix


def _first_change(made: Made) -> tuple[float | None, str]:
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


def test_set_chooses(study: Study) -> Iterator[Finding]:
    """A rate or a checkpoint that depends on a figure measured on the test set."""
    yield from once_per_place(_choices(study))


def _choices(study: Study) -> Iterator[Finding]:
    rule = RULES["test-set-chooses"]
    for step in study.events.steps:
        if step.scheduler.short != "ReduceLROnPlateau":
            continue
        for value in step.values[:1]:
            if any(_of_test(study, option) for option in options(value)) and not isinstance(value, Choice):
                yield rule.finding(
                    step.place,
                    "the test set decides when the learning rate falls",
                    says=study.line(step.place),
                    effect="the training has seen the test set: its accuracy is no longer that on new images",
                )
    for choice in study.events.choices:
        if _of_test(study, choice.figure):
            yield rule.finding(
                choice.place,
                "the test set decides which checkpoint is kept",
                says=study.line(choice.place),
                effect="the best of several looks at the test set is better by luck than the network is",
            )


def _of_test(study: Study, value: object) -> bool:
    return isinstance(value, Quantity) and value.loader is not None and study.split(value.loader).kind == "test"


def unshuffled_training(study: Study) -> Iterator[Finding]:
    """The training loader gives the images in the same order in every epoch."""

    def found() -> Iterator[Finding]:
        for turn in study.trainings:
            loader = turn.loader
            if not isinstance(loader, Made) or not loader.short.endswith("DataLoader") or not _in_order(loader):
                continue
            data = loader.args[0] if loader.args else loader.kwargs.get("dataset")
            known = study.split(loader).kind in ("train", "part")
            streamed = isinstance(data, Object) and any("Iterable" in path for path in library_bases(data.cls))
            if known and not streamed and id(loader) not in study.events.escaped:
                line = study.line(loader.place)
                yield RULES["unshuffled-training"].finding(
                    loader.place,
                    "the training images come in the same order in every epoch",
                    says=line,
                    should_say=_shuffled(line),
                    effect="batches are the same in each epoch; batch statistics and updates repeat their order",
                )

    yield from once_per_place(found())


def _in_order(loader: Made) -> bool:
    for name, position in (("sampler", 3), ("batch_sampler", 4)):
        given = argument(loader, name, position)
        if given is not None and not (isinstance(given, Const) and given.value is None):
            return False
    shuffle = argument(loader, "shuffle", 2)
    if isinstance(shuffle, Unknown | Choice):
        return False
    return shuffle is None or (isinstance(shuffle, Const) and not shuffle.value)


def _shuffled(line: str) -> str:
    if "shuffle=False" in line:
        return line.replace("shuffle=False", "shuffle=True")
    return line[:-1] + ", shuffle=True)" if line.endswith(")") and line.count("(") == line.count(")") else ""


def zero_grad(study: Study) -> Iterator[Finding]:
    """Gradients are never cleared between updates."""

    def found() -> Iterator[Finding]:
        for turn in study.trainings:
            if turn.backward is None or not turn.steps or turn.zeroed or turn.escaped or turn.framework:
                continue
            place = turn.backward
            yield RULES["zero-grad"].finding(
                place,
                "gradients are not cleared: each update uses the sum over all batches so far",
                says=study.line(place),
                should_say="optimizer.zero_grad()  # before backward()",
                effect="the network learns from stale gradients, as with a momentum of one",
            )

    yield from once_per_place(found())


def no_seed(study: Study) -> Iterator[Finding]:
    """Nothing sets a seed, so the run cannot be repeated."""
    if not study.trainings or study.events.seeds or study.events.missing_modules:
        return
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    if re.search(r"manual_seed|pl\.seed_everything|L\.seed_everything|random\.seed\(", text):
        return
    turn = study.trainings[0]
    place = turn.frames[0].place if turn.frames else turn.place
    yield RULES["no-seed"].finding(
        place,
        "no seed is set: one run, which cannot be repeated",
        says=study.line(place),
        should_say="torch.manual_seed(1)  # before the network is built",
        effect="another run gives another figure; on 10,000 images single runs differ by about 0.07 by sampling alone",
    )


_LIST = (
    Rule(
        "scheduler-without-effect",
        "warning",
        "The scheduler never changes the rate",
        "A scheduler acts when step() is called, and StepLR only after step_size of these calls.",
        "Call scheduler.step() once per epoch after training (one-cycle: after every batch); choose step_size below "
        "the number of epochs.",
        "code; the rate in the log",
        "scheduler = StepLR(optimizer, step_size=6, gamma=0.1)",
        "scheduler = StepLR(optimizer, step_size=2, gamma=0.1)",
        scheduler_without_effect,
    ),
    Rule(
        "test-set-chooses",
        "warning",
        "The test set chooses",
        "A figure is only honest about new images if nothing was chosen by looking at them.",
        "Split a validation part off the training set and choose with that.",
        "code",
        "    accuracy = test(model, device, test_loader)\n    if accuracy > best:\n"
        "        best = accuracy\n        torch.save(model.state_dict(), 'best.pt')",
        "    accuracy = test(model, device, test_loader)",
        test_set_chooses,
    ),
    Rule(
        "unshuffled-training",
        "warning",
        "The training images are not shuffled",
        "Stochastic gradient descent wants batches drawn at random; a fixed order repeats the same batches.",
        "Pass shuffle=True to the training loader.",
        "code",
        "train_loader = DataLoader(train_data, batch_size=64)",
        "train_loader = DataLoader(train_data, batch_size=64, shuffle=True)",
        unshuffled_training,
    ),
    Rule(
        "zero-grad",
        "warning",
        "Gradients are never cleared",
        "backward() adds to the gradients that are there.",
        "Call optimizer.zero_grad() in every turn of the training loop.",
        "code",
        "        output = model(data)\n        loss",
        "        optimizer.zero_grad()\n        output = model(data)\n        loss",
        zero_grad,
    ),
    Rule(
        "no-seed",
        "note",
        "No seed",
        "Without a seed nobody can tell a better network from a luckier run.",
        "Set a seed, and report several of them.",
        "code",
        "device = torch.device('cpu')",
        "torch.manual_seed(1)\ndevice = torch.device('cpu')",
        no_seed,
        needs_reader=True,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
