"""A runtime of others on ONNX in whole numbers, beside the scores of the C, on all test images of MNIST.

python benchmarks/onnx_whole.py first        # a run of MNIST that was exported to c-int8 and onnx-int8
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from tinyproof.core.table import Column, Table
from tinyproof.data.load import load
from tinyproof.ship import c_run, exported


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    run, images = parser.parse_args().run, load("mnist").test_images
    folder, command = run / "export-c-int8", c_run.compiler()
    assert command is not None
    record = exported.load(folder)
    files = {file: (folder / file).read_bytes() for file in record.files}
    (line,) = (line for line in files[f"{record.name}.h"].decode().splitlines() if "_UNIT " in line)
    unit = float(line.split()[-1].rstrip("f"))
    wanted = c_run.scores(command, files, record.name, images, 10, np.int32) * unit
    rows, levels = [], onnxruntime.GraphOptimizationLevel
    for name, level in (("as it stands", levels.ORT_DISABLE_ALL), ("optimised", levels.ORT_ENABLE_ALL)):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level, options.intra_op_num_threads = level, 1
        path = run / "export-onnx-int8" / "network.onnx"
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"images": images})
        apart = np.abs(found - wanted).max(1)
        other = int((found.argmax(1) != wanted.argmax(1)).sum())
        rows.append((name, int((apart > unit).sum()), float(apart.max()), other))
    columns = (Column("onnxruntime"), Column("images off by more than a unit", "right", ","))
    print(
        Table(
            "", (*columns, Column("at most", "right", ".2g"), Column("other class", "right", ",")), tuple(rows)
        ).text()
    )
    print(f"of {len(images):,} images; a unit of the score is {unit:.2g}, the largest score {np.abs(wanted).max():.3g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
