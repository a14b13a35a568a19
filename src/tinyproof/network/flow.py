"""Which layers' outputs a value is made of, followed from operator to operator: the branches of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor

from tinyproof.network.called_layer import IMAGE, Join
from tinyproof.network.operator_call import key


class Flow:
    """Knows for each tensor that comes from the image the layer, or the join, that it came out of last."""

    def __init__(self, image: Tensor) -> None:
        self.joins: list[Join] = []
        self._node: dict[object, int] = {key(image): IMAGE}
        self._layers = 0

    def nodes(self, values: Iterable[Tensor]) -> tuple[int, ...]:
        """Where these values came from, each once; those that come from elsewhere are left out."""
        found = [self._node.get(key(value)) for value in values]
        return tuple(dict.fromkeys(node for node in found if node is not None))

    def made(self, value: Tensor, count: int) -> None:
        """The layer that is the `count`-th of those listed gave this value."""
        self._layers = count
        self._node[key(value)] = count - 1

    def follow(self, operator: str, given: Sequence[Tensor], results: Sequence[Tensor]) -> None:
        """An operator computed `results` from `given`, all of which come from the image."""
        nodes = self.nodes(given)
        if len(nodes) > 1:
            self.joins.append(Join(operator.strip("_"), nodes, self._layers))
            nodes = (-1 - len(self.joins),)
        for result in results:
            if nodes:
                self._node[key(result)] = nodes[0]
