"""The layers of a Sequential, however they are listed."""

from __future__ import annotations

from tinyproof.check.code.interpreter.values import Choice, Made, Map, Seq, Unknown, Value


def sequential_children(layer: Made) -> tuple[list[Value], bool]:
    """The layers of a Sequential in order; whether these are all."""
    children: list[Value] = []
    whole = True
    for arg in layer.args:
        if isinstance(arg, Made) and arg.path.endswith("OrderedDict") and arg.args:
            arg = arg.args[0]
        if isinstance(arg, Seq):
            whole = whole and arg.whole
            for pair in arg.items:
                children.append(pair.items[1] if isinstance(pair, Seq) and len(pair.items) == 2 else pair)
        elif isinstance(arg, Map):
            whole = whole and arg.whole
            children.extend(arg.items.values())
        elif isinstance(arg, Choice) or (isinstance(arg, Unknown) and arg.name == "*"):
            whole = False
            children.append(arg)
        else:
            children.append(arg)
    return children, whole
