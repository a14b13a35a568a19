"""How it is trained: the learning rate's schedule, what the test set decides, the order of images, gradients, seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.attributes import library_bases
from tinyproof.check.code.interpreter.flows import Quantity
from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import Choice, Const, Made, Object, Unknown, options
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.chosen import rows_choose, told_as_result
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study

_OF_NUMBERS = frozenset(("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "mse_loss", "l1_loss", "smooth_l1_loss"))


def test_set_chooses(study: Study) -> Iterator[Finding]:
    """A rate or a checkpoint that depends on a figure measured on the test set."""
    rule = RULES["test-set-chooses"]
    yield from once_per_place(chain(_choices(study), rows_choose(rule, study)))


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
        if choice.told and not told_as_result(study, choice.told):
            continue
        if _of_test(study, choice.figure) and choice.told:
            yield rule.finding(
                choice.place,
                f"the largest of all epochs' test figures is kept in `{choice.told}` and told as the result",
                says=study.line(choice.place),
                effect="the best of several looks at the test set is better by luck than the network is",
            )
        elif _of_test(study, choice.figure):
            yield rule.finding(
                choice.place,
                f"the test set decides {'when the training ends' if choice.ends else 'which checkpoint is kept'}",
                says=study.line(choice.place),
                effect="the best of several looks at the test set is better by luck than the network is",
            )


def _of_test(study: Study, value: object) -> bool:
    return isinstance(value, Quantity) and value.loader is not None and study.split(value.loader).kind == "test"


# A batch of all images: it is the same in every order.
_WHOLE = re.compile(r"DataLoader\(\s*([\w.]+),\s*(?:batch_size\s*=\s*)?(?:len\(([\w.]+)\)|([\w.]+)\.shape\[0\])\s*[,)]")


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
            line = study.line(loader.place)
            if known and not streamed and id(loader) not in study.events.escaped and not _whole(study, line, data):
                if _a_series(study, turn):
                    continue
                yield RULES["unshuffled-training"].finding(
                    loader.place,
                    "the training set comes in the same order in every epoch",
                    says=line,
                    should_say=_shuffled(line),
                    effect="batches are the same in each epoch; batch statistics and updates repeat their order",
                )

    yield from once_per_place(found())


def _whole(study: Study, line: str, data: object) -> bool:
    """Whether a batch is as large as its data, or as an array that the data is made of."""
    found = _WHOLE.search(line)
    if found is None:
        return False
    counted = found[2] or found[3]
    held = rf"\w\([^()]*(?<![\w.]){re.escape(counted)}(?![\w.])"
    return found[1] == counted or re.search(held, study.line(getattr(data, "place", None))) is not None


def _a_series(study: Study, turn: Pass) -> bool:
    """Whether the order may be that of time: it is asked for (shuffle=False), and numbers are predicted, no classes."""
    asked = isinstance(turn.loader, Made) and argument(turn.loader, "shuffle", 2) is not None
    losses = {event.path.rpartition(".")[2] for event in study.events.losses if event.turn is turn}
    return asked and bool(losses) and losses <= _OF_NUMBERS


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
        yield from _never_cleared(study)

    yield from once_per_place(found())


def _never_cleared(study: Study) -> Iterator[Finding]:
    """Loops over batches of arrays, without a loader, and over epochs of all rows at once."""
    for loop in study.events.loops:
        cleared = any(around.zeroed for around in (loop, *loop.around))
        if loop.backward is None or loop.optimiser is None or cleared or loop.count == 1:
            continue
        if id(loop.optimiser) not in study.events.escaped and not study.events.missing_modules:
            yield RULES["zero-grad"].finding(
                loop.backward,
                "gradients are not cleared: each update uses the sum over all turns of the loop so far",
                says=study.line(loop.backward),
                should_say="optimizer.zero_grad()  # before backward()",
                effect="the network learns from stale gradients, as with a momentum of one",
            )


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
        "test-set-chooses",
        "warning",
        title="The test set chooses",
        why="A figure is only honest about new images if nothing was chosen by looking at them.",
        mend="Split a validation part off the training set and choose with that.",
        reads="code",
        wrong="    accuracy = test(model, device, test_loader)\n    if accuracy > best:\n"
        "        best = accuracy\n        torch.save(model.state_dict(), 'best.pt')",
        right="    accuracy = test(model, device, test_loader)",
        check=test_set_chooses,
    ),
    Rule(
        "unshuffled-training",
        "warning",
        title="The training images are not shuffled",
        why="Stochastic gradient descent wants batches drawn at random; a fixed order repeats the same batches.",
        mend="Pass shuffle=True to the training loader.",
        reads="code",
        wrong="train_loader = DataLoader(train_data, batch_size=64)",
        right="train_loader = DataLoader(train_data, batch_size=64, shuffle=True)",
        check=unshuffled_training,
    ),
    Rule(
        "zero-grad",
        "warning",
        title="Gradients are never cleared",
        why="backward() adds to the gradients that are there.",
        mend="Call optimizer.zero_grad() in every turn of the training loop.",
        reads="code",
        wrong="        output = model(data)\n        loss",
        right="        optimizer.zero_grad()\n        output = model(data)\n        loss",
        check=zero_grad,
    ),
    Rule(
        "no-seed",
        "note",
        title="No seed",
        why="Without a seed nobody can tell a better network from a luckier run.",
        mend="Set a seed, and report several of them.",
        reads="code",
        wrong="device = torch.device('cpu')",
        right="torch.manual_seed(1)\ndevice = torch.device('cpu')",
        check=no_seed,
        needs_reader=True,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
