"""What was done to the measured rows: other units than in training, a scaler that has seen them, augmentation."""

from __future__ import annotations

from collections.abc import Iterator

from tinyproof.check.code.interpreter.relations import relation
from tinyproof.check.code.interpreter.rows import Rows, Step
from tinyproof.check.code.interpreter.uses import Answered, Measured
from tinyproof.check.code.library.row_words import described
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.measured import fits, left_to_learn_from, measured, names_say, spoken, to_learned
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study


def other_units(rule: Rule, study: Study) -> Iterator[Finding]:
    """The rows learned from were scaled, the measured ones not; or the other way; or by another scaler."""
    for use in measured(study):
        trained = use.fits[-1].rows if use.fits else None
        if trained is None or to_learned(use) != "apart" or use.crossed:
            continue
        difference = _difference(trained, use.rows)
        if difference:
            yield rule.finding(
                use.rows_at,
                f"{spoken(use)}: {difference}",
                says=study.line(use.rows_at),
                fix="do to the measured rows what was done to those learned from",
                effect="the model is measured on rows unlike those it learned from",
                evidence=(f"learned at {use.fits[-1].place}",),
            )


def answers_in_other_units(rule: Rule, study: Study) -> Iterator[Finding]:
    """Answers for a test set that was not scaled as the training rows were."""
    for use in study.events.uses:
        if not isinstance(use, Answered) or not use.fits or use.fits[-1].rows is None:
            continue
        if not all(path.root.kind == "test" for path in use.rows.paths):
            continue
        difference = _difference(use.fits[-1].rows, use.rows)
        if difference:
            yield rule.finding(
                use.place,
                f"answers for {described(use.rows)}: {difference}",
                says=study.line(use.place),
                fix="do to these rows what was done to those learned from",
                effect="the answers are for rows unlike those that the model learned from",
                evidence=(f"learned at {use.fits[-1].place}",),
            )


def _difference(trained: Rows, tested: Rows) -> str:
    """How two rows differ in what was done to them, where exactly one step tells them apart."""
    mine, yours = _compared(trained), _compared(tested)
    if mine is None or yours is None or mine == yours:
        return ""
    elsewhere = {path.root for path in trained.paths}.isdisjoint(path.root for path in tested.paths)
    apart = elsewhere and any(path.root.form in ("file", "archive") for path in (*trained.paths, *tested.paths))
    more = [step for step in mine if step not in yours]
    less = [step for step in yours if step not in mine]
    if len(more) + len(less) == 1 and abs(len(mine) - len(yours)) == 1:
        step = (more or less)[0]
        if apart and less:
            return ""  # two files may hold other units, which the step makes equal
        done = f"multiplied by {step[1].removeprefix('times ')}" if step[0] == "scaled" else f"changed by {step[1]}"
        one, other = ("training", "measured") if more else ("measured", "training")
        return f"the {one} rows were {done}, the {other} rows were not"
    if len(more) > 1 and not less and all(step[0] == "fitted" and step[1].startswith("the ") for step in more):
        return f"the training rows were changed by {' and '.join(s[1] for s in more)}, the measured rows were not"
    if len(more) == len(less) == 1 and more[0][0] == less[0][0] == "scaled":
        return f"the training rows were multiplied by {more[0][1][6:]}, the measured ones by {less[0][1][6:]}"
    return ""


def _compared(rows: Rows) -> list[tuple[str, str, int]] | None:
    """The steps that must be the same on both sides; None where one of them is not known."""
    if any(step.kind == "opaque" for step in rows.steps):
        return None
    return [(step.kind, step.name, step.maker) for step in rows.steps if step.kind in ("scaled", "fitted")]


def seen_before_split(rule: Rule, study: Study) -> Iterator[Finding]:
    """A transformer learned from all rows, the held-out ones included; or it was fitted again on those."""
    yield from once_per_place(_learned_too_much(rule, study))


def _learned_too_much(rule: Rule, study: Study) -> Iterator[Finding]:
    for use in measured(study):
        if to_learned(use) != "apart" or use.crossed or _of_fold(use):
            continue
        if names_say(use.rows) == "validation":
            continue  # a part of the part that was learned from: what is measured in the end is another
        for step in use.rows.steps:
            if step.kind != "fitted" or step.place is None or not step.learned:
                continue
            if all(left_to_learn_from(path) for path in step.learned) and not _again(step, use):
                continue  # a part of the training part: a test part had been put aside before
            mend = ""
            if _again(step, use):
                mend = _only_transform(study.line(step.place))
                message = f"{step.name} is fitted again on the measured rows"
                effect = "they are scaled by themselves: the same value means something else than in training"
            elif relation(use.rows.paths, step.learned) == "inside" and _all_rows(step, use):
                message = f"{step.name} learned from all rows, the held-out ones included"
                effect = "the measured rows are no longer new to what was fitted; how much that helps is not known"
            else:
                continue
            yield rule.finding(
                step.place,
                message,
                says=study.line(step.place),
                should_say=mend,
                effect=effect,
                evidence=(f"{spoken(use)} measures on {described(use.rows)} ({use.at})",),
            )


def _only_transform(line: str) -> str:
    """The line that transforms the test rows by what was learned before."""
    head, found, rest = line.rpartition("fit_transform(")
    return f"{head}transform({rest}" if found else ""


def _of_fold(use: Measured) -> bool:
    """Whether a fold of a cross-validation is measured on: what was scaled before it is a lesser matter."""
    return any(cut.key[:1] == ("fold",) for path in use.rows.paths for cut in path.cuts)


def _again(step: Step, use: Measured) -> bool:
    """Whether what the step learned from is the measured rows alone, and training had learned its own."""
    trained = use.fits[-1].rows
    return (
        trained is not None
        and relation(step.learned, use.rows.paths) == "inside"
        and relation(use.rows.paths, step.learned) == "inside"
        and any(other.kind == "fitted" and other.name == step.name for other in trained.steps)
    )


def _all_rows(step: Step, use: Measured) -> bool:
    """Whether the step also learned from rows that the model was fitted on."""
    trained = use.fits[-1].rows
    return trained is not None and relation(trained.paths, step.learned) == "inside"


def copied_before_split(rule: Rule, study: Study) -> Iterator[Finding]:
    """Rows were multiplied before they were split: copies of the held-out ones are among those learned from."""

    def found() -> Iterator[Finding]:
        for use in measured(study):
            for step in use.rows.steps:
                cuts = use.rows.paths[0].cuts
                if step.kind != "oversampled" or step.place is None or len(cuts) <= step.depth or use.crossed:
                    continue
                if to_learned(use) == "apart" and any(cut.kind == "split" for cut in cuts[step.depth :]):
                    yield rule.finding(
                        step.place,
                        "the rows are multiplied before they are split: the measured rows have copies or blends of "
                        "themselves among those that the model learned from",
                        says=study.line(step.place),
                        fix="split first, and resample the training part alone",
                        effect="the figure is higher than that on new rows",
                        evidence=(f"{spoken(use)} ({use.at})",),
                    )

    yield from once_per_place(found())


def changed_at_random(rule: Rule, study: Study) -> Iterator[Finding]:
    """The measured pictures come from a generator that changes them at random."""
    watched = [(use.rows, use.at, spoken(use)) for use in measured(study)]
    watched += [(f.validation, f.place, "the validation") for f in fits(study) if f.validation is not None]

    def found() -> Iterator[Finding]:
        for rows, place, what in watched:
            step = next((s for s in rows.steps if s.kind == "augmented"), None)
            if step is None or (what != "the validation" and not any(rows.paths != f.paths for f in _trained(study))):
                continue
            shared = any(step.maker and step.maker == other.maker for f in _trained(study) for other in f.steps)
            at = (step.used if shared else step.place) or step.place or place
            yield rule.finding(
                at,
                f"{what} measures on pictures that are changed at random ({step.name})",
                severity="warning" if what == "the validation" else None,
                says=study.line(at),
                effect="the figure is the accuracy on distorted pictures, and differs from one evaluation to the next",
                evidence=(f"{study.line(place)} ({place})",),
            )

    yield from once_per_place(found())


def _trained(study: Study) -> list[Rows]:
    return [fit.rows for fit in fits(study) if fit.rows is not None]
