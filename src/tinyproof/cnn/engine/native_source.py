"""From a plan to C++: the sizes of every stage as constants, the order of the calls, and nothing else.

The kernels themselves are templates in the folder `kernels`; this file chooses how large their tiles are.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tinyproof.cnn.engine.native_plan import Plan, Shape, Stage

KERNELS = Path(__file__).parent / "kernels"
HEADERS = (
    "vector", "context", "stage", "conv", "winograd", "expand", "pool", "norm", "input", "loss", "update", "engine",
)  # fmt: skip

# Vector registers by lanes: AVX-512 has 32 of 16 lanes, AVX2 16 of 8, NEON 32 of 4.
REGISTERS = {16: 32, 8: 16, 4: 32}
_PRODUCT_BYTES = 40 * 1024  # and a strip of both sides of one of the six products (kernels/winograd.hpp)
_PRODUCT_SUMS_BYTES = 768 * 1024  # and the sums of all six, of the second-level cache
_STRIP_BYTES = 24 * 1024  # what a strip of output gradients may take of the first-level cache


def source(plan: Plan, lanes: int) -> str:
    """The whole translation unit as text, the kernels included, so that its digest names the result."""
    stages = list(enumerate(plan.stages, 1))
    recompute = recomputes(plan)
    first, second = plan.stages[0], plan.stages[min(1, len(plan.stages) - 1)]
    shapes = [plan.input_shape, *(stage.after for stage in plan.stages)]
    parts = [
        f"#define TINY_LANES {lanes}",
        "#include <cstddef>\n#include <cstdint>\n#include <memory>\n#include <new>",
        "namespace tiny {",
        f"constexpr int kStages = {len(shapes)};",
        f"constexpr size_t kParameters = {plan.parameters};",
        f"constexpr size_t kLargestStage = {max(_size(shape) for shape in shapes)};",
        f"constexpr size_t kScratchZ = {max(_scratch_z(s, lanes) for s in plan.stages)};",
        f"constexpr size_t kScratchDc = {max(_scratch_dc(s, lanes) for s in plan.stages)};",
        f"constexpr size_t kScratchSums = {max(_scratch_sums(s, lanes) for s in plan.stages)};",
        f"constexpr size_t kScratchChannels = {max(shape[0] for shape in shapes)};",
        f"constexpr size_t kScratchInput = {first.before[1] * _z_row(first, lanes) if recompute else 0};",
        f"constexpr size_t kScratchYRow = {first.after[0] * first.after[2] if recompute else 0};",
        f"constexpr size_t kScratchDuRow = {_dc_row(second, lanes) * _strip(first, lanes) if recompute else 0};",
        f"constexpr size_t kScratchProducts = {_weights(second) + second.after[0] if recompute else 0};",
        f"constexpr size_t kScratchWeights = {max(_scratch_weights(s, lanes) for s in plan.stages)};",
        "}",
        *(_kernel(name) for name in HEADERS[:-1]),
        "namespace tiny {",
        _input(plan.input_shape),
        *(_stage(number, stage, lanes, recompute and number == 1) for number, stage in stages),
        f"using First = Stage0;\nusing Last = Stage{len(stages)};\n}}",
        _kernel(HEADERS[-1]),
        _calls(plan, lanes),
    ]
    return "\n".join(parts)


def _kernel(name: str) -> str:
    lines = (KERNELS / f"{name}.hpp").read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(('#include "', "#pragma once"))]
    return f'#line 1 "{name}.hpp"\n' + "\n".join(kept)


def recomputes(plan: Plan) -> bool:
    """Whether the first stage is computed again where it is needed (kernels/expand.hpp): cheap, and before a 1x1."""
    if len(plan.stages) < 2:
        return False
    first, second = plan.stages[:2]
    cheap = first.kind == "conv" and first.before[0] * first.kernel[0] * first.kernel[1] <= 25
    narrow = second.kind == "conv" and (second.kernel, second.stride, second.padding) == ((1, 1),) * 2 + ((0, 0),)
    linear = first.slope2 is None and first.drop != "elements"  # so that z is a * y + b
    picture = not second.flat and second.before[1] * second.before[2] > 1
    return cheap and narrow and linear and picture and group_of(first.after[0]) >= 4


def winograd(stage: Stage, lanes: int) -> bool:
    """Whether the stage is computed by minimal filtering (kernels/winograd.hpp): where the combinations pay.

    Three columns wide and rows long enough: 6 products a piece against 3 an output. From a few channels on. And the
    sums of its weights' gradient, twice as many as without, must stay in the cache and take several products each.
    """
    if stage.kind != "conv" or stage.kernel[1] != 3 or stage.stride != (1, 1):
        return False
    pieces, few = _pieces(stage), min(stage.before[0], stage.after[0]) < 4
    kept = _scratch_products(stage) * 4 * lanes <= _PRODUCT_SUMS_BYTES and stage.after[1] * pieces >= 8
    return not few and kept and 6 * pieces <= 0.7 * 3 * stage.after[2]


def _pieces(stage: Stage) -> int:
    return -(-stage.after[2] // 4)


def group_of(channels: int) -> int:
    """The largest divisor up to 8: how many channels of the first stage are computed again together."""
    return max(size for size in range(1, 9) if channels % size == 0)


def _size(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _weights(stage: Stage) -> int:
    if stage.kind != "conv":
        return 1
    return stage.before[0] * stage.after[0] * stage.kernel[0] * stage.kernel[1]


def _strip(stage: Stage, lanes: int) -> int:
    """How many output rows the backward pass takes at once."""
    if winograd(stage, lanes):
        row = (stage.before[0] + stage.after[0]) * _pieces(stage) * 4 * lanes
        return max(1, min(stage.after[1], _PRODUCT_BYTES // row))
    output_tile, _ = weight_tile(stage.after[0], stage.before[0], stage.kernel[1], REGISTERS[lanes])
    row = output_tile * stage.after[2] * 4 * lanes
    return max(1, min(stage.after[1], _STRIP_BYTES // row))


def _scratch_z(stage: Stage, lanes: int) -> int:
    if stage.kind != "conv":
        return 2 * stage.before[1] * stage.before[2] + stage.after[1] * stage.after[2]
    rows = (_strip(stage, lanes) - 1) * stage.stride[0] + stage.kernel[0]
    return _z_row(stage, lanes) * rows


def _scratch_sums(stage: Stage, lanes: int) -> int:
    return 6 * max(stage.before[0], stage.after[0]) * _pieces(stage) if winograd(stage, lanes) else 0


def _scratch_products(stage: Stage) -> int:
    return 6 * stage.before[0] * stage.after[0] * stage.kernel[0]


def _scratch_weights(stage: Stage, lanes: int) -> int:
    return _scratch_products(stage) if winograd(stage, lanes) else _weights(stage)


def _z_row(stage: Stage, lanes: int) -> int:
    if winograd(stage, lanes):
        return 6 * stage.before[0] * _pieces(stage)
    return stage.before[0] * (stage.before[2] + 2 * stage.padding[1])


def _dc_row(stage: Stage, lanes: int) -> int:
    if winograd(stage, lanes):
        return 6 * stage.after[0] * _pieces(stage)
    return stage.after[0] * (stage.after[2] + 2 * (stage.kernel[1] - 1))


def _scratch_dc(stage: Stage, lanes: int) -> int:
    if stage.kind != "conv":
        return 1
    rows = _strip(stage, lanes) + (stage.kernel[0] - 1) // stage.stride[0] + 1
    return _dc_row(stage, lanes) * rows


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


def _constants(number: int, values: dict[str, object]) -> str:
    lines = [f"struct Stage{number} {{", f"  static constexpr int ID = {number};"]
    for name, value in values.items():
        if isinstance(value, bool):
            lines.append(f"  static constexpr bool {name} = {str(value).lower()};")
        elif isinstance(value, float):
            lines.append(f"  static constexpr double {name} = {value!r};")
        elif isinstance(value, str):
            lines.append(f"  static constexpr Kind {name} = {value};")
        else:
            lines.append(f"  static constexpr int {name} = {value};")
    return "\n".join([*lines, "};"])


def _input(shape: Shape) -> str:
    names = ("RECOMPUTE", "WINOGRAD", "ACT1", "BN", "ACT2", "CHANNEL_DROP", "ELEMENT_DROP")
    none: dict[str, object] = dict.fromkeys(names, False)
    return _constants(
        0, {"KIND": "INPUT", "OC": shape[0], "OH": shape[1], "OW": shape[2], **none, "SLOPE1": 0.0, "SLOPE2": 0.0}
    )


def _stage(number: int, stage: Stage, lanes: int, recompute: bool) -> str:
    values: dict[str, object] = {
        "KIND": stage.kind.upper(),
        **dict(zip(("IC", "IH", "IW"), stage.before, strict=True)),
        **dict(zip(("OC", "OH", "OW"), stage.after, strict=True)),
        **dict(zip(("KH", "KW"), stage.kernel, strict=True)),
        **dict(zip(("SH", "SW"), stage.stride, strict=True)),
        **dict(zip(("PH", "PW"), stage.padding, strict=True)),
        "FLAT": stage.flat,
        "WEIGHT": stage.weight,
        "BIAS": stage.bias >= 0,
        "BIAS_AT": max(stage.bias, 0),
        "RECOMPUTE": recompute,
        "WINOGRAD": winograd(stage, lanes),
        "ACT1": stage.slope1 is not None,
        "SLOPE1": float(stage.slope1 or 0.0),
        "BN": stage.norm,
        "GAMMA": stage.gamma,
        "RUNNING": stage.running,
        "EPS": stage.epsilon,
        "MOMENTUM": stage.momentum,
        "ACT2": stage.slope2 is not None,
        "SLOPE2": float(stage.slope2 or 0.0),
        "CHANNEL_DROP": stage.drop == "channels",
        "ELEMENT_DROP": stage.drop == "elements",
    }
    if stage.kind == "conv":
        registers = REGISTERS[lanes]
        values["FO"], values["FX"] = pixel_tile(stage.after[0], stage.after[2], registers)
        values["DI"], values["DX"] = pixel_tile(stage.before[0], -(-stage.before[2] // stage.stride[1]), registers)
        values["GO"], values["GI"] = weight_tile(stage.after[0], stage.before[0], stage.kernel[1], registers)
        if winograd(stage, lanes):  # the same three tiles for each of the six products
            pieces = _pieces(stage)
            values["PFO"], values["PFX"] = pixel_tile(stage.after[0], pieces, registers)
            values["PDI"], values["PDX"] = pixel_tile(stage.before[0], pieces, registers)
            values["PGO"], values["PGI"] = weight_tile(stage.after[0], stage.before[0], 1, registers)
        if recompute:  # its three tiles work on the same group of channels
            group = group_of(stage.after[0])
            values["GO"] = values["FO"] = group
            values["FX"] = max(1, (registers - 8) // group)
        values["STRIP"] = _strip(stage, lanes)
    return _constants(number, values)


def _functions(number: int, stage: Stage, recompute: bool, lanes: int) -> tuple[str, str]:
    """The names of a stage's forward and backward functions."""
    name = "winograd" if winograd(stage, lanes) else "conv" if stage.kind == "conv" else "pool"
    pair = f"<Stage{number}, Stage{number - 1}>"
    forward, backward = f"forward_{name}{pair}", f"backward_{name}{pair}"
    if recompute and number == 1:
        backward = "backward_expand<Stage2, Stage1, Stage0>"
    if recompute and number == 2:
        forward, backward = (f"{way}_contract<Stage2, Stage1, Stage0>" for way in ("forward", "backward"))
    return forward, backward


def _calls(plan: Plan, lanes: int) -> str:
    forward: list[str] = []
    backward: list[str] = []
    prepare: list[str] = []
    setup: list[str] = []
    setup.append("  setup_stage<Stage0>(run, scratch, threads, blocks);")
    for number, stage in enumerate(plan.stages, 1):
        ahead, back = _functions(number, stage, recomputes(plan), lanes)
        forward.append(f"  {ahead}(run, s);\n  meet_forward<Stage{number}>(run, s, barrier);")
        backward.insert(0, f"  meet_backward<Stage{number}>(run, s, barrier);\n  {back}(run, s);")
        setup.append(f"  setup_stage<Stage{number}>(run, scratch, threads, blocks);")
        if stage.drop:
            prepare.append(f"  prepare_dropout<Stage{number}>(run, s, seed, {stage.probability!r}f);")
    functions = (
        ("forward(Run& run, Scratch& s, Barrier& barrier)", forward),
        ("backward(Run& run, Scratch& s, Barrier& barrier)", backward),
        ("prepare(Run& run, const Scratch& s, uint64_t seed)", prepare),
        ("setup(Run& run, Scratch* scratch, int threads, int blocks)", setup),
    )
    text = "namespace tiny {\n"
    for head, lines in functions:
        text += f"void {head} {{\n" + "\n".join(lines) + "\n}\n"
    return text + "}\n"
