"""PyTorch Lightning: `trainer.fit(...)` runs the steps that the module defines over the loaders it is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tinyproof.check.code.interpreter.attributes import find_member, library_bases
from tinyproof.check.code.interpreter.events import Choosing, SchedulerStep
from tinyproof.check.code.interpreter.flows import Batch, Quantity
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.optimisers import is_scheduler
from tinyproof.check.code.interpreter.turns import Loop, Pass, Seen
from tinyproof.check.code.interpreter.values import (
    Function,
    Made,
    Map,
    Method,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
    number,
    options,
)

_STEPS = {
    "fit": (
        ("training_step", "train_dataloader", ("train_dataloaders", "train_dataloader"), 1),
        ("validation_step", "val_dataloader", ("val_dataloaders", "val_dataloader"), 2),
    ),
    "test": (("test_step", "test_dataloader", ("dataloaders", "test_dataloaders"), 1),),
    "validate": (("validation_step", "val_dataloader", ("dataloaders", "val_dataloaders"), 1),),
}


def call(
    machine: Machine, method: Method, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    """Follow a call of a Lightning trainer; None where it is none."""
    trainer = method.owner
    if not (isinstance(trainer, Made) and trainer.path.startswith("pytorch_lightning") and trainer.short == "Trainer"):
        return None
    module = next((v for v in (*args, *kwargs.values()) if isinstance(v, Object) and is_lightning(v)), None)
    if module is None or method.name not in _STEPS:
        for value in (*args, *kwargs.values()):
            machine.escape(value)
        return Unknown()
    data = next((v for v in (*args, *kwargs.values()) if isinstance(v, Object) and v is not module), None)
    for owner, name in ((module, "setup"), (data, "setup")):
        if owner is not None:
            _call_member(machine, owner, name, [], node, scope)
    planned = _call_member(machine, module, "configure_optimizers", [], node, scope) if method.name == "fit" else None
    epochs = number(trainer.kwargs.get("max_epochs"))
    if method.name == "fit":
        machine.loops.append(Loop(machine.place(node, scope), int(epochs) if epochs is not None else None))
    for step, maker, keywords, position in _STEPS[method.name]:
        loader = _loader(
            machine,
            module,
            data=data,
            maker=maker,
            keywords=keywords,
            position=position,
            args=args,
            kwargs=kwargs,
            node=node,
            scope=scope,
        )
        if loader is not None and step == "validation_step" and method.name == "fit":
            _note_choices(machine, trainer, loader)
        if loader is not None:
            _run(machine, module, step, loader, node, scope)
    if method.name == "fit":
        _step_schedulers(machine, planned, node, scope)
        machine.loops.pop()
    return Unknown()


def _note_choices(machine: Machine, trainer: Made, loader: Value) -> None:
    """What the figures of the validation loader decide while it learns: the checkpoint, the end."""
    given = trainer.kwargs.get("callbacks")
    for callback in given.items if isinstance(given, Seq) else options(given) if given is not None else []:
        if isinstance(callback, Made) and callback.short in ("ModelCheckpoint", "EarlyStopping"):
            monitor = callback.kwargs.get(
                "monitor", callback.args[0] if callback.short == "EarlyStopping" and callback.args else None
            )
            if "val" in str(constant(monitor)):
                figure = Quantity("accuracy", "mean", "final", loader)
                machine.events.choices.append(Choosing(figure, callback.place, ends=callback.short == "EarlyStopping"))


def _step_schedulers(machine: Machine, planned: Value | None, node: ast.AST, scope: Scope) -> None:
    """Lightning steps the schedulers that configure_optimizers returns, once per epoch unless told otherwise."""
    for scheduler, per_batch in _schedulers(planned, False):
        turn = next((t for t in reversed(machine.events.passes) if t.trains), None) if per_batch else None
        step = SchedulerStep(scheduler, (), tuple(machine.loops), turn, machine.place(node, scope))
        machine.events.steps.append(step)


def _schedulers(value: Value | None, per_batch: bool) -> Iterator[tuple[Made, bool]]:
    if isinstance(value, Made) and is_scheduler(value):
        yield value, per_batch
    elif isinstance(value, Seq):
        for item in value.items:
            yield from _schedulers(item, per_batch)
    elif isinstance(value, Map):
        by_batch = constant(value.items.get("interval")) == "step"
        for item in value.items.values():
            yield from _schedulers(item, by_batch)


def is_lightning(value: Object) -> bool:
    return any(path.endswith("LightningModule") for path in library_bases(value.cls))


def _loader(
    machine: Machine,
    module: Object,
    data: Object | None,
    maker: str,
    keywords: tuple[str, ...],
    position: int,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
) -> Value | None:
    given = next((kwargs[k] for k in keywords if k in kwargs), None)
    if given is None and len(args) > position and isinstance(args[position], Made | Seq | Unknown):
        given = args[position]
    if isinstance(given, Seq) and len(given.items) == 1:
        given = given.items[0]
    if given is not None:
        return given
    for owner in (data, module):
        if owner is not None:
            made = _call_member(machine, owner, maker, [], node, scope)
            if made is not None:
                return made
    return None


def _call_member(
    machine: Machine, owner: Object, name: str, args: list[Value], node: ast.AST, scope: Scope
) -> Value | None:
    member = find_member(owner.cls, name)
    if not isinstance(member, Function):
        return None
    count = len(member.node.args.args) - 1
    bound = Function(
        member.node,
        member.scope,
        name=member.name,
        cell=member.cell,
        owner=owner,
        no_grad=member.no_grad,
        kind="plain",
        home=member.home,
    )
    return machine.call_value(bound, [*args, *(Unknown() for _ in range(count))][:count], {}, node, scope)


def _run(machine: Machine, module: Object, step: str, loader: Value, node: ast.AST, scope: Scope) -> None:
    place = machine.place(node, scope)
    trains = step == "training_step"
    turn = Pass(loader, place, step, tuple(machine.frames), tuple(machine.loops), framework=True)
    machine.passes.append(turn)
    machine.events.passes.append(turn)
    batches = list(options(loader))
    _call_member(machine, module, step, [Batch(batches[0]), Unknown("index")], node, scope)
    machine.passes.pop()
    turn.counted = True
    turn.labels.extend(["test"] if step == "test_step" else [])
    # Lightning itself switches modes, steps and clears gradients.
    turn.seen = [Seen(seen.model, "train" if trains else "eval", trains, seen.place) for seen in turn.seen]
    turn.seen = turn.seen or [Seen(module, "train" if trains else "eval", trains, place)]
    if trains:
        turn.backward, turn.zeroed = place, True
    machine.meaning.passed(machine, turn)
