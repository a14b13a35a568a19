"""The end of the network, its width, and layers that nothing uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from tinyproof.check.code.interpreter.attributes import find_member
from tinyproof.check.code.interpreter.flows import Flow, Op
from tinyproof.check.code.interpreter.values import (
    THINNED,
    Class,
    Function,
    Made,
    Object,
    Seq,
    Unknown,
    Value,
    number,
)
from tinyproof.check.code.library.loaders import argument
from tinyproof.check.code.library.modules import kind_of, loaded_attributes, output_width, tail_of
from tinyproof.check.code.library.parameters import has_weights
from tinyproof.check.code.library.splits import WITH_TRAIN_FLAG
from tinyproof.check.finding import Finding, Severity
from tinyproof.check.notebook.rules.plateaus import plateau
from tinyproof.check.notebook.rules.rule import Rule, once_per_place
from tinyproof.check.notebook.rules.unused_keras_layers import layers_left_lying
from tinyproof.check.notebook.study import Study

_LIKELIHOOD = ("nll_loss", "cross_entropy", "NLLLoss", "CrossEntropyLoss")


def _chains(study: Study) -> Iterator[tuple[Value, list[Flow]]]:
    """Each network with the ways through it: walked, or seen where a loss is taken of a plain Sequential.

    Where it is known which networks are trained, only those: others were made to be looked at.
    """
    trained = {id(seen.model) for turn in study.trainings for seen in turn.seen if not isinstance(seen.model, Unknown)}
    for network in [network for network in study.networks if not trained or id(network) in trained]:
        flows = study.flows(network)
        if flows:
            yield network, flows
    seen: set[int] = set()
    for event in study.events.losses:
        model = event.scores.model
        if isinstance(model, Made) and id(model) not in seen:
            seen.add(id(model))
            yield model, [event.scores]


def _classifies(study: Study) -> bool:
    """Whether the losses that were read are those of a classifier (or none was read)."""
    return all(event.path.rpartition(".")[2] in _LIKELIHOOD for event in study.events.losses)


def activation_on_class_scores(study: Study) -> Iterator[Finding]:
    """An activation, batch normalisation or dropout between the last layer with weights and the softmax."""
    if _classifies(study):
        yield from once_per_place(_activated(study))


def _activated(study: Study) -> Iterator[Finding]:
    for _, flows in _chains(study):
        tails = [tail_of(flow) for flow in flows]
        known = [tail for tail in tails if tail is not None]
        if len(known) != len(tails) or not all(tail.extra for tail in known):
            continue
        tail = known[-1]
        if tail.softmax is None and not study.events.losses:
            continue
        kinds = [kind_of(op) for op in tail.extra]
        worst = tail.extra[kinds.index("activation")] if "activation" in kinds else tail.extra[0]
        yield _activation_finding(study, worst, tail.last, _pooled_after(flows[-1], worst))


_POOLING = ("avgpool", "avg_pool", "mean")


def _pooled_after(flow: Flow, op: Op) -> bool:
    """Whether the maps are averaged behind an operation, as in published networks that end in a global pooling."""
    behind = flow.ops[flow.ops.index(op) + 1 :] if op in flow.ops else ()
    return any(word in other.name.lower() for other in behind for word in _POOLING)


def _activation_finding(study: Study, op: Op, last: Op, pooled: bool) -> Finding:
    kind = kind_of(op)
    words = {
        "activation": (f"{op.name.replace('relu', 'ReLU')} is applied to the class scores", _RELU_EFFECT),
        "norm": ("batch normalisation is applied to the class scores", "the scores of a batch are tied to each other"),
        "dropout": (
            "dropout is applied to the class scores",
            "in training the right class itself is dropped at random",
        ),
    }[kind]
    stuck = plateau(study) if kind == "activation" else None
    by_design = pooled and kind == "activation" and stuck is None
    severity: Severity = "note" if kind == "norm" or by_design else "warning"
    return RULES["activation-on-class-scores"].finding(
        op.place,
        words[0],
        severity=severity,
        says=study.line(op.place),
        effect=_POOLED_EFFECT if by_design else words[1],
        evidence=(
            f"the last layer with weights: {study.line(last.place)} ({last.place})" if last.place != op.place else "",
            f"the log shows it: {stuck[1]}" if stuck else "",
        ),
    )


_RELU_EFFECT = (
    "a class whose score falls below zero gets no gradient and may die: then the accuracy sticks ten points lower"
)


_POOLED_EFFECT = "scores are means of maps without negative values, as in some published networks"


def output_width_rule(study: Study) -> Iterator[Finding]:
    """The network gives more or fewer figures than there are classes."""
    known = {WITH_TRAIN_FLAG[f][2:] for f in study.families() if f in WITH_TRAIN_FLAG}
    if len(known) != 1 or not study.families() <= WITH_TRAIN_FLAG.keys() or not _classifies(study):
        return
    if any(_of_some_classes(made) for made in study.events.made):
        return
    classes, shape = known.pop()

    def found() -> Iterator[Finding]:
        for network, flows in _chains(study):
            trained = any(seen.model is network for turn in study.trainings for seen in turn.seen)
            if not any(event.scores.model is network for event in study.events.losses):
                continue  # nothing says that its figures are class scores
            widths = [_width(flow, shape) for flow in flows]
            if not trained or any(w is None or w[0] == classes for w in widths):
                continue
            width, op = next(w for w in widths if w is not None)
            yield RULES["output-width"].finding(
                op.place,
                f"the network gives {width} class scores, the data has {classes} classes",
                says=study.line(op.place),
                effect=f"{abs(width - classes)} outputs that no image belongs to"
                if width > classes
                else "some classes can never be answered",
            )

    yield from once_per_place(found())


def _of_some_classes(made: Made) -> bool:
    """Whether a data set may hold some of the classes only: it was thinned, relabelled, or picked image by image."""
    if made.short == "Subset":
        picked = argument(made, "indices", 1)
        return isinstance(picked, Seq) and not picked.whole
    return THINNED in made.attrs


def _width(flow: Flow, shape: tuple[int, int, int]) -> tuple[int, Op] | None:
    """The number of class scores, and the layer that gives them."""
    tail = tail_of(flow)
    if tail is None:
        return None
    place = Op(tail.last.name, tail.last.layer.place if tail.last.layer is not None else tail.last.place)
    if tail.last.name == "Linear" and tail.last.layer is not None:
        width = number(argument(tail.last.layer, "out_features", 1))
        return None if width is None else (int(width), place)
    found = output_width(flow, shape)
    return None if found is None else (found, place)


def unused_layer(study: Study) -> Iterator[Finding]:
    """A layer with weights that is made in __init__ and read nowhere."""
    reached = {id(option) for option in study.events.networks if isinstance(option, Object)}
    external = _external_attributes(study)

    def found() -> Iterator[Finding]:
        for network in study.events.networks:
            if not isinstance(network, Object) or id(network) not in reached:
                continue
            names = _read_in(network.cls)
            if names is None or "forward" not in _members(network.cls) or _unwritten(network.cls):
                continue
            for name, value in network.attrs.items():
                if name in names or name in external or not has_weights(value) or name not in network.attr_places:
                    continue
                if any(other is value for key, other in network.attrs.items() if key != name):
                    continue
                place = network.attr_places[name]
                yield RULES["unused-layer"].finding(
                    place,
                    f"the layer {name} has weights and is used nowhere",
                    says=study.line(place),
                    effect="its weights count as parameters and are never trained",
                )

    yield from once_per_place(chain(found(), layers_left_lying(RULES["unused-layer"], study)))


def _unwritten(cls: Class) -> bool:
    """Whether forward is still to be written: nothing but a remark, `pass` or a raise, or gives back what it got."""
    forward = find_member(cls, "forward")
    if not isinstance(forward, Function) or isinstance(forward.node, ast.Lambda):
        return False
    got = {arg.arg for arg in forward.node.args.args}
    return not any(
        isinstance(node, ast.Call) or (isinstance(node, ast.Name) and node.id not in got)
        for statement in forward.node.body
        if not isinstance(statement, ast.Raise)
        for node in ast.walk(statement)
    )


def _members(cls: Class) -> set[str]:
    found = set(cls.members)
    for base in cls.bases:
        if isinstance(base, Class):
            found |= _members(base)
    return found


def _read_in(cls: Class) -> set[str] | None:
    names = loaded_attributes(cls)
    for base in cls.bases:
        inherited = _read_in(base) if isinstance(base, Class) else set()
        if names is None or inherited is None:
            return None
        names |= inherited
    return names


def _external_attributes(study: Study) -> set[str]:
    """Attributes that code outside classes reads, of whatever object: `model.fc.weight`."""
    return study.outside_attributes


_LIST = (
    Rule(
        "activation-on-class-scores",
        "warning",
        title="An activation on the class scores",
        why="Softmax takes any scores; a ReLU before it forbids negative ones and stops their gradient.",
        mend="Leave the last layer bare: no ReLU, no batch normalisation and no dropout between it and the softmax.",
        reads="code; a plateau in the log",
        wrong="        x = F.relu(self.fc(x))",
        right="        x = self.fc(x)",
        check=activation_on_class_scores,
    ),
    Rule(
        "output-width",
        "warning",
        title="The number of outputs is not the number of classes",
        why="Every class needs one score, and a score needs a class.",
        mend="Make the last layer as wide as there are classes (10 for MNIST).",
        reads="code",
        wrong="        self.fc = nn.Linear(16, 12)",
        right="        self.fc = nn.Linear(16, 10)",
        check=output_width_rule,
    ),
    Rule(
        "unused-layer",
        "warning",
        title="A layer with weights that nothing uses",
        why="It counts in the number of parameters and does nothing.",
        mend="Use it in forward, or remove it.",
        reads="code",
        wrong="        self.fc = nn.Linear(16, 10)\n        self.spare = nn.Linear(16, 10)",
        right="        self.fc = nn.Linear(16, 10)",
        check=unused_layer,
    ),
)
RULES = {rule.name: rule for rule in _LIST}
