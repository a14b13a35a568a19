"""The exported ONNX files as C by onnx2c, beside the C that is exported here: a part of `rivals_in_c.py`.

    git clone --recursive https://github.com/kraiskil/onnx2c; mkdir onnx2c/build; cd onnx2c/build
    cmake -DCMAKE_BUILD_TYPE=Release .. && make onnx2c        # Debian: protobuf-compiler, libprotobuf-dev, cmake, g++

It takes both files, with bytes as their input; of the one in whole numbers (QDQ) it computes in floating point, between
rounding to bytes and back. What it takes of the C library (expf, logf, roundf) a bare machine has not: it stands here.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyproof.core.table import Column, Table
from tinyproof.data.load import load
from tinyproof.prove.verify import recompute
from tinyproof.prove.verify.lines import VerifyOptions
from tinyproof.ship import artefact, c_count, operations
from tinyproof.train import store

_LEVELS, _CPU = ("-Os", "-O2", "-O3"), "cortex-m4"
_SECTIONS = ("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
_NOTHING = """#include "network.h"
void network_scores(const uint8_t image[784], network_score scores[10]) { scores[0] = image[0]; }
uint8_t network_class(const uint8_t image[784]) { return image[0]; }
"""
_CALLS = """
#include "network.h"
void network_scores(const uint8_t image[784], network_score scores[10])
{
    entry((const uint8_t (*)[1][28][28])image, (float (*)[10])scores);
}
uint8_t network_class(const uint8_t image[784]) { return image[0]; }
"""
_MATH_H = """#define INFINITY __builtin_inff()
static inline float roundf(float x) { return (float)(int32_t)(x < 0 ? x - 0.5f : x + 0.5f); }
static inline float expf(float x)
{
    if (x < -87.0f)
        return 0;
    const float turns = x * 1.442695041f;
    const int32_t whole = (int32_t)(turns < 0 ? turns - 0.5f : turns + 0.5f);
    const float rest = (turns - whole) * 0.6931471806f;
    float sum = 1;
    for (int k = 7; k; k--)
        sum = 1 + sum * rest / k;
    const union { int32_t bits; float power; } two = {(whole + 127) << 23};
    return sum * two.power;
}
static inline float logf(float x)
{
    if (!(x > 0))
        return -INFINITY;
    union { float value; int32_t bits; } of = {x};
    const int32_t power = (of.bits >> 23) - 127;
    of.bits = (of.bits & 0x7FFFFF) | 0x3F800000;
    const float part = (of.value - 1) / (of.value + 1), square = part * part;
    float sum = 0;
    for (int k = 13; k > 0; k -= 2)
        sum = sum * square + 2.0f / k;
    return sum * part + power * 0.6931471806f;
}
"""
# What it includes and a bare machine has not; nothing of the others is called.
_HEADERS = {"math.h": "#include <stdint.h>\n" + _MATH_H, "string.h": "", "stdlib.h": ""}


def _exported(folder: Path) -> dict[str, dict[str, bytes]]:
    """The exported files of a run, by format."""
    run = store.load(folder)
    again = recompute.restored(VerifyOptions(True, None, None, ()), folder, run)
    layers = operations.layers_of(run.identity.model, again.module, run.shape, len(run.classes))
    weights = {key: value.numpy() for key, value in again.module.state_dict().items()}
    formats = ("c", "onnx", "c-int8", "onnx-int8")
    return {to: artefact.made(to, "bytes", run, layers, weights, dataset=again.dataset).files for to in formats}


def _theirs(program: Path, model: bytes) -> str:
    """The C that onnx2c makes of an ONNX file."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "network.onnx").write_bytes(model)
        command = [program, "-d", "N:1", "-l", "0", Path(place) / "network.onnx"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _ran(files: dict[str, str], images: NDArray[np.uint8], level: str) -> c_count.Ran:
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            (Path(place) / name).write_text(text)
        return c_count.ran(Path(place), "network", images, 10, _CPU, level, _SECTIONS)


def compared(folder: Path, program: Path, count: int) -> Table:
    """The table: for each format the C of here, then that of onnx2c."""
    made, data = _exported(folder), load("mnist")
    images, labels, rows = data.test_images[:count], data.test_labels[:count], []
    plain, nothing = made["c"]["network.h"].decode(), {**_HEADERS, "network.c": _NOTHING}
    nothing["network.h"] = made["c-int8"]["network.h"].decode()  # it has no floating point
    for to, words in (("c", "float"), ("c-int8", "whole numbers")):
        ours = {name: text.decode() for name, text in made[to].items()}
        code = _theirs(program, next(iter(made[to.replace("c", "onnx", 1)].values()))) + _CALLS
        known = {"here": ours, "onnx2c": {**_HEADERS, "network.h": plain, "network.c": code}}
        for level in _LEVELS:
            empty = _ran(nothing, images[:1], level)
            for name, texts in known.items():
                found = _ran(texts, images, level)
                whole = name == "here" and to == "c-int8"
                scores = found.scores if whole else found.scores.view(np.float32)
                right = int((scores.argmax(1) == labels).sum())
                sizes = found.flash - empty.flash, found.static - empty.static
                rows.append((words, level, name, *sizes, round(float(found.instructions.mean())), right))
    numbers = [Column(name, "right", ",") for name in ("flash", "static RAM", "instructions an image", "right")]
    return Table("", (Column(_CPU), Column(""), Column(""), *numbers), tuple(rows))
