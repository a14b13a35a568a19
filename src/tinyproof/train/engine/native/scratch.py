"""How much memory a thread needs while it works on a stage (kernels/stage.hpp: Scratch), in vectors."""

from __future__ import annotations

from tinyproof.train.engine.native.plan import Plan, Shape, Stage
from tinyproof.train.engine.native.tiles import channels_of, pieces_of, products, recomputes, strip, winograd

_PLACES = 8  # of kernels/channel_norm.hpp, at once


def scratch(plan: Plan, lanes: int) -> dict[str, int]:
    """The sizes by the names that the kernels know, each enough for every stage."""
    stages, again = plan.stages, recomputes(plan)
    first, second = stages[0], stages[min(1, len(stages) - 1)]
    shapes = [plan.input_shape, *(stage.after for stage in stages)]
    return {
        "kLargestStage": max(_size(shape) for shape in shapes),
        "kScratchZ": max(_z(stage, lanes) for stage in stages),
        "kScratchZeros": max((_z_row(stage, lanes) for stage in stages if stage.groups > 1), default=0),
        "kScratchDc": max(_dc(stage, lanes) for stage in stages),
        "kScratchSums": max(_sums(stage, lanes) for stage in stages),
        "kScratchChannels": max(shape[0] for shape in shapes),
        "kScratchInput": first.before[1] * _z_row(first, lanes) if again else 0,
        "kScratchYRow": first.after[0] * first.after[2] if again else 0,
        "kScratchDuRow": _dc_row(second, lanes) * strip(first, lanes) if again else 0,
        "kScratchProducts": _every_weight(second) + second.after[0] if again else 0,
        "kScratchWeights": max(_weights(stage, lanes) for stage in stages),
    }


def _size(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _every_weight(stage: Stage) -> int:
    if stage.kind != "conv":
        return stage.after[0]
    return stage.after[0] * channels_of(stage)[1] * stage.kernel[0] * stage.kernel[1]


def _z(stage: Stage, lanes: int) -> int:
    if stage.kind == "channel_norm":
        return 2 * _PLACES * stage.after[0]
    if stage.kind != "conv":
        return 2 * stage.before[1] * stage.before[2] + stage.after[1] * stage.after[2]
    rows = (strip(stage, lanes) - 1) * stage.stride[0] + (stage.kernel[0] - 1) * stage.dilation[0] + 1
    return _z_row(stage, lanes) * rows


def _sums(stage: Stage, lanes: int) -> int:
    return 6 * max(stage.before[0], stage.after[0]) * pieces_of(stage) if winograd(stage, lanes) else 0


def _weights(stage: Stage, lanes: int) -> int:
    return products(stage) if winograd(stage, lanes) else _every_weight(stage)


def _z_row(stage: Stage, lanes: int) -> int:
    if winograd(stage, lanes):
        return 6 * stage.before[0] * pieces_of(stage)
    return channels_of(stage)[1] * (stage.before[2] + 2 * stage.padding[1])


def _dc_row(stage: Stage, lanes: int) -> int:
    if winograd(stage, lanes):
        return 6 * stage.after[0] * pieces_of(stage)
    return channels_of(stage)[0] * (stage.after[2] + 2 * (stage.kernel[1] - 1) * stage.dilation[1])


def _dc(stage: Stage, lanes: int) -> int:
    if stage.kind != "conv":
        return 1
    rows = strip(stage, lanes) + (stage.kernel[0] - 1) * stage.dilation[0] // stage.stride[0] + 1
    return _dc_row(stage, lanes) * rows
