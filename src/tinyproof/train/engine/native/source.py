"""From a plan to C++: the sizes of every stage as constants, the order of the calls, and nothing else.

The kernels themselves are templates in the folder `kernels`; native_tiles says which of them a stage gets, and cut how.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinyproof.train.engine.native.plan import Plan, Shape, Stage
from tinyproof.train.engine.native.scratch import scratch
from tinyproof.train.engine.native.tiles import (
    REGISTERS,
    channels_of,
    group_of,
    pieces_of,
    pixel_tile,
    recomputes,
    strip,
    tap_rows,
    weight_tile,
    winograd,
)

KERNELS = Path(__file__).parent / "kernels"
HEADERS = (
    "vector", "curves", "context", "stage", "rows", "tiles", "conv", "grouped", "winograd", "expand", "pool", "joins",
    "gate", "channel_norm", "norm", "input", "loss", "update", "engine", "interface",
)  # fmt: skip


def source(plan: Plan, lanes: int) -> str:
    """The whole translation unit as text, the kernels included, so that its digest names the result."""
    stages = list(enumerate(plan.stages, 1))
    recompute = recomputes(plan)
    parts = [
        f"#define TINY_LANES {lanes}",
        "#include <cstddef>\n#include <cstdint>\n#include <memory>\n#include <new>",
        "namespace tiny {",
        f"constexpr int kStages = {len(plan.stages) + 1};",
        f"constexpr int kGradients = {max(plan.gradient_slots) + 1};",
        f"constexpr size_t kParameters = {plan.parameters};",
        *(f"constexpr size_t {name} = {value};" for name, value in scratch(plan, lanes).items()),
        "}",
        *(_kernel(name) for name in HEADERS[:-2]),
        "namespace tiny {",
        _input(plan.input_shape),
        *(_stage(number, plan, lanes, recompute and number == 1) for number, _ in stages),
        f"using First = Stage0;\nusing Last = Stage{len(stages)};\n}}",
        *(_kernel(name) for name in HEADERS[-2:]),
        _calls(plan, lanes),
    ]
    return "\n".join(parts)


def _kernel(name: str) -> str:
    lines = (KERNELS / f"{name}.hpp").read_text("utf-8").splitlines()
    kept = [line for line in lines if not line.startswith(('#include "', "#pragma once"))]
    return f'#line 1 "{name}.hpp"\n' + "\n".join(kept)


def _constants(number: int, values: dict[str, object]) -> str:
    lines = [f"struct Stage{number} {{", f"  static constexpr int ID = {number};"]
    for name, value in values.items():
        if isinstance(value, bool):
            lines.append(f"  static constexpr bool {name} = {str(value).lower()};")
        elif isinstance(value, float):
            lines.append(f"  static constexpr double {name} = {value!r};")
        elif isinstance(value, str):
            lines.append(f"  static constexpr {'Curve' if name == 'CURVE' else 'Kind'} {name} = {value};")
        else:
            lines.append(f"  static constexpr int {name} = {value};")
    return "\n".join([*lines, "};"])


def _input(shape: Shape) -> str:
    names = ("MORE", "RECOMPUTE", "WINOGRAD", "ACT1", "BN", "ACT2", "CHANNEL_DROP", "ELEMENT_DROP")
    none: dict[str, object] = dict.fromkeys(names, False)
    size = dict(zip(("OC", "OH", "OW"), shape, strict=True))
    return _constants(0, {"KIND": "INPUT", "DU": 0, **size, **none, "SLOPE1": 0.0, "SLOPE2": 0.0, "CURVE": "NO_CURVE"})


def _stage(number: int, plan: Plan, lanes: int, recompute: bool) -> str:
    stage = plan.stages[number - 1]
    values: dict[str, object] = {
        "KIND": stage.kind.upper(),
        "DU": plan.gradient_slots[number - 1],
        "MORE": False,
        **dict(zip(("IC", "IH", "IW"), stage.before, strict=True)),
        **dict(zip(("OC", "OH", "OW"), stage.after, strict=True)),
        **dict(zip(("KH", "KW"), stage.kernel, strict=True)),
        **dict(zip(("SH", "SW"), stage.stride, strict=True)),
        **dict(zip(("PH", "PW"), stage.padding, strict=True)),
        **dict(zip(("DH", "DW"), stage.dilation, strict=True)),
        "GROUPS": stage.groups,
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
        "LAYER_EPS": stage.layer_epsilon,
        "MOMENTUM": stage.momentum,
        "ACT2": stage.slope2 is not None or stage.curve != "",
        "SLOPE2": float(stage.slope2 or 0.0),
        "CURVE": stage.curve.upper() or "NO_CURVE",
        "ALPHA": stage.alpha,
        "CHANNEL_DROP": stage.drop == "channels",
        "ELEMENT_DROP": stage.drop == "elements",
    }
    if stage.kind == "conv":
        registers = REGISTERS[lanes]
        outputs, inputs = channels_of(stage)
        values["FO"], values["FX"] = pixel_tile(outputs, stage.after[2], registers)
        values["DI"], values["DX"] = pixel_tile(inputs, -(-stage.before[2] // stage.stride[1]), registers)
        values["GO"], values["GI"] = weight_tile(outputs, inputs, stage.kernel[1], registers)
        values["TAPS"] = tap_rows(stage, registers)
        if winograd(stage, lanes):  # the same three tiles for each of the six products
            pieces = pieces_of(stage)
            values["PFO"], values["PFX"] = pixel_tile(stage.after[0], pieces, registers)
            values["PDI"], values["PDX"] = pixel_tile(stage.before[0], pieces, registers)
            values["PGO"], values["PGI"] = weight_tile(stage.after[0], stage.before[0], 1, registers)
        if recompute:  # its three tiles work on the same group of channels
            group = group_of(stage.after[0])
            values["GO"] = values["FO"] = group
            values["FX"] = max(1, (registers - 8) // group)
        values["STRIP"] = strip(stage, lanes)
    return _constants(number, values)


def _forward(number: int, stage: Stage, recompute: bool, lanes: int) -> str:
    """The name of a stage's forward function."""
    if recompute and number == 2:
        return "forward_contract<Stage2, Stage1, Stage0>"
    taken = ", ".join(f"Stage{source}" for source in (number, *stage.sources))
    return f"forward_{_family(stage, lanes)}<{taken}>"


def _family(stage: Stage, lanes: int) -> str:
    if stage.kind != "conv":
        return {"max_pool": "pool", "avg_pool": "pool"}.get(stage.kind, stage.kind)
    return "grouped" if stage.groups > 1 else "winograd" if winograd(stage, lanes) else "conv"


def _backward(plan: Plan, lanes: int) -> Iterator[tuple[int, str]]:
    """Each stage's number and the name of a function that hands its gradient on, in the order of the backward pass."""
    first, last = 0, 0
    for number, source, again in plan.backward_edges():
        stage = plan.stages[number - 1]
        first, last = (0 if number != last else first), number
        taken = f"Again<Stage{source}>" if again else f"Stage{source}"
        if recomputes(plan) and number <= 2:
            yield number, "backward_" + ("contract" if number == 2 else "expand") + "<Stage2, Stage1, Stage0>"
        elif stage.kind == "multiply":
            other = stage.sources[1] if source == stage.sources[0] else stage.sources[0]
            yield number, f"backward_multiply<Stage{number}, {taken}, Stage{other}>"
        elif stage.kind in ("add", "concat"):
            yield number, f"backward_join<Stage{number}, {taken}, {first}>"
            shape = plan.input_shape if source == 0 else plan.stages[source - 1].after
            first += shape[0] if stage.kind == "concat" else 0
        else:
            yield number, f"backward_{_family(stage, lanes)}<Stage{number}, {taken}>"


def _calls(plan: Plan, lanes: int) -> str:
    forward: list[str] = []
    backward: list[str] = []
    prepare: list[str] = []
    setup: list[str] = []
    setup.append("  setup_stage<Stage0>(run, scratch, threads, blocks);")
    for number, stage in enumerate(plan.stages, 1):
        ahead = _forward(number, stage, recomputes(plan), lanes)
        forward.append(f"  {ahead}(run, s);\n  meet_forward<Stage{number}>(run, s, barrier);")
        setup.append(f"  setup_stage<Stage{number}>(run, scratch, threads, blocks);")
        if stage.drop:
            prepare.append(f"  prepare_dropout<Stage{number}>(run, s, seed, {stage.probability!r}f);")
    met = set[int]()
    for number, back in _backward(plan, lanes):
        if number not in met:
            backward.append(f"  meet_backward<Stage{number}>(run, s, barrier);")
            met.add(number)
        backward.append(f"  {back}(run, s);")
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
