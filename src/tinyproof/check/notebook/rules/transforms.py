"""What is done to the images before they are measured on: augmentation, normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.values import Made, Object, Value, options
from tinyproof.check.code.library.image_transforms import (
    always_applied,
    normalisation,
    random_step,
    steps_of,
    transform_of,
)
from tinyproof.check.code.library.loaders import dataset_of
from tinyproof.check.code.library.splits import Split
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.prepared import answers_in_other_units, changed_at_random, other_units
from tinyproof.check.notebook.rules.rule import Rule, named_test, once_per_place
from tinyproof.check.notebook.rules.thresholds import OTHER_SETS_STATISTICS, SAME_NORMALISATION
from tinyproof.check.notebook.study import Study


def augmented_test_set(study: Study) -> Iterator[Finding]:
    """Random changes in the transform of the images that the test pass goes over."""
    rule = RULES["augmented-test-set"]
    yield from once_per_place(chain(_augmented(study), changed_at_random(rule, study)))


def _augmented(study: Study) -> Iterator[Finding]:
    splits = [(turn, study.split(turn.loader)) for turn in study.evaluations]
    plain = any(_random_steps(turn.loader) == [] and split.kind == "test" for turn, split in splits)
    for turn, split in splits:
        root = split.root or _own_data(turn.loader, split)
        if split.kind in ("part", "mixed") or root is None or _is_trained_on(study, split):
            continue
        if split.kind == "train" and not named_test([*root.names, *_names(turn.loader)]):
            continue  # the training accuracy, measured on purpose
        steps = _random_steps(turn.loader)
        if not steps or (plain and not named_test(_names(turn.loader))):
            continue
        data = dataset_of(turn.loader)
        transform = transform_of(data) if data is not None else None
        shared = transform is not None and any(transform is _transform(t.loader) for t in study.trainings)
        place = root.place if shared else steps[0].place
        yield RULES["augmented-test-set"].finding(
            place,
            f"the test images are changed at random ({', '.join(dict.fromkeys(s.short for s in steps))})",
            severity="note" if _on_purpose(study) else "error",
            says=study.line(place),
            effect="the figure is the accuracy on distorted images, and differs from one evaluation to the next",
            evidence=(f"{study.line(steps[0].place)} ({steps[0].place})" if shared else "",),
        )


def _own_data(loader: Value, split: Split) -> Object | None:
    """A data set of the notebook's own that holds the test rows, and changes each of them by its transform."""
    data = dataset_of(loader)
    return data if isinstance(data, Object) and split.kind == "test" and always_applied(data) else None


def _on_purpose(study: Study) -> bool:
    """Whether nothing is changed at random in training: then the test is harder by design, not by mistake."""
    trained = [_random_steps(turn.loader) for turn in study.trainings]
    return bool(trained) and all(steps == [] for steps in trained)


def _is_trained_on(study: Study, split: Split) -> bool:
    """Whether the very data set is the one trained on: then its augmentation is the training's, and told as that."""
    roots = [study.split(turn.loader).root for turn in study.trainings]
    if split.root is None or any(root is split.root for root in roots):
        return split.root is not None
    return split.kind == "train" and split.root.place in [root.place for root in roots if root is not None]


def _names(loader: Value) -> list[str]:
    return loader.names if isinstance(loader, Made) else []


def _transform(loader: Value) -> Value | None:
    data = dataset_of(loader)
    return transform_of(data) if data is not None else None


def _random_steps(loader: Value) -> list[Made] | None:
    """The random steps of the transform behind a loader; None when the transform is not known."""
    for option in options(loader):
        steps = steps_of(_transform(option))
        if steps is None:
            return None
        return [step for step in steps if random_step(step)]
    return None


def normalisation_differs(study: Study) -> Iterator[Finding]:
    """Mean and deviation of the test transform against those of the training transform."""
    rule = RULES["normalisation-differs"]
    yield from once_per_place(chain(_normalised(study), other_units(rule, study), answers_in_other_units(rule, study)))


def _normalised(study: Study) -> Iterator[Finding]:
    trained = [_normal(turn.loader) for turn in study.trainings]
    known = [pair for pair in trained if pair is not None]
    if not known or len(known) != len(trained):
        return
    for turn in study.evaluations:
        if study.split(turn.loader).kind not in ("test", "unknown") or not isinstance(turn.loader, Made):
            continue
        mine = _normal(turn.loader)
        if mine is None or any(_close(mine, other) for other in known):
            continue
        steps = steps_of(_transform(turn.loader)) or []
        own = [step for step in steps if step.short == "Normalize"]
        transform = _transform(turn.loader)
        fallback = transform.place if isinstance(transform, Made) else turn.loader.place
        place = own[0].place if own else fallback
        yield RULES["normalisation-differs"].finding(
            place,
            f"the test images are normalised with {_shown(mine)}, the training images with {_shown(known[0])}",
            says=study.line(place),
            effect="the network is tested on images unlike those it learned, so its accuracy is lower than it could be",
        )


def _normal(loader: Value) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    steps = steps_of(_transform(loader))
    return None if steps is None else normalisation(steps)


def _close(one: tuple[tuple[float, ...], ...], other: tuple[tuple[float, ...], ...]) -> bool:
    if any(len(a) != len(b) for a, b in zip(one, other, strict=True)):
        return False
    near = all(
        abs(x - y) <= SAME_NORMALISATION for a, b in zip(one, other, strict=True) for x, y in zip(a, b, strict=True)
    )
    return near and not _of_another_set(one, other)


def _of_another_set(one: tuple[tuple[float, ...], ...], other: tuple[tuple[float, ...], ...]) -> bool:
    """Whether every mean and deviation is off by what the statistics of another set of images are."""
    pairs = [(x, y) for a, b in zip(one, other, strict=True) for x, y in zip(a, b, strict=True)]
    return bool(pairs) and all(abs(x - y) > OTHER_SETS_STATISTICS for x, y in pairs)


def _shown(pair: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    if not pair[0]:
        return "nothing"
    return f"mean {', '.join(f'{v:g}' for v in pair[0])} and std {', '.join(f'{v:g}' for v in pair[1])}"


_LIST = (
    Rule(
        "augmented-test-set",
        "error",
        title="Random augmentation on the test images",
        why="Augmentation makes training harder on purpose; on the test set it changes the "
        "task that the number is about.",
        mend="Give the test set its own transform without random steps: ToTensor and Normalize.",
        reads="code",
        wrong="test_data = datasets.MNIST('data', train=False, download=True, transform=train_transform)",
        right="test_data = datasets.MNIST('data', train=False, download=True, transform=test_transform)",
        check=augmented_test_set,
    ),
    Rule(
        "normalisation-differs",
        "warning",
        title="Training and test images are normalised differently",
        why="The network sees test images whose brightness and contrast differ from what it learned.",
        mend="Use the same mean and standard deviation in both transforms.",
        reads="code",
        wrong="test_transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])",
        right="test_transform = transforms.Compose([transforms.ToTensor(), "
        "transforms.Normalize((0.1307,), (0.3081,))])",
        check=normalisation_differs,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
