"""How far do the same weights' answers differ by rounding alone? What `verify` allows for each image rests on it.

    python benchmarks/rounding.py [--models fast s7-8k s6-16k] [--epochs 2] [--dataset mnist]

Each network is trained by the native engine, whose answers are stored; the same weights answer again in torch
(single precision, on one thread and on all), and in double precision. Shown: the largest difference of a log-
probability as a share of 1 + its size, the largest difference of a probability, and how many classes differ.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import tinyproof
from tinyproof.core.table import Column, Table
from tinyproof.data.dataset import Dataset
from tinyproof.data.load import load
from tinyproof.network import nets
from tinyproof.train import store

Floats = NDArray[np.float64]


def answers(folder: Path, model: str, dataset: Dataset, kind: torch.dtype, threads: int) -> Floats:
    """Log-probabilities [N, classes] of the stored weights."""
    torch.set_num_threads(threads)
    module = nets.build(model)
    module.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in store.load_weights(folder).items()})
    module = module.to(kind).eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(dataset.test_images), 500):
            rows = torch.from_numpy(dataset.test_images[start : start + 500]).to(kind)
            found.append(module((rows / 255 - dataset.mean) / dataset.std).log_softmax(1))
    return torch.cat(found).double().numpy()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["fast", "s7-8k", "s6-16k"])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--dataset", default="mnist")
    asked = parser.parse_args()
    dataset, rows = load(asked.dataset), []
    cores = torch.get_num_threads()
    for model in asked.models:
        with tempfile.TemporaryDirectory() as place:
            tinyproof.train(
                model, dataset=asked.dataset, epochs=asked.epochs, out=place, engine="native", quiet=True, force=True
            )
            stored = store.load_predictions(Path(place))
            ways = (("torch, 1 thread", torch.float32, 1), ("torch, all", torch.float32, cores))
            for name, kind, threads in (*ways, ("torch, double", torch.float64, cores)):
                seen = answers(Path(place), model, dataset, kind, threads)
                truth = seen[np.arange(len(seen)), stored.labels]
                share = np.abs(-truth - stored.losses) / (1 + np.abs(truth))
                off = np.abs(np.exp(seen[np.arange(len(seen)), stored.predicted]) - stored.confidence)
                differ = int((seen.argmax(1) != stored.predicted).sum())
                rows.append((model, name, f"{share.max():.1e}", f"{off.max():.1e}", differ))
    heads = ("network", "answered again by", "log-probability", "probability", "classes that differ")
    print(Table("", tuple(map(Column, heads)), tuple(rows)).text())


if __name__ == "__main__":
    main()
