"""What one forward pass does, seen at torch's own operators: multiply-adds, layouts, and what it is made of.

Every layer, function and product (`x @ W`, `einsum`) comes down to a few operators there. The formulas are torch's own
(`torch.utils.flop_counter`, which counts a multiply-add as two operations), with some that it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from tinyproof.network.flow import Flow
from tinyproof.network.layout import Layout
from tinyproof.network.multiply_adds import arguments, macs
from tinyproof.network.operator_call import Step, key, nth, reduced, storage, tensors
from tinyproof.network.placement import after, known
from tinyproof.network.receptive_field import NotKnown

# Products of values with a matrix; a convolution is none.
_PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "vdot", "addbmm", "_trilinear", "mkldnn_rnn_layer"}
# Made in the shape of a tensor, without its values.
_FRESH = ("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "new_zeros", "new_ones",
          "new_empty", "new_full")  # fmt: skip


@dataclass(frozen=True)
class Count:
    """How much was seen so far: multiply-adds, operators that are not counted, averages over all pixels."""

    macs: int
    uncounted: int
    averages: int


class Trace(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While active, follows everything that is computed from `image` [1, C, H, W] and from `weights`.

    `global_average`: all pixels of a channel are averaged somewhere. `weight_matrix`: values are multiplied by a matrix
    of weights, as a fully connected layer does. None: not known.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: torch would import its compiler for that, which takes more than a second. `anatomy` compiles nothing."""
        return False

    def __init__(self, image: Tensor, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = Count(0, 0, 0)
        self.global_average: bool | None = False
        self.weight_matrix: bool | None = False
        self.flow = Flow(image)
        # Tensors are kept, so that nothing is known by an address that is used again.
        self._kept: list[Tensor] = [image]
        self._layouts: dict[object, Layout] = {key(image): Layout.of_image(image.shape)}
        self._of_image = {storage(image)}
        self._weights = {storage(weight) for weight in weights}
        self._used = set[object]()

    def layout(self, tensor: Any) -> Layout | None:
        """Where the values of a tensor lie; None when it does not come from the image. Raises NotKnown."""
        if not isinstance(tensor, Tensor) or storage(tensor) not in self._of_image:
            return None
        found = self._layouts.get(key(tensor))
        if found is None:
            raise NotKnown
        return found

    def touched(self, weight: Tensor) -> bool:
        """Whether an operator took this weight, or a view of it."""
        return storage(weight) in self._used

    def end(self, answer: Any) -> None:
        """The answer is there. One that does not come from the image was computed where nothing is seen: by numpy."""
        if not any(storage(tensor) in self._of_image for tensor in tensors(answer)):
            self._counted(uncounted=True)
            self.weight_matrix = self.weight_matrix or None
            self.global_average = self.global_average or None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Compute, count and follow one operator."""
        words = kwargs or {}
        if _made_of_others(func):
            with self:
                parts = func.decompose(*args, **words)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **words)
        cost = macs(func, args, words, out)
        self._counted(cost or 0, uncounted=cost is None)
        if hasattr(func, "_schema"):
            self._follow(func, arguments(func, args, words), out)
        return out

    def _counted(self, macs: int = 0, uncounted: bool = False, averages: int = 0) -> None:
        old = self.count
        self.count = Count(old.macs + macs, old.uncounted + uncounted, old.averages + averages)

    def _follow(self, func: Any, given: dict[str, Any], out: Any) -> None:
        name = func.overloadpacket.__name__
        used = list(tensors(given))
        image = [t for t in used if storage(t) in self._of_image and not name.startswith(_FRESH)]
        weights = [t for t in used if storage(t) not in self._of_image and self._learned(t)]
        self._used |= {storage(t) for t in weights}
        results = list(tensors(out))
        self._kept += results
        if image:
            self.flow.follow(name, image, results)
            self._judge(name, given, image, weights, results)
        laid = [self._after(func, name, given, result) if image else None for result in results]
        for result, layout in zip(results, laid, strict=True):
            if image:
                self._of_image.add(storage(result))
                self._layouts.pop(key(result), None)
                if layout:
                    self._layouts[key(result)] = layout
            elif weights:
                self._weights.add(storage(result))

    def _learned(self, tensor: Tensor) -> bool:
        return tensor.requires_grad or storage(tensor) in self._weights

    def _after(self, func: Any, name: str, given: dict[str, Any], result: Tensor) -> Layout | None:
        try:
            return after(Step(name, given, result, self.layout), _pointwise(func))
        except NotKnown:
            return None

    def _judge(
        self, name: str, given: dict[str, Any], image: list[Tensor], weights: list[Tensor], results: list[Tensor]
    ) -> None:
        """Is this a fully connected layer, is it a global average?"""
        if weights and (name in _PRODUCTS or (name == "convolution" and self._flat(given["input"]))):
            self.weight_matrix = True
        if weights and name in ("mul", "mul_"):
            # Each value times several weights, to be summed up later: a matrix product that no operator says.
            if results[0].numel() > max(t.numel() for t in image):
                self.weight_matrix = self.weight_matrix or None
                self._counted(uncounted=True)
        if name in _AVERAGES:
            try:
                layout = self.layout(next(iter(given.values())))
                whole = layout is not None and _AVERAGES[name](Step(name, given, results[0], self.layout), layout)
            except NotKnown:
                self.global_average = self.global_average or None
            else:
                self.global_average = self.global_average or (True if whole else self.global_average)
                self._counted(averages=int(whole))

    def _flat(self, image: Tensor) -> bool:
        """A convolution over channels that hold all pixels is a fully connected layer under another name."""
        try:
            layout = self.layout(image)
        except NotKnown:
            return False
        if layout is None:
            return False
        inside = [part.size for part in layout.dims[1] if part.reach]
        outside = [part.size for dim in layout.dims[2:] for part in dim if part.reach]
        return max(inside, default=1) > 1 and max(outside, default=1) == 1


def _mean_of_all(step: Step, layout: Layout) -> bool:
    over = [layout.dims[axis] for axis in reduced(step, len(layout.dims))]
    parts = [part for dim in over for part in dim if part.size > 1]
    left = [part for i, dim in enumerate(layout.dims) if i not in reduced(step, len(layout.dims)) for part in dim]
    only_pixels = bool(parts) and all(part.reach for part in parts)
    return only_pixels and all(part.size == 1 for part in left if part.reach)


def _pool_of_all(step: Step, layout: Layout) -> bool:
    given, count = step.given, int(step.name.partition("pool")[2][0])
    sides = layout.shape[-count:]
    if max(sides) == 1 or any(size > 1 for size in step.out.shape[-count:]):
        return False
    if any(part.reach and part.size > 1 for dim in layout.dims[:-count] for part in dim):
        return False
    if "kernel_size" not in given:
        return True
    return all(nth(given["kernel_size"], i) - nth(given["padding"], i) >= size for i, size in enumerate(sides))


_AVERAGES: dict[str, Callable[[Step, Layout], bool]] = {
    "mean": _mean_of_all,
    **{f"{kind}_pool{n}d": _pool_of_all for kind in ("avg", "_adaptive_avg", "adaptive_avg") for n in (1, 2, 3)},
}


def _made_of_others(func: Any) -> bool:
    """Whether an operator is only looked at through those that it is made of, if it is made of any."""
    packet = getattr(func, "overloadpacket", None)
    if packet is None or packet in flop_registry or func is torch.ops.prim.device.default:
        return False
    return not known(packet.__name__)


def _pointwise(func: Any) -> bool:
    """Whether an operator computes value by value; its form that writes in place is not always marked."""
    base = getattr(torch.ops.aten, func.overloadpacket.__name__.removesuffix("_"), func.overloadpacket)
    forms = [func, *(getattr(base, form) for form in base.overloads())]
    return any(torch.Tag.pointwise in form.tags for form in forms)
