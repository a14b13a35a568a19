"""What is done with gradients and with the best network: never used, never copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyproof.check.code.interpreter.optimisers import is_optimiser
from tinyproof.check.code.interpreter.turns import KeptState
from tinyproof.check.finding import CodePlace, Finding
from tinyproof.check.notebook.measured import fits
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study

_STEP = re.compile(r"(\w+(?:\.\w+)*)\.step\w*\(")
_SCHEDULE = re.compile(r"\.lr_scheduler\.|\.get_\w*schedule")
_BY_HAND = re.compile(r"\.grad\b|(?<!utils)\.data\b(?!set| import)|optimizer_step|fused|\.minimize\(")
_APPLIED = re.compile(r"apply_gradients|\.assign\w*\(|\.minimize\(|\.apply\w*\(|\.fit\w*\(|train_on_batch|-=")
_APPLIED_IN_JAX = re.compile(
    r"apply_updates|apply_gradients|tree_map|tree\.map|tree_multimap|incremental_update|\.fit\("
)
_IN_OPTAX = re.compile(r"=\s*\w+(?:\.\w+)*\.update\(\s*\w*grad")


def never_updated(study: Study) -> Iterator[Finding]:
    """Gradients are taken in a loop, an optimiser is there, and nothing uses the one by the other."""
    if study.events.missing_modules or study.events.unread or study.events.hidden or study.events.exhausted:
        return
    yield from once_per_place(_unused(study))


def _unused(study: Study) -> Iterator[Finding]:
    text = "\n".join("\n".join(lines) for lines in study.sources.values())
    optimisers = [made for made in study.events.made if is_optimiser(made)]
    if optimisers and not _BY_HAND.search(text) and _only_schedules_step(study):
        for place in _gradients(study):
            name = next((name for made in optimisers for name in made.names), "optimizer")
            line = f"{study.line(place)}; {name}.step()"
            yield _finding(study, place, line, "the optimiser never makes a step")
    if "GradientTape" in text and re.search(r"\boptimizers?\.", text) and not _APPLIED.search(text):
        for place in _lines(study, re.compile(r"\.gradient\(")):
            fix = "optimizer.apply_gradients(zip(gradients, model.trainable_variables))"
            yield _finding(study, place, fix, "nothing applies them to the weights")
    if "optax" in text and not _APPLIED_IN_JAX.search(text):
        for place in _lines(study, _IN_OPTAX):
            fix = "params = optax.apply_updates(params, updates)"
            yield _finding(study, place, fix, "the updates are made and not applied to the weights")


def _only_schedules_step(study: Study) -> bool:
    """Whether every `.step()` in the code is one of a learning rate's schedule."""
    schedules = {name for made in study.events.made if _SCHEDULE.search(made.path) for name in made.names}
    known = {step.place for step in study.events.steps}
    return all(
        match[1].rpartition(".")[2] in schedules or place in known
        for place in _lines(study, _STEP)
        for match in _STEP.finditer(study.line(place))
    )


def _gradients(study: Study) -> Iterator[CodePlace]:
    """Where gradients are taken, in loops that no unknown code had a part in."""
    for turn in study.trainings:
        if turn.backward is not None and not (turn.steps or turn.escaped or turn.framework):
            yield turn.backward
    for loop in study.events.loops:
        if loop.backward is not None and loop.optimiser is None and loop.count != 1:
            yield loop.backward


def _lines(study: Study, pattern: re.Pattern[str]) -> Iterator[CodePlace]:
    for (file, cell), lines in study.sources.items():
        for number, line in enumerate(lines, start=1):
            if pattern.search(line.partition("#")[0]):
                yield CodePlace(file, cell, number)


def _finding(study: Study, place: CodePlace, line: str, how: str) -> Finding:
    return RULES["never-updated"].finding(
        place,
        f"gradients are taken, and {how}",
        says=study.line(place),
        should_say=line,
        effect="what is measured is the network with the weights that it began with",
    )


def best_not_copied(study: Study) -> Iterator[Finding]:
    """The best network of a loop is kept under a name, which goes on standing for the one that learns on."""

    def found() -> Iterator[Finding]:
        for kept in study.events.kept_states:
            if not _learns_on(study, kept) or not (kept.loaded or (kept.alias and _used_later(study, kept))):
                continue
            what = "the network itself" if kept.alias else "its weights as they are from then on"
            evidence = f"taken up again: {study.line(kept.loaded)} ({kept.loaded})" if kept.loaded else ""
            yield RULES["best-not-copied"].finding(
                kept.place,
                f"`{kept.name}` is no copy, but {what}: it goes on learning",
                says=study.line(kept.place),
                should_say=_cloned(study.line(kept.place)),
                effect="what is called the best is the last",
                evidence=(evidence,),
            )

    yield from once_per_place(found())


def _cloned(line: str) -> str:
    """The line with a copy of the weights in place of the weights."""
    copied = re.sub(
        r"([\w.]+)\.state_dict\(\)(?:\.copy\(\))?", r"{k: v.clone() for k, v in \1.state_dict().items()}", line
    )
    return copied if copied != line else ""


def _learns_on(study: Study, kept: KeptState) -> bool:
    """Whether the network learns in the loop that it was kept in."""
    for turn in study.trainings:
        if kept.loop in turn.loops and turn.steps and any(seen.model is kept.model for seen in turn.seen):
            return True
    lines = [(part.lineno, part.end_lineno or part.lineno) for part in kept.loop.body]
    first, last = min(low for low, _ in lines), max(high for _, high in lines)
    here = (kept.loop.place.file, kept.loop.place.cell)
    return any(
        fit.model is kept.model and (fit.place.file, fit.place.cell) == here and first <= (fit.place.line or 0) <= last
        for fit in fits(study)
    )


def _used_later(study: Study, kept: KeptState) -> bool:
    """Whether something is asked or measured of the name below the loop."""
    last = max(part.end_lineno or part.lineno for part in kept.loop.body)
    word = re.compile(rf"(?<![\w.]){re.escape(kept.name)}(?!\w|\s*=(?!=))")
    later = False
    for (file, cell), lines in study.sources.items():
        if file != kept.place.file:
            continue
        later = later or cell == kept.place.cell
        start = last if cell == kept.place.cell else 0
        if later and any(word.search(line.partition("#")[0]) for line in lines[start:]):
            return True
    return False


_LIST = (
    Rule(
        "never-updated",
        "warning",
        title="Nothing is learned: gradients are taken and never used",
        why="backward() only writes gradients down; the weights change when the optimiser makes a step.",
        mend="Let the optimiser make a step after each backward().",
        reads="code",
        wrong="        loss.backward()\n        pred = output.argmax(dim=1, keepdim=True)",
        right="        loss.backward()\n        optimizer.step()\n        pred = output.argmax(dim=1, keepdim=True)",
        check=never_updated,
    ),
    Rule(
        "best-not-copied",
        "warning",
        title="The best network is kept without a copy",
        why="state_dict() gives the weights themselves, not a copy of them, and a second name is no second network.",
        mend="Keep copy.deepcopy(model.state_dict()) (get_weights() of Keras is a copy), or save the weights.",
        reads="code",
        wrong="    accuracy = test(model, device, test_loader)\n    if accuracy > best:\n"
        "        best, state = accuracy, model.state_dict()\nmodel.load_state_dict(state)",
        right="    accuracy = test(model, device, test_loader)",
        check=best_not_copied,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
