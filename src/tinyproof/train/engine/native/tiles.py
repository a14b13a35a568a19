"""How a stage's work is cut: by which kernels, in tiles of how many registers, in strips of how many rows."""

from __future__ import annotations

from functools import cache

from tinyproof.train.engine.native.plan import Plan, Stage

# Vector registers by lanes: AVX-512 has 32 of 16 lanes, AVX2 16 of 8, NEON 32 of 4.
REGISTERS = {16: 32, 8: 16, 4: 32}
# What may stay in the first-level cache: a strip of output gradients, or of both sides of one of the six products of
# kernels/winograd.hpp. And in the second: the sums of all six.
_STRIP_BYTES, _PRODUCT_BYTES = 24 * 1024, 40 * 1024
PRODUCT_SUMS_BYTES = 768 * 1024


def recomputes(plan: Plan) -> bool:
    """Whether the first stage is computed again where it is needed (kernels/expand.hpp): cheap, and before a 1x1."""
    if len(plan.stages) < 2:
        return False
    first, second = plan.stages[:2]
    cheap = first.kind == "conv" and first.before[0] * first.kernel[0] * first.kernel[1] <= 25
    narrow = second.kind == "conv" and (second.kernel, second.stride, second.padding) == ((1, 1),) * 2 + ((0, 0),)
    linear = first.slope2 is None and not first.curve and first.drop != "elements"  # so that z is a * y + b
    picture = not second.flat and second.before[1] * second.before[2] > 1
    taken = [stage.sources for stage in plan.stages]
    alone = taken[:2] == [(0,), (1,)] and not any(1 in sources for sources in taken[2:])
    whole = first.groups == second.groups == 1
    return cheap and narrow and linear and picture and alone and whole and group_of(first.after[0]) >= 4


def winograd(stage: Stage, lanes: int) -> bool:
    """Whether the stage is computed by minimal filtering (kernels/winograd.hpp): where the combinations pay.

    Three columns wide, rows of 6 to 1,024 (they lie on the stack): 6 products a piece against 3 an output. Four
    channels or more on both sides. And the sums of its weights' gradient, twice as many as without, must stay in the
    cache and take several products.
    """
    if stage.kind != "conv" or stage.kernel[1] != 3 or stage.stride != (1, 1) or not 6 <= stage.after[2] <= 1024:
        return False
    if stage.groups != 1 or stage.dilation != (1, 1):
        return False
    many, places = min(stage.before[0], stage.after[0]) >= 4, stage.after[1] * pieces_of(stage)
    return many and places >= 8 and products(stage) * 4 * lanes <= PRODUCT_SUMS_BYTES


def pieces_of(stage: Stage) -> int:
    """How many times four outputs a row has (kernels/winograd.hpp)."""
    return -(-stage.after[2] // 4)


def channels_of(stage: Stage) -> tuple[int, int]:
    """Output and input channels that meet: of the whole stage, or of one of its groups (kernels/grouped.hpp)."""
    return stage.after[0] // stage.groups, stage.before[0] // stage.groups


def group_of(channels: int) -> int:
    """The largest divisor up to 8: how many channels of the first stage are computed again together."""
    return max(size for size in range(1, 9) if channels % size == 0)


def products(stage: Stage) -> int:
    """The sums of a weights' gradient by minimal filtering: six for every three weights."""
    return 6 * stage.before[0] * stage.after[0] * stage.kernel[0]


def strip(stage: Stage, lanes: int) -> int:
    """How many output rows the backward pass takes at once."""
    if winograd(stage, lanes):
        row = (stage.before[0] + stage.after[0]) * pieces_of(stage) * 4 * lanes
        return max(1, min(stage.after[1], _PRODUCT_BYTES // row))
    output_tile, _ = weight_tile(*channels_of(stage), stage.kernel[1], REGISTERS[lanes])
    row = output_tile * stage.after[2] * 4 * lanes
    return max(1, min(stage.after[1], _STRIP_BYTES // row))


@cache
def pixel_tile(channels: int, pixels: int, registers: int) -> tuple[int, int]:
    """Channels and pixels of a forward tile: the pair whose tiles, remainders included, take the fewest cycles.

    A tile of c x p sums needs per tap c broadcasts and p loads (two a cycle) and c*p multiply-adds (two a cycle, and
    no fewer than eight in flight).
    """

    def cycles(c: int, p: int) -> float:
        return float(max(c * p / 2, (c + p) / 2, 4.0) + 0.15 * (c * p) ** 0.5)

    def cost(c: int, p: int) -> float:
        heights = [c] * (channels // c) + [channels % c] * (channels % c > 0)
        widths = [p] * (pixels // p) + [pixels % p] * (pixels % p > 0)
        return sum(cycles(h, w) for h in heights for w in widths)

    pairs = [
        (c, p)
        for c in range(1, min(channels, 24) + 1)
        for p in range(1, min(pixels, 14) + 1)
        if c * p <= registers - 8 and c * p + p + 1 <= registers
    ]
    return min(pairs, key=lambda pair: (cost(*pair), pair))


@cache
def weight_tile(outputs: int, inputs: int, taps: int, registers: int) -> tuple[int, int]:
    """Output and input channels of a weight-gradient tile; it holds c_out * c_in * taps sums."""

    def cycles(o: int, i: int) -> float:
        return float(max(o * i * taps / 2, (o + i * taps) / 2, 4.0) + 0.15 * (o * i * taps) ** 0.5)

    def cost(o: int, i: int) -> float:
        heights = [o] * (outputs // o) + [outputs % o] * (outputs % o > 0)
        widths = [i] * (inputs // i) + [inputs % i] * (inputs % i > 0)
        return sum(cycles(h, w) for h in heights for w in widths)

    pairs = [
        (o, i)
        for o in range(1, min(outputs, 24) + 1)
        for i in range(1, min(inputs, 24) + 1)
        if (o * i * taps <= registers - 8 and (o + 1) * i * taps + 1 <= registers) or (o, i) == (1, 1)
    ]
    return min(pairs, key=lambda pair: (cost(*pair), pair))


def tap_rows(stage: Stage, registers: int) -> int:
    """How many rows of a kernel between two single channels get their gradient at once (kernels/grouped.hpp)."""
    return max(1, min(stage.kernel[0], (registers - 4) // stage.kernel[1]))
