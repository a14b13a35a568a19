"""What calls of torch, torchvision and Python's own functions give."""

from __future__ import annotations

import ast
from dataclasses import replace

from tinyproof.check.code.interpreter.answers import hits, of_last_batch
from tinyproof.check.code.interpreter.flows import Batch, Flow, Quantity, QuantityKind, first_tensor, is_tensor
from tinyproof.check.code.interpreter.imports import LIBRARIES, normal
from tinyproof.check.code.interpreter.kept_states import note_loaded
from tinyproof.check.code.interpreter.machine import Machine
from tinyproof.check.code.interpreter.quantities import total_of
from tinyproof.check.code.interpreter.row_answers import counted
from tinyproof.check.code.interpreter.row_expressions import GRADIENT
from tinyproof.check.code.interpreter.rows import names_kept, rows_in
from tinyproof.check.code.interpreter.values import Made, Name, Scope, Seq, Unknown, Value, options
from tinyproof.check.code.library import array_calls, figure_labels, frameworks, orders, tf_graph
from tinyproof.check.code.library.builtin_functions import BUILTINS
from tinyproof.check.code.library.dynamic import CALLS
from tinyproof.check.code.library.facts import d2l
from tinyproof.check.code.library.graph_rows import GRAPH_LAYERS
from tinyproof.check.code.library.passes import BEST, note_best, note_extreme
from tinyproof.check.code.library.tensors import apply_functional, apply_unknown
from tinyproof.core.word_sets import words

# Functions that give back the figure or tensor they are given.
_SAME = words(
    """
    builtins.float tensorflow.cast builtins.int builtins.round builtins.abs numpy.array numpy.asarray
    numpy.squeeze numpy.float32 torch.squeeze torch.tensor torch.Tensor torch.as_tensor copy.copy copy.deepcopy
    numpy.round torch.stack torch.unsqueeze torch.clone torch.jit.script torch.compile torch.nn.DataParallel
    torch.autograd.Variable torch.nn.parallel.DistributedDataParallel torch.round
    """
)
_FROM_LISTS = words("numpy.array numpy.asarray torch.tensor torch.Tensor torch.as_tensor torch.stack")
_EQUALS = frozenset(("torch.eq", "numpy.equal", "tensorflow.equal", "tensorflow.math.equal"))
_SEEDS = frozenset(("manual_seed", "seed_everything", "set_seed", "manual_seed_all"))
_SUMS = frozenset(("builtins.sum", "numpy.sum", "torch.sum", "numpy.count_nonzero", "tensorflow.reduce_sum"))
_MEANS = frozenset(
    ("tensorflow.reduce_mean", "numpy.mean", "torch.mean", "statistics.mean", "numpy.average", "statistics.fmean")
)


def call_library(
    machine: Machine,
    path: str,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
    is_open: bool = False,
) -> Value:
    """The value of `path(*args, **kwargs)` for something of a library."""
    path = normal(path)
    short = path.rpartition(".")[2]
    if path in machine.patched:
        return Unknown(short)
    orders.note_seed(machine, short)
    dynamic = CALLS.get(path)
    if dynamic is not None:
        return dynamic(machine, args, kwargs, node, scope)
    known = tf_graph.of_function(machine, path, args, kwargs, node, scope)
    if known is not None:
        return known
    known = frameworks.call_function(machine, path, args, kwargs, node, scope)
    if known is not None:
        return known
    if path.startswith(("d2l.", "d2lzh_pytorch")) and short not in d2l.ASIDE:
        machine.events.missing_modules.append(path)
        return apply_unknown(machine, Unknown(short), args, kwargs, node, scope)
    if path in _SAME and args:
        return _array(args[0]) if path in _FROM_LISTS else args[0]
    if short in ("abs", "absolute", "square", "power", "sqrt") and args and isinstance(args[0], Quantity):
        return args[0]
    if path == "builtins.map" and len(args) == 2 and isinstance(args[1], Seq):
        return _mapped(machine, args[0], args[1], node, scope)
    if short in _SEEDS:
        machine.events.seeds.append(machine.place(node, scope))
        return Unknown()
    if path == "torch.save":
        note_loaded(machine, None, node, scope)
    if path in _SUMS or path in _MEANS:
        return _summed(path in _MEANS, args, kwargs, machine, node, scope)
    best_of = short == "argmax" or (path in ("builtins.max", "builtins.min", "builtins.sorted") and "key" in kwargs)
    if best_of and args and machine.events.uses:
        note_extreme(machine, args[0], machine.place(node, scope))
    if short in BEST:
        note_best(machine, short, args, machine.place(node, scope))
    if path == "builtins.print" and (machine.events.uses or machine.events.passes):
        figure_labels.note(machine, node, scope)
    handler = BUILTINS.get(path)
    if handler is not None:
        result = handler(machine, args, kwargs)
        if result is not None:
            return result
    return _of_tensors(machine, path, args, kwargs, node, scope, is_open)


def _of_tensors(
    machine: Machine,
    path: str,
    args: list[Value],
    kwargs: dict[str, Value],
    node: ast.AST,
    scope: Scope,
    is_open: bool,
) -> Value:
    """What is left: tensors, rows, something not known, or an object that is made."""
    short = path.rpartition(".")[2]
    if path in ("torch.max", "torch.topk", "torch.min") and args and isinstance(args[0], Flow) and len(args) > 1:
        picked = apply_functional(machine, "argmax", args[:1], {}, machine.place(node, scope))
        return Seq([args[0], picked])
    if path in _EQUALS and len(args) > 1 and any(is_tensor(arg) for arg in args):
        return hits(machine, args[0], args[1], machine.place(node, scope))
    if short == "accuracy_score" and args:
        if machine.passes:
            machine.passes[-1].hits = True
        return Quantity("accuracy", "mean", "batch" if machine.passes else "final")
    joined = _joined_answers(machine, args) if short in _JOINS else None
    if joined is not None:
        return joined
    if _is_tensor_function(path) and first_tensor(args, kwargs) is not None:
        return apply_functional(machine, short, args, kwargs, machine.place(node, scope))
    if path.startswith(GRAPH_LAYERS) and short.islower() and isinstance(first_tensor(args, kwargs), Flow):
        return first_tensor(args, kwargs) or Unknown()  # what is pooled of the nodes of each graph
    unread = {"sampler": Unknown("**"), **kwargs} if is_open and short == "DataLoader" else kwargs
    of_rows = _of_rows(machine, path, args, unread, node, scope)
    if of_rows is not None:
        return of_rows
    if path.partition(".")[0] not in LIBRARIES:
        return apply_unknown(machine, Name(path), args, kwargs, node, scope)
    made = Made(path, args, kwargs, machine.place(node, scope), open_kwargs=is_open)
    return machine.made(made) if not path.startswith("builtins.") else made


def _array(value: Value) -> Value:
    """An array that is made of a list: rows, where a loop over rows filled it with one element for each."""
    rows = rows_in(value) if isinstance(value, Seq) and not value.whole else None
    return replace(rows, names=names_kept(rows)) if rows is not None else value


def _joined_answers(machine: Machine, args: list[Value]) -> Value | None:
    """What was collected batch by batch, one behind the other: the answers of a network, the labels of a loader."""
    listed = args[0] if args else None
    if (
        not isinstance(listed, Seq)
        or machine.building
        or any(of_last_batch(machine, v) for v in (listed, *listed.items))
    ):
        return None
    parts = [item for item in listed.items if isinstance(item, Flow | Batch)]
    sources = {id(part.loader if isinstance(part, Batch) else getattr(part.source, "loader", None)) for part in parts}
    if len({type(part) for part in parts}) != 1 or len(sources) != 1:
        return None
    empty = isinstance(listed.items[0], Made) or (isinstance(listed.items[0], Seq) and not listed.items[0].items)
    grown = len(parts) == 1 and len(listed.items) == 2 and machine.passes and empty
    if not grown and (listed.whole or len(parts) != len(listed.items)):
        return None
    if id(listed) in machine.filled:
        machine.keep.append(parts[-1])
        machine.filled[id(parts[-1])] = machine.filled[id(listed)]
    return parts[-1]


def _mapped(machine: Machine, function: Value, over: Seq, node: ast.AST, scope: Scope) -> Value:
    """`map(torch.tensor, (x_train, x_test))`: what the function gives for each."""
    if not over.whole or len(over.items) > _FEW:
        return Seq([], whole=False)
    return Seq([machine.call_value(function, [item], {}, node, scope) for item in over.items])


_FEW = 8
_JOINS = frozenset(("cat", "concat", "concatenate", "vstack", "hstack", "stack"))
_ARRAYS = frozenset(("numpy", "torch", "tensorflow", "pandas", "jax", "scipy", "cupy"))


def _of_rows(
    machine: Machine, path: str, args: list[Value], kwargs: dict[str, Value], node: ast.AST, scope: Scope
) -> Value | None:
    drawn = orders.of_function(machine, path, args, kwargs, node, scope)
    if drawn is not None:
        return drawn
    if path.partition(".")[0] not in _ARRAYS:
        return None
    return array_calls.numpy_function(machine, path, args, kwargs, node, scope)


def _is_tensor_function(path: str) -> bool:
    head, _, name = path.rpartition(".")
    return head == "numpy" or (head in _TENSORS and name.islower())


_TENSORS = frozenset(
    (
        *("torch.nn.functional", "torch", "torch.special", "tensorflow", "tensorflow.nn", "tensorflow.math"),
        *("jax.nn", "jax.lax", "flax.linen", "flax.linen.activation"),
    )
)


def _summed(
    mean: bool, args: list[Value], kwargs: dict[str, Value], machine: Machine, node: ast.AST, scope: Scope
) -> Value:
    if not args:
        return Unknown()
    for option in options(args[0]):
        if isinstance(option, Quantity):
            counted(machine, option, machine.place(node, scope))
            return as_batch_sum(option, mean)
        if isinstance(option, Flow):
            place = machine.place(node, scope)
            return apply_functional(machine, "mean" if mean else "sum", args, kwargs, place)
        if isinstance(option, Made) and option.path == GRADIENT:
            return option
        if isinstance(option, Seq):
            total = total_of(option)
            if mean and isinstance(total, Quantity):
                kind: QuantityKind = "loss" if total.kind == "loss" else "accuracy"
                return replace(total, kind=kind, scale="mean", reach="final")
            return total
    return Unknown()


def as_batch_sum(figure: Quantity, mean: bool) -> Quantity:
    """The sum (or mean) over the images of a batch."""
    if figure.scale != "each":
        return figure
    kind: QuantityKind = "accuracy" if figure.kind == "hits" and mean else figure.kind
    return replace(figure, kind=kind, scale="mean" if mean else "sum")
