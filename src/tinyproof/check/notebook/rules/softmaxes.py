"""What the softmax is taken over, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.flows import Flow
from tinyproof.check.code.interpreter.values import constant
from tinyproof.check.code.library.modules import kind_of
from tinyproof.check.finding import Finding
from tinyproof.check.notebook.rules.keras_losses import scores_taken_twice, softmax_of_one
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.study import Study

_SUMMED = re.compile(r"softmax\(.*(?:=|,)\s*0\)\.sum\(")


def softmax_dimension(study: Study) -> Iterator[Finding]:
    """A softmax that does not say over which dimension, or says the batch."""
    rule = RULES["softmax-dimension"]

    def found() -> Iterator[Finding]:
        for event in study.events.softmaxes:
            line = study.line(event.place)
            if not event.has_dimension:
                yield rule.finding(
                    event.place,
                    f"{event.op} is given no dimension",
                    severity="note",
                    says=line,
                    should_say=_with_dimension(line),
                    effect="for a batch of class scores torch picks dimension 1, with a warning; the result is right",
                )
            elif constant(event.dimension) == 0 and event.flow.model is not None and _batched(event.flow):
                if _SUMMED.search(line):
                    continue  # what adds up to one is looked at, nothing is answered by it
                yield rule.finding(
                    event.place,
                    f"{event.op} is taken over the batch (dim=0) instead of over the classes",
                    says=line,
                    should_say=line.replace("dim=0", "dim=1").replace(", 0)", ", 1)"),
                    effect="the answer for an image depends on the other images of its batch",
                )

    yield from once_per_place(chain(found(), softmax_of_one(rule, study)))


def _batched(flow: Flow) -> bool:
    """Whether the first dimension is still that of the batch: nothing was picked out or squeezed away."""
    return all(op.name not in ("getitem", "squeeze", "mean", "sum", "max", "transpose", "permute") for op in flow.ops)


def _with_dimension(line: str) -> str:
    end = line.rfind(")")
    if end < 0 or "softmax" not in line.lower():
        return ""
    return line[:end] + ("dim=1" if line[end - 1] == "(" else ", dim=1") + line[end:]


def double_softmax(study: Study) -> Iterator[Finding]:
    """Cross-entropy takes a log-softmax itself."""
    rule = RULES["double-softmax"]

    def found() -> Iterator[Finding]:
        for event in study.events.losses:
            if not event.path.endswith(("cross_entropy", "CrossEntropyLoss")) or not event.scores.certain:
                continue
            ends = [op for op in event.scores.ops if kind_of(op) in ("softmax", "weights")]
            if not ends or kind_of(ends[-1]) != "softmax":
                continue
            harmless = "log" in ends[-1].name.lower()
            yield rule.finding(
                event.place,
                f"cross-entropy is taken of what has been through a {'log-' if harmless else ''}softmax already",
                severity="note" if harmless else "warning",
                says=study.line(event.place),
                effect="none on the loss: a log-softmax twice is the same as once"
                if harmless
                else "the loss cannot fall below about 1.46 for ten classes and its gradients are weak",
                evidence=(f"{study.line(ends[-1].place)} ({ends[-1].place})",),
            )

    yield from once_per_place(chain(found(), _double_sigmoid(rule, study), scores_taken_twice(rule, study)))


def _double_sigmoid(rule: Rule, study: Study) -> Iterator[Finding]:
    """The binary cross-entropy with logits takes a sigmoid itself."""
    for event in study.events.losses:
        ends = [op for op in event.scores.ops if kind_of(op) not in ("neutral", "dropout")]
        if not event.path.endswith(("_with_logits", "BCEWithLogitsLoss")) or not event.scores.certain or not ends:
            continue
        if ends[-1].name.lower() == "sigmoid":
            yield rule.finding(
                event.place,
                "the binary cross-entropy with logits is taken of what has been through a sigmoid already",
                says=study.line(event.place),
                effect="the loss cannot fall below about 0.31 for the right answer, and its gradients are weak",
                evidence=(f"{study.line(ends[-1].place)} ({ends[-1].place})",),
            )


_LIST = (
    Rule(
        "softmax-dimension",
        "error",
        title="Softmax over no dimension, or over the batch",
        why="Class scores are compared within one image: dimension 1 of [batch, classes].",
        mend="Say dim=1.",
        reads="code",
        wrong="        return F.log_softmax(x, dim=0)",
        right="        return F.log_softmax(x, dim=1)",
        check=softmax_dimension,
    ),
    Rule(
        "double-softmax",
        "warning",
        title="Softmax before cross-entropy",
        why="cross_entropy takes a log-softmax of its input; a softmax before it flattens the scores.",
        mend="Give cross-entropy the raw scores, or keep log_softmax and use nll_loss.",
        reads="code",
        wrong="        loss = F.cross_entropy(F.softmax(output, dim=1), target)",
        right="        loss = F.nll_loss(output, target)",
        check=double_softmax,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
