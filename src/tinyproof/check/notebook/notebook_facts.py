"""What a notebook holds, to be held against what was asked: claims, runs, sizes of networks, what they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.turns import epoch_loops
from tinyproof.check.code.interpreter.values import Made, Map, Object, Seq, Value, number, options
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.code.library.parameters import parameter_count
from tinyproof.check.facts import Figure, LoggedRun, NotebookFacts, Part
from tinyproof.check.finding import CodePlace
from tinyproof.check.logs import Run
from tinyproof.check.notebook.nothing import ASIDE, is_python
from tinyproof.check.notebook.rules.claims import from_readme, reported
from tinyproof.check.notebook.study import Study

_MOST = 200
_PARTS = {
    "batch-norm": re.compile(r"^(?:Sync)?BatchNorm|^batch_norm$", re.IGNORECASE),
    "dropout": re.compile(r"dropout", re.IGNORECASE),
    "global-average-pooling": re.compile(r"^AdaptiveAvgPool|^adaptive_avg_pool|^GlobalAverage"),
    "fully-connected": re.compile(r"^Linear$|^Dense$|^linear$"),
}
# Where none of these words stands in the code, there is nothing of the kind in it.
_WORDS = {
    "batch-norm": re.compile(r"batch_?norm|\bbn", re.IGNORECASE),
    "dropout": re.compile(r"drop", re.IGNORECASE),
    "global-average-pooling": re.compile(r"avg|mean|average|gap\b", re.IGNORECASE),
    "fully-connected": re.compile(r"linear|dense|\bfc|matmul|@", re.IGNORECASE),
}


def notebook_facts(study: Study) -> NotebookFacts:
    """What was read of it; what could not be read is left out, and `whole` and `counted` say so."""
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    sizes, counted = _sizes(study)
    return NotebookFacts(
        claimed=tuple(_claimed(study))[:_MOST],
        runs=tuple(_run(study, run) for run in study.runs if run.test_accuracies)[:_MOST],
        parameters=sizes,
        counted=counted,
        parts=tuple(dict.fromkeys(_parts(study)))[:_MOST],
        mentioned=frozenset(kind for kind, word in _WORDS.items() if word.search(text)),
        data=tuple(sorted(study.families())),
        whole=_whole(study),
    )


def _claimed(study: Study) -> Iterator[Figure]:
    for claim in reported(study):
        if (claim.named or claim.phase == "test") and not (from_readme(study, claim) and study.neighbours):
            yield Figure(claim.value, claim.place.file, claim.place.cell, claim.place.line)


def _run(study: Study, run: Run) -> LoggedRun:
    numbers = [epoch.number for epoch in run.epochs if epoch.number is not None]
    whole = len(numbers) == len(run.epochs) and numbers == sorted(set(numbers))
    if whole and numbers[0] in (0, 1):
        return LoggedRun(run.cell, tuple(run.test_accuracies), numbers[-1] - numbers[0] + 1, True)
    epochs = len(run.epochs)
    return LoggedRun(run.cell, tuple(run.test_accuracies), epochs, epochs in _counts(study))


def _counts(study: Study) -> set[int | None]:
    """How often the loops around the trainings run, as the code says."""
    return {loop.count for turn in study.trainings for loop in epoch_loops(turn.loops)}


def _sizes(study: Study) -> tuple[tuple[Figure, ...], bool]:
    """The sizes of the networks, and whether they are those of all networks that were made."""
    networks = _trained(study) or study.networks
    found = [(network.place, parameter_count(network)) for network in networks]
    computed = [Figure(count, place.file, place.cell, place.line) for place, count in found if count]
    printed = [Figure(count, study.document.name, cell) for cell, count in study.log.parameters]
    counted = len(computed) == len(networks) > 0 or (bool(printed) and len(networks) < 2)
    return tuple(dict.fromkeys([*computed, *printed]))[:_MOST], counted


def _trained(study: Study) -> list[Object | Made]:
    trained = {id(seen.model) for turn in study.trainings for seen in turn.seen}
    return [network for network in study.networks if id(network) in trained]


def _parts(study: Study) -> Iterator[Part]:
    """What the networks are made of that are trained, where they all have it; of a notebook in which it is not known
    which are trained, what all networks are made of."""
    trained = _trained(study)
    if not trained:
        yield from _made(study, None)
        for network in study.networks:
            yield from _passed(study, network)
        return
    each = [[*_made(study, _inside(network)), *_passed(study, network)] for network in trained]
    common = set.intersection(*({part.kind for part in parts} for parts in each))
    yield from (part for parts in each for part in parts if part.kind in common)


def _inside(network: Value) -> set[int]:
    """The identities of everything that a network holds."""
    seen: set[int] = set()
    waiting: list[Value] = [network]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        waiting += [one for one in options(value) if one is not value]
        if isinstance(value, Object):
            waiting += value.attrs.values()
        elif isinstance(value, Made):
            waiting += [*value.args, *value.kwargs.values(), *value.attrs.values()]
        elif isinstance(value, Seq):
            waiting += value.items
        elif isinstance(value, Map):
            waiting += value.items.values()
    return seen


def _made(study: Study, inside: set[int] | None) -> Iterator[Part]:
    """The layers that are made; `inside`: those alone that a network holds, by their identity."""
    for made in study.events.made:
        own = inside is None or id(made) in inside
        if own and made.path.startswith(("torch.nn.", "keras.", "tensorflow.keras.")):
            yield from _part(made.short, made.place, made)


def _passed(study: Study, network: Object | Made) -> Iterator[Part]:
    """What tensors go through on their way through a network."""
    for flow in study.flows(network):
        for op in flow.ops:
            yield from _part(op.name, op.place, op.layer)


def _part(name: str, place: CodePlace, layer: Made | None) -> Iterator[Part]:
    for kind, word in _PARTS.items():
        if word.search(name) and not (kind == "dropout" and _switched_off(layer)):
            yield Part(kind, place.file, place.cell, place.line)


def _switched_off(layer: Made | None) -> bool:
    given = argument(layer, "p", 0) if layer is not None else None
    return number(given) == 0 if given is not None else False


def _whole(study: Study) -> bool:
    events = study.events
    missing = {name.lstrip(".").partition(".")[0] for name in events.missing_modules} - set(ASIDE)
    return is_python(study) and not (missing or events.unread or events.hidden or events.exhausted)
