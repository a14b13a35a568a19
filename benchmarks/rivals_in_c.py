"""The same network in whole numbers by a library of kernels (CMSIS-NN), and as C by onnx2c, beside what is exported
here: bytes and instructions on a Cortex-M4, without one.

    git clone https://github.com/ARM-software/CMSIS-NN               # how onnx2c is built: `rival_onnx2c.py`
    python -m benchmarks.rivals_in_c first --cmsis-nn CMSIS-NN       # a run of MNIST of a plain chain, such as fast
    python -m benchmarks.rivals_in_c first --onnx2c onnx2c/build/onnx2c --images 20

The library has the weights of the export to c-int8; between layers there are signed bytes in the same steps, and the
scores are bytes too, as it has it. Memory is planned as the export's, its loops may not write over what they read.
Flash: what a linked program has more than one whose network does nothing, what no call reaches left out. RAM: its
static arrays, the same way; the stack is not in it. Instructions: as in `microcontroller.py`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks import rival_onnx2c
from numpy.typing import NDArray

from tinyproof.core.table import Column, Table
from tinyproof.data.load import load
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import VerifyOptions
from tinyproof.ship import arena, c_count, c_text, c_whole, operations, quantise
from tinyproof.ship.c_stages import Chain, Stage, chain
from tinyproof.ship.quantise import Grid, Whole, quantised
from tinyproof.train import store

CPU, LEVELS = "cortex-m4", ("-Os", "-O2", "-O3")
_NAME, _FAR = "network", 128  # bytes of the library are signed
_NOTHING = """#include "network.h"
void network_scores(const uint8_t image[784], network_score scores[10]) { scores[0] = image[0]; }
uint8_t network_class(const uint8_t image[784]) { return image[0]; }
"""
# What the library takes from the C library, which a bare machine has not.
_STRING_H = """#include <stddef.h>
void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
"""
_STRING_C = """#include <stdint.h>
#include <string.h>
#define PLAIN __attribute__((optimize("no-tree-loop-distribute-patterns")))
PLAIN void *memcpy(void *to, const void *from, size_t count)
{
    char *at = to;
    const char *of = from;
    for (; count >= 4; count -= 4, at += 4, of += 4) {
        uint32_t word;
        __builtin_memcpy(&word, of, 4);
        __builtin_memcpy(at, &word, 4);
    }
    while (count--)
        *at++ = *of++;
    return to;
}
PLAIN void *memset(void *to, int value, size_t count)
{
    for (char *at = to; count--;)
        *at++ = (char)value;
    return to;
}
"""


@dataclass(frozen=True)
class Rival:
    """A network for the library, its values in signed bytes; `unit`: of a score."""

    stages: tuple[Whole, ...]
    unit: float


def signed(made: Chain, training: NDArray[np.uint8]) -> Rival:
    """The stages as the library computes them: an average keeps its steps, and the scores are bytes."""
    values = torch.from_numpy(np.ascontiguousarray(quantise.chosen(training))).double()
    grid, found = Grid(1.0, 0), list[Whole]()
    for stage in made.stages:
        if stage.kind not in ("pad", "conv", "max_pool", "avg_pool") or stage.slope not in (None, 0.0):
            raise SystemExit(f"{stage.kind} is not written for the library here")
        values = quantise.computed(stage, values)
        whole = Whole(stage, grid, grid) if stage.kind == "avg_pool" else quantise._whole(stage, [grid], values)
        found.append(whole)
        grid = whole.made
    return Rival(tuple(found), grid.scale)


def code(network: Rival, scratch: int) -> str:
    """The C that calls the library; with no `scratch` it says in the first score how much is needed."""
    load = Stage("pad", network.stages[0].stage.given, network.stages[0].stage.given)
    length, places = arena.planned([load, *(whole.stage for whole in network.stages)], overlapping=False)
    arrays, calls, needs = list[str](), list[str](), list[str]()
    for number, whole in enumerate(network.stages, 1):
        written = list(_written(number, whole, places[number - 1], places[number]))
        arrays += written[:-2]
        needs.append(written[-2])
        calls.append(written[-1])
    pixels, last, zero = int(np.prod(load.made)), places[-1], network.stages[-1].made.zero - _FAR
    body = [f"for (int i = 0; i < {pixels}; i++)", f"    values[i + {places[0]}] = (int8_t)(image[i] - 128);", *calls]
    body += [
        f"for (int i = 0; i < {network.stages[-1].stage.made[2]}; i++)",
        f"    scores[i] = values[{last} + i] - {zero};",
    ]
    if not scratch:
        body = ["int32_t most = image[0] & 0, need = 0;", *(line for line in needs if line), "scores[0] = most;"]
    lines = "\n".join(f"    {line}" for line in body)
    return (
        '#include "network.h"\n#include "arm_nnfunctions.h"\n'
        + "\n".join(arrays)
        + f"\nstatic int8_t values[{length}];"
        f"\nstatic int16_t scratch[{max(1, scratch // 2)}];\n"
        f"void network_scores(const uint8_t image[], network_score scores[])\n{{\n"
        "    const cmsis_nn_context given = {scratch, sizeof scratch};\n    (void)given, (void)values;\n"
        f"{lines}\n}}\n"
        "uint8_t network_class(const uint8_t image[])\n{\n    return image[0];\n}\n"
    )


def _dims(rows: int, columns: int, channels: int, first: int = 1) -> str:
    return f"&(cmsis_nn_dims){{{first}, {rows}, {columns}, {channels}}}"


def _written(number: int, whole: Whole, given: int, made: int) -> Iterator[str]:
    """The arrays of a stage, then the line that says what scratch it needs, and its call."""
    stage = whole.stage
    sizes = _dims(*stage.given), _dims(*stage.made)
    window = f"{{{stage.stride[1]}, {stage.stride[0]}}}, {{0, 0}}"
    if stage.kind == "pad":
        (value,) = {*whole.bias.tolist()}
        beside = _dims(*stage.padding, 0, 0)
        yield ""
        yield f"(void)arm_pad_s8(values + {given}, values + {made}, {value - _FAR}, {sizes[0]}, {beside}, {beside});"
        return
    low = f"{{{(whole.made.zero if stage.slope == 0 else 0) - _FAR}, {_FAR - 1}}}"
    kernel = _dims(*stage.kernel, stage.given[2], stage.made[2])
    if stage.kind != "conv":
        name = "arm_max_pool_s8" if stage.kind == "max_pool" else "arm_avgpool_s8"
        size = f"arm_avgpool_s8_get_buffer_size({stage.made[1]}, {stage.given[2]})"
        yield f"need = {size}; most = need > most ? need : most;" if stage.kind == "avg_pool" else ""
        pool = f"&(cmsis_nn_pool_params){{{window}, {low}}}"
        yield f"(void){name}(&given, {pool}, {sizes[0]}, values + {given}, {kernel}, {sizes[1]}, values + {made});"
        return
    sums = whole.weight.astype(np.int64).reshape(len(whole.weight), -1).sum(1)
    ratios = [np.frexp(float(factor) / 2.0**whole.shift) for factor in whole.factor]
    yield c_text.array("int8_t", f"weights_{number}", whole.weight.ravel().tolist())
    yield c_text.array("int32_t", f"bias_{number}", (whole.bias + whole.given.zero * sums).tolist())
    yield c_text.array("int32_t", f"times_{number}", [min(round(m * 2**31), 2**31 - 1) for m, _ in ratios])
    yield c_text.array("int32_t", f"shift_{number}", [int(power) for _, power in ratios])
    offsets = f"{_FAR - whole.given.zero}, {whole.made.zero - _FAR}"
    conv = f"&(cmsis_nn_conv_params){{{offsets}, {window}, {{1, 1}}, {low}}}"
    size = f"arm_convolve_wrapper_s8_get_buffer_size({conv}, {sizes[0]}, {kernel}, {sizes[1]})"
    yield f"need = {size}; most = need > most ? need : most;"
    steps = f"&(cmsis_nn_per_channel_quant_params){{(int32_t *)times_{number}, (int32_t *)shift_{number}}}"
    yield (
        f"(void)arm_convolve_wrapper_s8(&given, {conv}, {steps}, {sizes[0]}, values + {given}, {kernel}, "
        f"weights_{number}, {_dims(1, 1, stage.made[2])}, bias_{number}, {sizes[1]}, values + {made});"
    )


def ran(files: dict[str, str], images: NDArray[np.uint8], level: str, library: Path | None) -> c_count.Ran:
    """A network on a bare board under qemu, linked with what it reaches of a library."""
    more: list[str | Path] = ["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            (Path(place) / name).write_text(text)
        if library is not None:
            parts = ("ConvolutionFunctions", "PoolingFunctions", "NNSupportFunctions", "PadFunctions")
            sources = [path for part in parts for path in sorted((library / "Source" / part).glob("*.c"))]
            plain = [path for path in sources if not path.stem.endswith(("_f16", "_f32"))]
            # It reads words by memcpy, which the compiler is to know.
            more += ["-fbuiltin", f"-I{library / 'Include'}", f"{place}/its_string.c", *plain]
        return c_count.ran(Path(place), _NAME, images, 10, CPU, level, more)


def compared(folder: Path, library: Path, count: int) -> Table:
    """The table."""
    record = store.load(folder)
    again = recompute.restored(VerifyOptions(True, None, None, ()), folder, record)
    layers = operations.layers_of(record.identity.model, again.module, record.shape, len(record.classes))
    weights = {key: value.numpy() for key, value in again.module.state_dict().items()}
    mean, std = (np.atleast_1d(np.asarray(part, np.float64)) for part in (record.mean, record.std))
    plan = chain(
        record.identity.model,
        [operations.normalising(mean, std), *operations.operations(layers, weights)],
        record.shape,
    )
    about = c_text.About(_NAME, record.shape, record.classes, {})
    ours = {
        name: text.decode()
        for name, text in c_whole.files(quantised("it", plan, again.dataset.train_images), about).items()
    }
    rival, head, images = (
        signed(plan, again.dataset.train_images),
        ours[f"{_NAME}.h"],
        load("mnist").test_images[:count],
    )
    library_files = {"network.h": head, "string.h": _STRING_H, "its_string.c": _STRING_C}
    rows, labels = [], load("mnist").test_labels[:count]
    for level in LEVELS:
        probe = ran({**library_files, "network.c": code(rival, 0)}, images[:1], level, library)
        scratch = int(probe.scores[0, 0])
        files = {"here": ours, "CMSIS-NN": {**library_files, "network.c": code(rival, scratch)}}
        empty = ran({"network.h": head, "network.c": _NOTHING}, images[:1], level, None)
        for name, texts in files.items():
            found = ran(texts, images, level, library if name != "here" else None)
            right = int((found.scores.argmax(1) == labels).sum())
            sizes = found.flash - empty.flash, found.static - empty.static
            rows.append((level, name, *sizes, round(float(found.instructions.mean())), right))
    numbers = [Column(name, "right", ",") for name in ("flash", "static RAM", "instructions an image", "right")]
    return Table("", (Column(CPU), Column(""), *numbers), tuple(rows))


def main(given: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--cmsis-nn", type=Path, help="a checkout of CMSIS-NN")
    parser.add_argument("--onnx2c", type=Path, help="the program onnx2c, built")
    parser.add_argument("--images", type=int, default=200, help="of the test images of MNIST")
    told = parser.parse_args(given)
    if told.cmsis_nn is None and told.onnx2c is None:
        parser.error("name --cmsis-nn or --onnx2c: how to get them stands above (--help)")
    if told.cmsis_nn is not None:
        print(compared(told.run, told.cmsis_nn.resolve(), told.images).text())
    if told.onnx2c is not None:
        print(rival_onnx2c.compared(told.run, told.onnx2c.resolve(), told.images).text())
    print(f"{told.images:,} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
