"""Where torch's operators put values in the image: one rule for each operation that networks are made of.

They go by the names and arguments of torch's own operators (`aten`), to which every layer and function comes down. An
operator without a rule gives no answer, never a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.network import mixing, moving
from tinyproof.network.layout import Layout
from tinyproof.network.operator_call import Step
from tinyproof.network.receptive_field import NotKnown


def after(step: Step, pointwise: bool) -> Layout:
    """The layout of `step.out`; `pointwise`: computed value by value. Raises NotKnown."""
    rule = _RULES.get(step.name) or (moving.together if pointwise else None)
    if rule is None:
        raise NotKnown
    found = rule(step)
    if found.shape != tuple(step.out.shape):
        raise NotKnown
    return found


def known(name: str) -> bool:
    """Whether there is a rule of its own for an operator."""
    return name in _RULES


def _sized(*names: str) -> str:
    """Each operator for one, two and three sides."""
    return " ".join(name.replace("#", str(n)) for name in names for n in (1, 2, 3))


_NAMES: dict[Callable[[Step], Layout], str] = {
    moving.same: "clone alias detach _to_copy contiguous native_channel_shuffle hardtanh hardtanh_ _prelu_kernel "
    "log_sigmoid_forward rrelu_with_noise hardswish hardswish_ channel_shuffle",
    moving.view: "view _unsafe_view reshape _reshape_alias flatten squeeze unsqueeze squeeze_ unsqueeze_",
    moving.permute: "permute transpose t",
    moving.expand: "expand",
    moving.repeat: "repeat",
    moving.copied: "copy_",
    moving.sliced: "slice",
    moving.select: "select unbind",
    moving.split: "split split_with_sizes glu",
    moving.cat: "cat stack",
    moving.pad: "constant_pad_nd " + _sized("reflection_pad#d", "replication_pad#d"),
    mixing.convolution: "convolution",
    mixing.pool: _sized("max_pool#d_with_indices", "avg_pool#d"),
    mixing.adaptive_pool: _sized("adaptive_max_pool#d", "_adaptive_avg_pool#d", "adaptive_avg_pool#d"),
    mixing.resize: "upsample_linear1d upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d "
    + _sized("upsample_nearest#d", "_upsample_nearest_exact#d"),
    mixing.shuffle: "pixel_shuffle pixel_unshuffle",
    mixing.over: "mean sum amax amin max min",
    mixing.product: "mm bmm addmm baddbmm mv addmv dot",
    mixing.softmax: "_softmax _log_softmax",
    mixing.layer_norm: "native_layer_norm",
    mixing.batch_norm: "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training "
    "cudnn_batch_norm miopen_batch_norm _batch_norm_no_update",
}
_RULES = {name: rule for rule, names in _NAMES.items() for name in names.split()}
