"""What the test accuracy is measured on, and how: the rules that decide whether the number is what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.turns import Pass
from tinyproof.check.code.interpreter.values import Made, Object
from tinyproof.check.code.library.splits import Split, overlap, pieces
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.logs import Epoch
from tinyproof.check.notebook.measured import words_of
from tinyproof.check.notebook.rules.called import given_at, labelled_test, taught_at
from tinyproof.check.notebook.rules.held_out import measured_on_learned
from tinyproof.check.notebook.rules.rule import Rule, named_test, once_per_place, percent
from tinyproof.check.notebook.study import Study

_MNIST = frozenset(("MNIST", "FashionMNIST", "KMNIST"))


def _one_network(turn: Pass, other: Pass) -> bool:
    """Whether two passes may be over one network: not where both are known and none of them is the same."""
    mine, its = ({id(seen.model) for seen in some.seen} for some in (turn, other))
    return not mine or not its or bool(mine & its)


def same_images(study: Study, split: Split, turn: Pass) -> bool:
    """Whether these are images that the network learns from: all of the training set, or the very set trained on."""
    if split.root is None or split.kind in ("part", "mixed"):
        return False
    trained = [study.split(other.loader) for other in study.trainings if _one_network(turn, other)]
    if any(other.root is split.root for other in trained if other.kind != "part"):
        return True
    # Another object of the same training set counts too; a network trained on something else has not seen it.
    learned = [other for other in study.trainings if study.split(other.loader).root is not None]
    alike = any(other.family == split.family for other in trained if "train" in (other.kind, other.of))
    return split.kind == "train" and (alike or not learned)


def _is_test_pass(study: Study, turn: Pass) -> bool:
    """Whether what the pass measures is called a test: by its function, or by the lines that its cell printed."""
    names = [frame.function.name for frame in turn.frames]
    if turn.framework:
        return not turn.text.startswith("training")
    if any(re.search(r"test|valid|(?<![a-z])val(?![a-z])", name.lower()) for name in names):
        return True
    cell = turn.frames[0].place.cell if turn.frames else turn.place.cell
    return any(run.test_accuracies for run in study.runs if run.cell == cell)


def evaluates_on_training_data(study: Study) -> Iterator[Finding]:
    """Code first; the log alone where the code does not say."""
    rule = RULES["evaluates-on-training-data"]
    passes = list(_trained_on(study))
    rows = [f for f in measured_on_learned(rule, study) if not passes or not f.message.startswith("the loop over")]
    found = list(once_per_place(chain(passes, rows)))
    yield from found
    if not found:
        yield from _counted_over_training_set(study)


def _learned_before(study: Study, turn: Pass) -> list[tuple[Pass, Split]]:
    """The passes that learn before a pass measures, or around it in one loop, with what they learn from."""
    order = {id(other): position for position, other in enumerate(study.events.passes)}
    around = {id(loop) for loop in turn.loops}
    return [
        (other, study.split(other.loader))
        for other in study.trainings
        if (order[id(other)] < order[id(turn)] or around & {id(loop) for loop in other.loops})
        and (other.steps or other.framework)
        and _one_network(turn, other)
    ]


def _leaks(study: Study, turn: Pass, split: Split) -> tuple[Pass, str] | None:
    """The pass that learns from images which are measured on, and from how many of them (all, some)."""
    for other, learned in _learned_before(study, turn):
        how = overlap(learned, split)
        if how:
            return other, how
    return None


def _trained_on(study: Study) -> Iterator[Finding]:
    splits = [(turn, study.split(turn.loader)) for turn in study.evaluations]
    held_out = any(not same_images(study, split, turn) and not _leaks(study, turn, split) for turn, split in splits)
    for turn, split in splits:
        if not isinstance(turn.loader, Made):
            continue
        if not same_images(study, split, turn):
            leak = _leaks(study, turn, split)
            if leak is not None:
                yield from _leaking(study, turn, split, leak[0], held_out)
            continue
        root = split.root
        in_data = isinstance(root, Made | Object) and named_test(root.names) and split.kind == "train"
        called_test = in_data or named_test(turn.loader.names)
        if not called_test and labelled_test(study, turn):
            yield _training_finding(study, given_at(turn), split)
            continue
        if not called_test and (held_out or not _is_test_pass(study, turn)):
            continue
        taught = _learned_before(study, turn) if split.kind == "test" else []
        if taught:
            place = taught_at(taught[0][0], turn)
        elif called_test:
            place = root.place if in_data and root is not None else turn.loader.place
        else:
            place = given_at(turn)
        yield _training_finding(study, place, split)


def _leaking(study: Study, turn: Pass, split: Split, learning: Pass, held_out: bool) -> Iterator[Finding]:
    """Where training and test images are mixed: in what is learned from, or in what is measured on."""
    measured = {part.of if part.kind == "part" else part.kind for part in pieces(split)}
    if measured == {"test"}:
        place = taught_at(learning, turn)
        message = 'the network is trained on test images: the "test" accuracy is measured on images that it has seen'
    else:
        assert isinstance(turn.loader, Made)
        called_test = any("test" in name.lower() for name in turn.loader.names) and named_test(turn.loader.names)
        called_test = called_test or labelled_test(study, turn)
        called_validation = {words_of(text) for text in turn.labels} == {"validation"}
        named = called_validation or (named_test(turn.loader.names) or _is_test_pass(study, turn))
        if not called_test and ((held_out and not called_validation) or not named):
            return  # besides a measurement on other images it is no test
        place = turn.frames[0].place if labelled_test(study, turn) and turn.frames else turn.loader.place
        place = turn.place if turn.framework else place
        mixed = "test" in measured
        what = "training and test images together" if mixed else "a part of the training set; all of it is trained on"
        message = f'the "{"validation" if called_validation else "test"}" accuracy is measured on {what}'
    root = split.root if measured != {"test"} else study.split(learning.loader).root
    yield RULES["evaluates-on-training-data"].finding(
        place,
        message,
        says=study.line(place),
        should_say=_mended(study.line(place)),
        effect=_published(study),
        evidence=(f"the images: {study.line(root.place)} ({root.place})" if root and root.place != place else "",),
    )


def _training_finding(study: Study, place: CodePlace, split: Split) -> Finding:
    logged = _training_totals(study, split.size)
    evidence = []
    if logged:
        evidence.append(f"the log agrees: {logged[-1].correct}/{logged[-1].total}")
    if split.root is not None and split.root.place != place:
        evidence.append(f"the images: {study.line(split.root.place)} ({split.root.place})")
    test_images = split.kind == "test"
    what = "the very images the network was trained on" if test_images else "the training set"
    return RULES["evaluates-on-training-data"].finding(
        place,
        f'the "test" accuracy is measured on {what}',
        says=study.line(place),
        should_say=_mended(study.line(place)),
        effect=_contradicted(study, split.size) or _published(study),
        evidence=tuple(evidence),
    )


def _contradicted(study: Study, size: int | None) -> str:
    """What to say where the log counts another number of images: then it was not printed by this code."""
    totals = {e.total for run in study.runs for e in run.epochs if e.test_accuracy is not None and e.total is not None}
    if size is None or len(totals) != 1 or size in totals:
        return ""
    return (
        f"what the code would print is training accuracy; the log counts {totals.pop():,} images, not {size:,}, and "
        "cannot be from it"
    )


def _mended(line: str) -> str:
    """The line with the test data in place of the training data, where a replacement is plain."""
    if re.search(r"train\s*=\s*True", line):
        return re.sub(r"train\s*=\s*True", "train=False", line)
    changed = re.sub(r"(?<![A-Za-z])train(?=[_\w]*\s*[,)])", "test", line.partition("=")[2] or line)
    head = line.partition("=")[0] + "=" if "=" in line and line.partition("=")[2] else ""
    return head + changed if changed != (line.partition("=")[2] or line) else ""


def _training_totals(study: Study, size: int | None) -> list[Epoch]:
    """The epochs whose test line counts as many images as the training set holds."""
    size = size or 60_000
    return [
        epoch
        for run in study.runs
        for epoch in run.epochs
        if epoch.test_accuracy is not None and epoch.total == size and (epoch.correct or 0) > 10_000
    ]


def _published(study: Study) -> str:
    figures = {round(a, 2) for run in study.runs for a in run.test_accuracies}
    claims = [c for c in study.claims if c.kind == "accuracy" and not c.is_target and round(c.value, 2) in figures]
    if claims:
        return f"the published {percent(claims[0].value)} is training accuracy; the true figure is not in this notebook"
    lasts = [run.last for run in study.runs if run.last is not None]
    if lasts:
        return f"the logged {percent(lasts[-1])} is training accuracy; the true figure is not in this notebook"
    return "what is printed is training accuracy; the true figure is not in this notebook"


# MNIST and the sets made like it: what a total beyond the 10,000 test images can only be.
_TOO_MANY = {60_000: "the training set", 70_000: "the training and the test images together"}


def _counted_over_training_set(study: Study) -> Iterator[Finding]:
    families = study.families()
    mentions = any("mnist" in cell.source.lower() for cell in study.document.cells)
    if (families and not families <= _MNIST) or not (families or mentions):
        return
    decided = [study.split(turn.loader).kind for turn in study.evaluations]
    if any(kind in ("test", "part") for kind in decided):
        return  # the code says otherwise: that is log-not-from-this-code
    for run in study.runs:
        epochs = [e for e in run.epochs if e.total in _TOO_MANY and (e.correct or 0) > 10_000 and e.test_accuracy]
        if len(epochs) >= 2 and len(epochs) == len([e for e in run.epochs if e.test_accuracy is not None]):
            total = epochs[-1].total or 0
            yield RULES["evaluates-on-training-data"].finding(
                CodePlace(study.document.name, run.cell),
                f'the "test" accuracy is counted over {total:,} images: that is {_TOO_MANY[total]}',
                says=epochs[-1].line,
                effect=_published(study),
                evidence=(f"the log: {epochs[-1].correct}/{epochs[-1].total}; MNIST has 10,000 test images",),
            )
            return


_LIST = (
    Rule(
        "evaluates-on-training-data",
        "error",
        title="The test accuracy is measured on the training images",
        why="Accuracy on images it was trained on says how well a network remembers, not how well it "
        "recognises new ones.",
        mend="Build the loader that measures from the test set (train=False) and pass that one to the evaluation.",
        reads="code, or the log alone",
        wrong="test_loader = DataLoader(train_data, batch_size=1000)",
        right="test_loader = DataLoader(test_data, batch_size=1000)",
        check=evaluates_on_training_data,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
