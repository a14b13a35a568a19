"""Networks applied to batches: the operations a tensor goes through, and the losses taken of it."""

from __future__ import annotations

import ast

from tinyproof.check.code.interpreter import columns
from tinyproof.check.code.interpreter.attributes import find_member, library_bases
from tinyproof.check.code.interpreter.events import Impossible, Softmax
from tinyproof.check.code.interpreter.flows import Batch, Flow, Op, Quantity, first_tensor, is_tensor
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.own_losses import marked
from tinyproof.check.code.interpreter.rows import Parts, Rows
from tinyproof.check.code.interpreter.running_scores import keeps_score, note_metric
from tinyproof.check.code.interpreter.turns import Mode, Seen
from tinyproof.check.code.interpreter.values import (
    Const,
    Function,
    Made,
    Name,
    Object,
    Scope,
    Seq,
    Unknown,
    Value,
    constant,
    join,
    options,
)
from tinyproof.check.code.library import frameworks, graph_rows, keras_graph, keras_rows
from tinyproof.check.code.library.loss_calls import LOSSES, WHEN_MADE, note_keras_loss, of_network, take_loss
from tinyproof.check.code.library.sequentials import sequential_children
from tinyproof.check.finding import CodePlace

SOFTMAXES = frozenset(("softmax", "log_softmax", "Softmax", "LogSoftmax"))
MAX_OPS = 400


def as_batch(value: Value) -> Value:
    """Rows that go into a network as one batch."""
    if isinstance(value, Parts):
        value = value.items.get("x", value)  # a graph: what its nodes hold
    return Batch(value, "part") if isinstance(value, Rows) else value


def apply_network(
    machine: Machine, model: Object, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """A network of the notebook's own applied to its arguments: its forward, walked through once."""
    args = [as_batch(arg) for arg in args]
    tensor = first_tensor(args, kwargs)
    if tensor is None:
        return Flow((), model, None, certain=False)
    _see(machine, model, tensor, machine.place(node, scope))
    if isinstance(tensor, Flow) and (tensor.ops or tensor.model is not None):
        return _walk_forward(machine, model, args, kwargs, node, scope)
    key = (id(model), len(args) + len(kwargs))
    if key not in machine.outputs_of:
        start: list[Value] = [Flow((), model) if arg is tensor else arg for arg in args]
        named: dict[str, Value] = {k: Flow((), model) if v is tensor else v for k, v in kwargs.items()}
        machine.outputs_of[key] = _walk_forward(machine, model, start, named, node, scope)
        machine.outputs.setdefault(id(model), machine.outputs_of[key])
    source = tensor if isinstance(tensor, Batch) else tensor.source
    known = machine.outputs_of[key]
    place = machine.place(node, scope)
    return join([_from(machine, option, model, source, place) for option in options(known)])


def _from(machine: Machine, output: Value, model: Value, source: Value | None, place: CodePlace) -> Value:
    if isinstance(output, Flow):
        return Flow(output.ops, model, source, output.straight, output.certain)
    if isinstance(output, Seq):
        return Seq([_from(machine, item, model, source, place) for item in output.items], output.whole)
    if isinstance(output, Quantity) and output.kind == "loss":
        return of_network(machine, output, model, source, place)
    return Flow((), model, source, certain=False)


def _walk_forward(
    machine: Machine, model: Object, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    forward = find_member(model.cls, "forward")
    if not isinstance(forward, Function):
        layers = model.attrs.get("(layers)")
        if layers is not None:
            return machine.call_value(layers, args, kwargs, node, scope)
        tensor = first_tensor(args, kwargs)
        return Flow((), model, tensor.source if isinstance(tensor, Flow) else tensor, certain=False)
    bound = Function(forward.node, forward.scope, "forward", forward.cell, model, home=forward.home)
    passes, machine.passes = machine.passes, []
    machine.building += 1
    try:
        result = machine.call_value(bound, args, kwargs, node, scope)
    finally:
        machine.passes = passes
        machine.building -= 1
    return result


def _told(model: Value, kwargs: dict[str, Value]) -> Mode | None:
    """The mode that a Keras network is told by its argument; None for what keeps a mode of its own."""
    if not isinstance(model, Object) or not any(path.startswith("keras.") for path in library_bases(model.cls)):
        return None
    return "train" if constant(kwargs.get("training")) is True else "unknown"


def _see(machine: Machine, model: Value, tensor: Flow | Batch, place: CodePlace, told: Mode | None = None) -> None:
    """Note in the running passes that the network was applied to a batch (not when it is a part of another)."""
    if isinstance(tensor, Batch) and isinstance(tensor.loader, Rows) and not machine.passes:
        machine.events.answered[id(model)] = (machine.mode(model), place)
        machine.events.asked_at.pop(id(model), None)
        if not machine.frames:
            machine.events.asked_at[id(model)] = place
    if isinstance(tensor, Batch) or (tensor.model is None and not tensor.ops and tensor.source is not None):
        for turn in machine.passes:
            turn.seen.append(Seen(model, told or machine.mode(model), machine.no_grad == 0, place))


def apply_made(
    machine: Machine, made: Made, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """The result of calling something that a library made: a layer, a loss, a transform, anything."""
    place = machine.place(node, scope)
    machine.events.called.add(id(made))
    note_metric(machine, made, "__call__", place)
    if made.path.startswith("fastai.") and made.short.endswith("Splitter"):
        return made  # applied to the items, it says which of them are which: that it does so is known
    if made.path == "functools.partial" and made.args:
        return machine.call_value(made.args[0], [*made.args[1:], *args], {**made.kwargs, **kwargs}, node, scope)
    if made.path.startswith("torch.nn.") and (made.short.endswith("Loss") or made.short == "CrossEntropyLoss"):
        wrong = next((name for name in kwargs if name in WHEN_MADE), None)
        if wrong is not None:
            machine.events.impossible.append(
                Impossible(place, f"{made.short} takes {wrong} when it is made, not when it is called")
            )
            return Unknown()
        given = [*args, *kwargs.values()]
        if any(is_tensor(arg) for arg in given):
            return take_loss(machine, made.path, made.kwargs, given, place)
        return Unknown()
    if made.path.startswith("transformers.") and "Tokenizer" in made.path and args and isinstance(args[0], Rows):
        return columns.after(args[0].turned("x"), *columns.UNKNOWN)  # the texts as numbers, in the same order
    if made.path.startswith("keras.metrics.") and len(args) > 1 and isinstance(args[1], Rows):
        fed = "(fed)" in made.attrs  # by the loop that learns: its figure is then of both
        known = None if fed else frameworks.call_method(machine, made, "__call__", args, kwargs, node, scope)
        return known if known is not None else Unknown()
    if made.path.startswith("keras.") and args and isinstance(args[0], Rows):
        return keras_rows.of_rows(machine, made, args[0])
    if made.path.startswith("keras.") and any(keras_graph.is_tensor(arg) for arg in args):
        return keras_graph.applied(machine, made, args, kwargs, place)
    if made.path.startswith("keras.losses.") and args:
        note_keras_loss(machine, made, [*args, *kwargs.values()])
    if made.path.startswith("keras.metrics") and machine.passes:
        machine.passes[-1].counted = True
        made.attrs["(fed)"] = Const(True)
    if made.path.startswith("torch_geometric.transforms.") and args and isinstance(args[0], Parts):
        return graph_rows.transformed(made, args[0], place)
    if made.path.startswith(("torch.nn.", "torchvision.models", *graph_rows.GRAPH_LAYERS)):
        args = [as_batch(arg) for arg in args]
    tensor = first_tensor(args, kwargs)
    if tensor is None:
        return Unknown()
    if made.path.startswith(graph_rows.GRAPH_LAYERS) and isinstance(tensor, Flow):
        return Flow(tensor.ops, tensor.model, tensor.source, straight=False, certain=False)
    if made.path.startswith("torch.nn."):
        if isinstance(tensor, Batch):
            _see(machine, made, tensor, place)
            tensor = Flow((), made, tensor)
        return apply_layer(machine, made, tensor, place, node, scope)
    return apply_unknown(machine, made, args, kwargs, node, scope)


def apply_layer(machine: Machine, layer: Made, flow: Flow, place: CodePlace, node: ast.AST, scope: Scope) -> Value:
    """A layer, or a Sequential of them, applied to a tensor."""
    if layer.path != "torch.nn.Sequential":
        if layer.short in SOFTMAXES:
            _note_softmax(machine, layer.short, [*layer.args], layer.kwargs, flow, layer.place)
        return extend(flow, Op(layer.short, place, layer))
    result: Value = flow
    children, whole = sequential_children(layer)
    for child in children:
        machine.events.called.add(id(child))
        known = [option for option in options(result) if isinstance(option, Flow)]
        if not known:
            return Unknown()
        at = child.place if isinstance(child, Made | Object) else place
        if isinstance(child, Made) and child.path.startswith("torch.nn."):
            result = apply_layer(machine, child, known[0], at, node, scope)
        else:
            result = machine.call_value(child, [known[0]], {}, node, scope)
    if isinstance(result, Flow) and not whole:
        return Flow(result.ops, result.model, result.source, straight=False, certain=False)
    return result


def extend(flow: Flow, op: Op) -> Flow:
    if len(flow.ops) >= MAX_OPS:
        return Flow(flow.ops, flow.model, flow.source, straight=False, certain=False)
    return Flow((*flow.ops, op), flow.model, flow.source, flow.straight, flow.certain)


def apply_functional(
    machine: Machine, name: str, args: list[Value], kwargs: dict[str, Value], place: CodePlace
) -> Value:
    """torch.nn.functional.NAME, torch.NAME or tensor.NAME of a tensor (the first argument)."""
    if name in LOSSES:
        return take_loss(machine, f"torch.nn.functional.{name}", kwargs, args, place)
    tensor = first_tensor(args, kwargs)
    if tensor is None:
        return Unknown()
    flow = tensor if isinstance(tensor, Flow) else Flow((), None, tensor)
    if name in SOFTMAXES:
        _note_softmax(machine, name, args[1:], kwargs, flow, place)
    if name in ("cat", "concat", "stack", "add", "mul", "where"):
        flow = Flow(flow.ops, flow.model, flow.source, straight=False, certain=flow.certain)
    return extend(flow, Op(name, place, None, tuple(args[1:]), tuple(kwargs.items())))


def _note_softmax(
    machine: Machine, name: str, rest: list[Value], kwargs: dict[str, Value], flow: Flow, place: CodePlace
) -> None:
    dimension = kwargs.get("dim", rest[0] if rest else None)
    none = isinstance(dimension, Const) and dimension.value is None
    machine.events.softmaxes.append(Softmax(name, dimension is not None and not none, dimension, place, flow))


def apply_unknown(
    machine: Machine, function: Value, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value:
    """Something not known is called: a network, a loss function, or anything else."""
    given = [*args, *kwargs.values()]
    for value in given:
        for option in options(value):
            machine.escape(option)
            if machine.passes and isinstance(option, Object | Made):
                machine.passes[-1].escaped = True
    tensors = [option for value in given for option in options(value) if isinstance(option, Flow | Batch)]
    if not tensors:
        return Unknown()
    place = machine.place(node, scope)
    turn = machine.passes[-1] if machine.passes else None
    flows = [tensor for tensor in tensors if isinstance(tensor, Flow)]
    if flows and len(tensors) >= 2:
        source = flows[0].source
        loader = source.loader if isinstance(source, Batch) else None
        score = isinstance(function, Made) and keeps_score(function.path)
        if turn is not None:
            turn.counted = True
            turn.hits, turn.loss = turn.hits or score, turn.loss or not score
        return Quantity("accuracy" if score else "loss", "unknown", "batch", loader, place, turn)
    if flows:
        return Flow(flows[0].ops, flows[0].model, flows[0].source, straight=False, certain=False)
    batch = tensors[0]
    if isinstance(function, Name):
        return batch
    _see(machine, function, batch, place, _told(function, kwargs))
    return marked(function, kwargs, Flow((), function, batch, straight=False, certain=False), place)
