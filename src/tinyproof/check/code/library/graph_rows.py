"""Graphs whose nodes are rows: what calling and transforming one gives."""

from __future__ import annotations

from dataclasses import replace

from tinyproof.check.code.interpreter.own_masks import as_places
from tinyproof.check.code.interpreter.picking import NAMED, picked
from tinyproof.check.code.interpreter.rows import Cut, Parts, Path, Root, Rows, rows_in
from tinyproof.check.code.interpreter.values import Const, Made, Seq, Unknown, Value, constant
from tinyproof.check.finding import CodePlace

# Layers and networks of these libraries leave the rows as they are: an answer for each node.
GRAPH_LAYERS = ("torch_geometric.nn.", "dgl.nn.")
_LOADERS = ("DataLoader", "DenseDataLoader", "NeighborLoader", "ClusterLoader")


def loader(path: str, args: list[Value], kwargs: dict[str, Value], place: CodePlace) -> Rows | None:
    """A loader of a graph, whole or around some of its nodes; None for any other."""
    data = args[0] if args else kwargs.get("data", kwargs.get("dataset"))
    if (
        not path.startswith("torch_geometric.")
        or path.rpartition(".")[2] not in _LOADERS
        or not isinstance(data, Parts)
    ):
        return None
    nodes = rows_in(data.items.get("x"))
    around = kwargs.get("input_nodes")
    asked = as_places(around, place) if around is not None else None
    if nodes is None or (asked is not None and not isinstance(asked, Rows)):
        return None
    some = picked(nodes, asked) if asked is not None else nodes
    return replace(some, side="both", batch=-1, names=[])


def called(parts: Parts, args: list[Value]) -> Value:
    """`graph("train_mask", "test_mask")`: names with what they stand for; without names, the same parts."""
    if not args:
        return parts
    names = [constant(arg) for arg in args]
    return Seq([Seq([Const(name), parts.items.get(name, Unknown())]) for name in names if isinstance(name, str)])


def transformed(made: Made, graph: Parts, place: CodePlace) -> Value:
    """What a transform gives of a graph: the same nodes, perhaps with masks that are drawn anew."""
    inner = made.args[0].items if made.short == "Compose" and made.args and isinstance(made.args[0], Seq) else [made]
    names = [step.short for step in inner if isinstance(step, Made)]
    if len(names) < len(inner) or any("LinkSplit" in name or "Subgraph" in name for name in names):
        return Unknown()
    if not any("NodeSplit" in name or "Mask" in name for name in names):
        return graph
    kept = dict(graph.items)
    for name, kind in NAMED.items():
        root = Root(("drawn masks", made.place, place), "all", "masks", "rows", place)
        cut = Cut("split", ("drawn", made.place, place), kind)
        kept[name] = Rows((Path(root, (cut,)),), "mask", names=[name])
    return Parts(kept, whole=False)
